"""Question to a person about a new prompt: the changes on stderr, the answer from the terminal."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blpo.cli.error_lines import say
from blpo.cli.prompt_file import read_prompt
from blpo.runs.wording import plain, single_line
from state.errors import AnswerError

if TYPE_CHECKING:
    from rich.text import Text

    from blpo.reports.label_source import LabelSource
    from state.approval import Change, Question

KEYS = {"a": "approve", "e": "edit", "r": "reject", "l": "later"}


def can_ask() -> bool:
    """Return True if a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def show(question: "Question", source: "LabelSource") -> None:
    """Print the question: the changed lines, the score, and the samples with better and worse verdicts.

    `source` names the labels.
    """
    from rich.console import Console

    from blpo.cli.summary import coloured, print_changes
    from blpo.runs.run_writer import prompt_in_question

    console = Console(stderr=True, highlight=False)
    console.print()
    print_changes(console, coloured(question["diff"]))
    for line in _effect(question, source):
        console.print(line, soft_wrap=not console.is_terminal)
    if "problem" in question:
        say(question["problem"])
    say(f"{prompt_in_question(question)} waits for an answer")


def ask(question: "Question") -> dict[str, Any] | None:
    """Return the person's valid answer; None for later (`l`, Ctrl-C or the end of stdin)."""
    from nodes.approve import read_answer

    while True:
        try:
            choice = KEYS.get(_line("[a]pprove, [e]dit, [r]eject or [l]ater? ").lower()[:1])
            if choice == "later":
                return None
            if choice is not None:
                return read_answer(_answer(choice, question), question).model_dump()
        except AnswerError as error:
            say(str(error))
        except (EOFError, KeyboardInterrupt):
            sys.stderr.write("\n")
            return None


def answer_of(approve: bool, edit: Path | None, reject: str | None) -> dict[str, Any] | None:
    """Return the answer in the options, or None; raises `BlpoError` for several answers or an unreadable file."""
    answers: list[dict[str, Any]] = [{"decision": "approve"}] if approve else []
    if edit is not None:
        answers.append({"decision": "edit", "text": read_prompt("--edit", edit)})
    if reject is not None:
        answers.append({"decision": "reject", "reason": reject})
    if len(answers) > 1:
        raise AnswerError("give one of --approve, --edit and --reject")
    return answers[0] if answers else None


def _answer(choice: str, question: "Question") -> dict[str, Any]:
    if choice == "edit":
        return {"decision": "edit", "text": _edited(question["new"])}
    if choice == "reject":
        return {"decision": "reject", "reason": _line("Why? The next critique reads it: ")}
    return {"decision": choice}


def _line(prompt: str) -> str:
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()


def _edited(text: str) -> str:
    """Return the text after a person edited it."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="blpo-") as folder:
        file = Path(folder) / "prompt.md"
        file.write_text(text + "\n", encoding="utf-8")
        try:
            ended = subprocess.run([*shlex.split(editor), str(file)], check=False).returncode
            content = file.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise AnswerError(f"can't edit with {editor!r} ({error}); set EDITOR") from None
    if ended != 0:
        raise AnswerError(f"{editor!r} ended with {ended}; nothing is changed")
    return content


def _effect(question: "Question", source: "LabelSource") -> "list[str | Text]":
    from rich.text import Text

    if not question["judged"]:
        return ["The prompt is not judged yet: trials are pooled, or the trial led to no judge prompt."]
    score = "no score" if question["score"] is None else f"score {question['score']:+.3f}"
    counts = f"brings {question['fixed']} verdicts nearer to {source.labels} and takes {question['broken']} away"
    groups = [("nearer", "green", question["fixes"]), ("away", "red", question["breaks"])]
    lines: list[str | Text] = [Text(f"{score} on {question['judged']} samples: {counts}", "bold")]
    return lines + [line for name, colour, rows in groups for line in _rows(name, colour, rows, source)]


def _rows(name: str, colour: str, changes: "Sequence[Change]", source: "LabelSource") -> "list[Text]":
    from rich.text import Text

    return [
        Text(
            f"  {name}: {plain(c['id'])}, {source.short} {c['label']}, judge {c['before']} -> {c['after']}", colour
        ).append(f"  {single_line(c['reason'])[:120]}", "dim")
        for c in changes
    ]
