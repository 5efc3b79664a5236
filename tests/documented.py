"""Commands, configurations and Python examples in Markdown pages.

A line of an `sh` or `bash` block is a command if it begins with `blpo` or `make`, or pipes into `blpo`; `\\` joins
lines. A `python` block is an example; all blocks of a page share their names, and `await` is allowed. A `yaml` block is
a configuration. Comments before a block say more:

    <!-- given: runs/first, photos -->   things in the page's folder (`GIVEN` in tests/project/test_docs.py)
    <!-- file: config.yaml -->           the next block is the content of this file
    <!-- exit code: 2 -->                exit code of the commands of the next block
    <!-- not run: needs a server -->     reason for leaving out the next block
"""

import ast
import asyncio
import inspect
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.cli.main import main

SMALL = ["data.limit=40", "search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=4", "search.anchors=2"]
"""Settings that make a search short; settings of the command itself override them."""

_COMMAND = re.compile(r"^(blpo|make)\b|\| blpo\b")
_COMMENT = re.compile(r"<!-- (given|file|exit code|not run): (.+?) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """Fenced block of a page, with the comments before the block."""

    place: str
    """`docs/start.md:12`."""
    language: str
    lines: tuple[str, ...]
    comments: Mapping[str, str]

    @property
    def text(self) -> str:
        """All lines, with newlines."""
        return "".join(line + "\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Step:
    """Command or Python example to run, or file to write."""

    place: str
    """`docs/start.md:12`."""
    text: str
    file: str | None = None
    exit_code: int = 0
    not_run: str | None = None
    language: str = "sh"


def given(page: str) -> list[str]:
    """Return the names of all things in a page's folder."""
    values = [value for kind, value in _COMMENT.findall(page) if kind == "given"]
    return [name.strip() for value in values for name in value.split(",")]


def blocks(page: str, name: str) -> Iterator[Block]:
    """Yield all fenced blocks of a page, in order."""
    comments: dict[str, str] = {}
    fence: str | None = None
    lines: list[str] = []
    start = 0
    for number, line in enumerate(page.splitlines(), start=1):
        if fence is None:
            if (comment := _COMMENT.fullmatch(line.strip())) is not None:
                comments[comment[1]] = comment[2]
            elif line.startswith("```"):
                fence, lines, start = line.removeprefix("```").strip(), [], number
            elif line.strip():
                comments = {}
        elif line.startswith("```"):
            yield Block(f"{name}:{start}", fence, tuple(lines), comments)
            fence, comments = None, {}
        else:
            lines.append(line)


def steps(page: str, name: str) -> Iterator[Step]:
    """Yield all commands, Python examples and files of a page, in order."""
    for block in blocks(page, name):
        yield from _steps(block)


def _steps(block: Block) -> Iterator[Step]:
    not_run = block.comments.get("not run")
    if "file" in block.comments:
        yield Step(block.place, block.text, file=block.comments["file"])
    elif block.language == "python":
        yield Step(block.place, block.text, not_run=not_run, language="python")
    elif block.language in ("sh", "bash"):
        for line in block.text.replace("\\\n", " ").splitlines():
            if _COMMAND.search(line):
                yield Step(block.place, line, None, int(block.comments.get("exit code", 0)), not_run)


def run(command: str) -> tuple[int, str]:
    """Run a command in the working directory; return the exit code and the output.

    `blpo` runs in this process. `make`, and commands that pipe into `blpo`, run in processes of their own. `> FILE`
    writes stdout to a file.
    """
    source, pipe, target = command.partition(" | blpo ")
    if pipe:
        return _blpo(shlex.split(target, comments=True), subprocess.check_output(["sh", "-c", source], timeout=60))
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent.parent, timeout=120)
        return done.returncode, done.stdout + done.stderr
    return _blpo(words[1:], b"")


def run_python(example: Step, names: dict[str, Any]) -> None:
    """Run a Python example; `names` holds the names of earlier examples and receives the new names."""
    code = compile(example.text, example.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        pending = eval(code, names)
        if inspect.iscoroutine(pending):
            asyncio.run(pending)


def _blpo(words: Sequence[str], stdin: bytes) -> tuple[int, str]:
    arguments, files = _redirected(words)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), _stdin(stdin):
        code = main(_small(arguments))
    if ">" in files:
        Path(files[">"]).write_text(out.getvalue(), encoding="utf-8")
    return code, out.getvalue() + err.getvalue()


@contextmanager
def _stdin(content: bytes) -> Iterator[None]:
    terminal, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(content))
    try:
        yield
    finally:
        sys.stdin = terminal


def _redirected(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    arguments, files = list(words), {}
    assert not {"|", "&&", ";", "<"} & set(words), "write one command a line"
    if ">" in arguments:
        place = arguments.index(">")
        files[">"] = arguments[place + 1]
        del arguments[place : place + 2]
    return arguments, files


def _small(arguments: list[str]) -> list[str]:
    if arguments[:1] != ["optimize"]:
        return arguments
    return ["optimize", *(part for setting in SMALL for part in ("--set", setting)), *arguments[1:]]
