"""Lines for a terminal."""

import io
import os
import pty

import pytest

from blpo.cli.terminal_lines import fitted

LINE = "warning: labels without a sample in a split: not-safe-at-all in validation; label more of these classes"


def test_a_terminal_gets_lines_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "w") as terminal:
        lines = fitted(LINE, terminal).splitlines()
        assert fitted("x" * 90, terminal) == "x" * 90
    assert len(lines) > 2 and max(map(len, lines)) <= 50
    assert " ".join(" ".join(lines).split()) == LINE


def test_a_file_gets_the_line_as_it_is() -> None:
    assert fitted(LINE, io.StringIO()) == LINE
