"""A search from the command line: view, signals, questions, result and exit code."""

import shlex
import sqlite3
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from langgraph.runtime import RunControl

import blpo
from blpo import OnEvent, Run
from blpo.cli.approval import ask, can_ask, show
from blpo.cli.error_lines import INTERRUPTED, explain, say
from blpo.cli.paths import short_path
from blpo.cli.run_gates import GATE_MISSED, are_kept
from blpo.cli.search_view import SearchView, view_on
from blpo.cli.signals import run_with_signals
from blpo.cli.summary import print_summary
from blpo.config.settings_file import load_settings
from blpo.reports.label_source import LabelSource, label_source
from blpo.runs.wording import higher_limits
from state.result import Result, RunStatus

SearchCall = Callable[[OnEvent, RunControl], Coroutine[Any, Any, Run]]

EXIT_CODES: dict[RunStatus, int] = {"complete": 0, "failed": 1, "budget": 4, "interrupted": INTERRUPTED}


def search(
    run: SearchCall, *, directory: Path | None = None, as_json: bool, quiet: bool, gates: Sequence[str] = ()
) -> int:
    """Run a search until the search ends, stops or fails; print the result and return the exit code.

    A finished run that misses one of `gates` ends with the exit code of a missed gate.

    `directory`: the run directory, if known before the search starts.
    """
    while True:
        view = view_on(sys.stderr, quiet=quiet)
        try:
            with view:
                result = run_with_signals(partial(run, view.event), view).result
        except (Exception, KeyboardInterrupt) as error:
            return _failed(error, view, as_json)
        directory = Path(view.progress.run) if view.progress.run else directory
        answer = None if as_json or directory is None else _answer(result, directory, quiet)
        if answer is None:
            break
        run = partial(_answered, directory, answer)
    if directory is not None:
        _print_result(result, directory, as_json)
        _print_hint(result, directory)
        if result["status"] == "complete" and gates and not are_kept(directory, gates):
            return GATE_MISSED
    return EXIT_CODES[result["status"]]


def _print_result(result: Result, directory: Path, as_json: bool) -> None:
    if as_json:
        sys.stdout.write((directory / "result.json").read_text(encoding="utf-8"))
    else:
        print_summary(result, short_path(directory), _label_source(directory))


def _print_hint(result: Result, directory: Path) -> None:
    """Print the command that goes on with an unfinished run."""
    run = _quoted(directory)
    if "question" in result:
        print(f"answer with: blpo resume {run} --approve, --edit FILE or --reject WHY", file=sys.stderr)
    elif result["status"] == "interrupted":
        print(f"resume with: blpo resume {run}", file=sys.stderr)
    elif result["status"] == "budget":
        limits = load_settings(directory / "config.yaml").limits
        say(f"higher limits go on: blpo resume {run} {higher_limits(limits)}")


def _label_source(directory: Path) -> LabelSource:
    return label_source(load_settings(directory / "config.yaml"))


def _answer(result: Result, directory: Path, quiet: bool) -> dict[str, Any] | None:
    """Return a person's answer to the run's question; None without a question or an answer."""
    question = result.get("question")
    if question is None or (quiet and not can_ask()):
        return None
    show(question, _label_source(directory))
    return ask(question) if can_ask() else None


def _answered(
    directory: Path | None, answer: dict[str, Any], on_event: OnEvent, control: RunControl
) -> Coroutine[Any, Any, Run]:
    return blpo.resume(directory or "", on_event=on_event, control=control, answer=answer, progress=False)


def _failed(error: BaseException, view: SearchView, as_json: bool) -> int:
    run = view.progress.run
    if run and isinstance(error, sqlite3.Error | OSError):
        file = getattr(error, "filename", None) or f"{short_path(run)} or its checkpoints"
        say(f"{file} can't be written: {getattr(error, 'strerror', None) or error}; what was done is kept")
        code = 1
    else:
        code = explain(error)
    if run and (Path(run) / "run.json").exists() and getattr(error, "resumable", True):
        print(f"resume with: blpo resume {_quoted(run)}", file=sys.stderr)
    result = Path(run) / "result.json"
    if run and as_json and not isinstance(error, KeyboardInterrupt) and result.exists():
        sys.stdout.write(result.read_text(encoding="utf-8"))  # status: failed
    return code


def _quoted(directory: str | Path) -> str:
    return shlex.quote(short_path(directory))
