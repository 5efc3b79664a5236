"""Views of a running experiment: aligned, in words, and cut at the width of the terminal."""

import io
from typing import Any

import pytest
from rich.cells import cell_len

from blpo.cli.evals_view import EvalsFrames, EvalsLines
from blpo.cli.views import STOPPING
from evals.cell_results import CellResult

DONE = CellResult(
    "none_sample_embedded_seed0", "none", "sample", "embedded", 0, "", "done",
    metric="macro_f1", value=0.25, initial=0.25, calls=60, seconds=27.0,
)  # fmt: skip
OPEN = CellResult("opro_sample_embedded_seed0", "opro", "sample", "embedded", 0, "", "open")
FAILED = CellResult("blpo_x_embedded_seed0", "blpo", "x", "embedded", 0, "", "failed", reason="no\nserver \x1b[31m")
BEGUN: list[dict[str, Any]] = [
    {"event": "experiment", "out": "/somewhere/out", "cells": 5, "done": 1},
    *({"event": "cell_began", "cell": cell.name} for cell in (DONE, OPEN, FAILED)),
    {"event": "cell", "cell": OPEN.name, "of": {"event": "started", "run": "r", "outer_rounds": 30, "inner_steps": 5,
                                                 "metric": "macro_f1"}},
    {"event": "cell", "cell": OPEN.name, "of": {"event": "judged", "round": 0, "metric": "macro_f1",
                                                 "validation": 0.24}},
    {"event": "cell", "cell": OPEN.name, "of": {"event": "phase", "round": 0, "phase": "propose", "usage": {}}},
    {"event": "cell_ended", "cell": DONE.name, "result": DONE},
    {"event": "cell_ended", "cell": FAILED.name, "result": FAILED},
]  # fmt: skip


@pytest.mark.parametrize("width", [100, 40])
def test_the_live_view_says_where_each_cell_is(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    view = EvalsFrames(io.StringIO())
    for event in BEGUN:
        view.event(event)
    view.notify(STOPPING)
    console = view._live.console
    with console.capture() as capture:
        console.print(view._frame())
    lines = [line.rstrip() for line in _plain(capture.get()).splitlines()]
    assert all(cell_len(line) <= width for line in lines)
    assert lines[0].startswith("2 of 5 cells · 1 failed · 0:00 · about")
    if width == 100:
        assert "none_sample_embedded_seed0  macro-F1 0.250 (initial 0.250), 60 calls, 0:27" in lines
        assert any(line.startswith("blpo_x_embedded_seed0       failed: no server") for line in lines)
        assert "opro_sample_embedded_seed0  round 0 of 30 · proposing a prompt · macro-F1 0.240" in lines
        assert lines[-1] == STOPPING


def test_a_cell_that_was_stopped_is_neither_failed_nor_counted() -> None:
    stream = io.StringIO()
    view = EvalsLines(stream)
    for event in (*BEGUN[:4], {"event": "cell_ended", "cell": OPEN.name, "result": OPEN}):
        view.event(event)
    assert (
        stream.getvalue()
        .splitlines()[-1]
        .endswith("1 of 5: opro_sample_embedded_seed0: stopped; the same command goes on")
    )
    assert view.time_left == ""


def _plain(text: str) -> str:
    from rich.text import Text

    return Text.from_ansi(text).plain
