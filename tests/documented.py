"""Commands in Markdown pages: where they stand, what they need, and how they are run.

In a ```sh or ```bash block, a line that starts with `blpo` or `make`, or pipes into `blpo`, is a command; `\\` joins
lines. Comments say more:

    <!-- given: runs/first, photos -->   what the page finds in its folder (see `GIVEN` in tests/project/test_docs.py)
    <!-- file: config.yaml -->           the next block is the content of this file
    <!-- exit code: 2 -->                how the commands of the next block end
    <!-- not run: needs a server -->     why the commands of the next block are not run
"""

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from blpo.cli.main import main

SMALL = ["data.limit=40", "search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=4", "search.anchors=2"]
"""Settings that make a search short; what the command sets itself comes after them."""

_COMMAND = re.compile(r"^(blpo|make)\b|\| blpo\b")
_COMMENT = re.compile(r"<!-- (given|file|exit code|not run): (.+?) -->")


@dataclass(frozen=True, slots=True)
class Step:
    """A command, or a file that the page writes."""

    place: str
    """`docs/start.md:12`."""
    text: str
    file: str | None = None
    exit_code: int = 0
    not_run: str | None = None


def given(page: str) -> list[str]:
    """What a page finds in its folder."""
    found = [value for kind, value in _COMMENT.findall(page) if kind == "given"]
    return [name.strip() for value in found for name in value.split(",")]


def steps(page: str, name: str) -> Iterator[Step]:
    """All commands and files of a page, in order."""
    said: dict[str, str] = {}
    fence: str | None = None
    block: list[str] = []
    start = 0
    for number, line in enumerate(page.splitlines(), start=1):
        if fence is None:
            if (comment := _COMMENT.fullmatch(line.strip())) is not None:
                said[comment[1]] = comment[2]
            elif line.startswith("```"):
                fence, block, start = line.removeprefix("```").strip(), [], number
            elif line.strip():
                said = {}
        elif line.startswith("```"):
            yield from _block(f"{name}:{start}", fence, block, said)
            fence, said = None, {}
        else:
            block.append(line)


def _block(place: str, language: str, lines: Sequence[str], said: dict[str, str]) -> Iterator[Step]:
    if "file" in said:
        yield Step(place, "".join(line + "\n" for line in lines), file=said["file"])
    elif language in ("sh", "bash"):
        for line in "\n".join(lines).replace("\\\n", " ").splitlines():
            if _COMMAND.search(line):
                yield Step(place, line, None, int(said.get("exit code", 0)), said.get("not run"))


def run(command: str) -> tuple[int, str]:
    """Run one command in the working directory; returns its exit code and what it wrote.

    `blpo` runs in this process, `make` and what is piped into `blpo` beside it. `> FILE` is understood.
    """
    before, piped, after = command.partition(" | blpo ")
    if piped:
        return _blpo(shlex.split(after, comments=True), subprocess.check_output(["sh", "-c", before], timeout=60))
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parent.parent, timeout=120)
        return done.returncode, done.stdout + done.stderr
    return _blpo(words[1:], b"")


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
    kept, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(content))
    try:
        yield
    finally:
        sys.stdin = kept


def _redirected(words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    left, files = list(words), {}
    assert not {"|", "&&", ";", "<"} & set(words), "write one command a line"
    if ">" in left:
        place = left.index(">")
        files[">"] = left[place + 1]
        del left[place : place + 2]
    return left, files


def _small(arguments: list[str]) -> list[str]:
    if arguments[:1] != ["optimize"]:
        return arguments
    return ["optimize", *(part for setting in SMALL for part in ("--set", setting)), *arguments[1:]]
