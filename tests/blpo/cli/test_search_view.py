"""Views of a running search: folded from events, drawn for any width, and never the end of a run."""

import contextlib
import io
import os
import pty
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from blpo.cli.search_frame import search_frame, sparkline
from blpo.cli.search_view import SearchFrames, SearchLines, SearchView, view_on
from blpo.cli.views import STOPPING
from blpo.runs.run_progress import Progress, advance, past_progress
from blpo.runs.wording import count, duration, plain, probability, single_line
from state.events import Event, Spending, StartedEvent
from state.loops import Trial
from state.role_usage import RoleUsage

USAGE: dict[str, RoleUsage] = {
    role: {"issued": 123_456, "cached": 99_999, "failed": 3, "input_tokens": 10**9, "output_tokens": 5, "usd": 12.5}
    for role in ("judge", "verbalizer", "optimizer")
}
SPENT: Spending = {"calls": 3 * 123_456, "tokens": 3 * (10**9 + 5), "usd": 37.5}
NO_PROMPTS: Trial = {"i2t_prompt": None, "judge_prompt": None, "score": None, "failure": None}
STARTED: StartedEvent = {
    "event": "started",
    "run": "/somewhere/runs/20251121-114355-123456-sample",
    "metric": "macro_f1",
    "outer_rounds": 5,
    "inner_steps": 2,
}
ROUND: list[Event] = [
    {"event": "phase", "round": 0, "phase": "judge", "usage": USAGE},
    {"event": "progress", "round": 0, "done": 84, "total": 168, "spent": SPENT},
    {"event": "judged", "round": 0, "metric": "macro_f1", "validation": 0.25},
    {"event": "errors", "round": 0, "wrong": 61, "drawn": 10, "anchors": 9},
    {"event": "phase", "round": 0, "step": 0, "phase": "verbalize", "usage": USAGE},
    {"event": "phase", "round": 0, "phase": "critique_judge", "usage": USAGE},
    {"event": "phase", "round": 0, "step": 0, "phase": "judge", "usage": USAGE},
    {**NO_PROMPTS, "event": "trial", "round": 0, "step": 0, "score": 0.3},
    {**NO_PROMPTS, "event": "trial", "round": 0, "step": 1, "failure": "no\n<judge_prompt>"},
    {"event": "phase", "round": 1, "phase": "judge", "usage": USAGE},
    {"event": "judged", "round": 1, "metric": "macro_f1", "validation": 0.5},
]


def folded(events: list[Event]) -> Progress:
    progress = Progress()
    for event in events:
        progress = advance(progress, event)
    return progress


def drawn(progress: Progress, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(search_frame(progress, "1:02", STOPPING))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue().splitlines()


def everything_from(terminal: int) -> str:
    chunks = []
    with contextlib.suppress(OSError):  # EIO: the reader has closed the terminal
        while chunk := os.read(terminal, 4096):
            chunks.append(chunk)
    os.close(terminal)
    return b"".join(chunks).decode()


def test_follows_rounds_steps_and_items() -> None:
    progress = folded([STARTED, *ROUND[:2]])
    assert (progress.round, progress.step, progress.phase) == (0, None, "judge")
    assert (progress.done, progress.total) == (84, 168)
    progress = folded([STARTED, *ROUND[:9]])
    assert (progress.step, progress.done, progress.total) == (0, 0, 0)
    assert progress.scores == {0: 0.3, 1: None}
    progress = folded([STARTED, *ROUND])
    assert (progress.round, progress.step, progress.scores) == (1, None, {})
    assert progress.validation == {0: 0.25, 1: 0.5}


@given(st.integers(0, len(ROUND)))
def test_repeating_the_events_before_a_kill_changes_nothing(killed_after: int) -> None:
    assert folded([STARTED, *ROUND[:killed_after], STARTED, *ROUND]) == folded([STARTED, *ROUND])


@given(st.integers(20, 200), st.integers(0, len(ROUND)))
def test_no_line_is_wider_than_the_terminal(width: int, length: int) -> None:
    lines = drawn(folded([STARTED, *ROUND[:length]]), width)
    assert len(lines) <= 14
    assert all(len(line) <= width for line in lines)


def test_forty_columns_show_all_numbers() -> None:
    text = "\n".join(drawn(folded([STARTED, *ROUND[:9]]), 40))
    assert not re.search(r"[\d.]…", text.partition("/somewhere")[0])
    for part in (
        "round 0 of 5 · trial 0 of 2 · 1:02",
        "judging by the trial's prompt",
        "0.250",
        "+0.30 fail",
        "123k",
        "12.50",
    ):
        assert part in text


def test_sparkline() -> None:
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([0.3, 0.3]) == "▁▁"


def test_lines_elsewhere_than_in_a_terminal() -> None:
    stream = io.StringIO()
    view = view_on(stream, quiet=False)
    assert isinstance(view, SearchLines)
    with view:
        for event in [STARTED, *ROUND]:
            view.event(event)
    lines = stream.getvalue().splitlines()
    assert [line.split("  ")[-1] for line in lines] == [
        f"run {STARTED['run']}",
        "round 0: macro-F1 0.250 on validation",
        "round 0: 61 wrong verdicts, 10 drawn, beside 9 right ones",
        "round 0, trial 0 of 2: score +0.300",
        "round 0, trial 1 of 2: failed: no <judge_prompt>",
        "round 1: macro-F1 0.500 on validation",
    ]


def test_quiet_shows_nothing() -> None:
    stream = io.StringIO()
    view = view_on(stream, quiet=True)
    with view:
        view.event(STARTED)
        view.notify(STOPPING)
    assert type(view) is SearchView
    assert stream.getvalue() == ""
    assert view.progress.run == STARTED["run"]


def test_a_reader_that_went_away_does_not_end_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        with SearchLines(stream) as lines:
            lines.event(STARTED)
            lines.notify(STOPPING)
        with SearchFrames(stream) as live:
            live.event(STARTED)
            live.notify(STOPPING)
        assert live.progress.run == STARTED["run"]
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)  # so that `close` can flush


def test_a_terminal_gets_a_live_view_and_its_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    main, side = pty.openpty()
    with os.fdopen(side, "w") as stream:
        view = view_on(stream, quiet=False)
        with view:
            for event in [STARTED, *ROUND]:
                view.event(event)
            view.notify(STOPPING)
        assert isinstance(view, SearchFrames)
    output = everything_from(main)
    assert output.index("\x1b[?25l") < output.index("\x1b[?25h")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output)
    assert "round 1 of 5" in text
    assert STOPPING[:40] in text
    last = text[text.rindex("round 1 of 5") :]
    assert "calls" not in last  # the summary that follows has the calls


def test_the_last_frame_of_a_failed_run_keeps_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    main, side = pty.openpty()
    with os.fdopen(side, "w") as stream, pytest.raises(ValueError), SearchFrames(stream) as view:
        for event in [STARTED, *ROUND]:
            view.event(event)
        raise ValueError
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", everything_from(main))
    assert "calls" in text[text.rindex("round 1 of 5") :]


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    main, side = pty.openpty()
    with os.fdopen(side, "w") as stream:
        assert isinstance(view_on(stream, quiet=False), SearchLines)
    os.close(main)


def test_a_resumed_run_shows_what_was_before(tmp_path: Path) -> None:
    events = [STARTED, *ROUND]
    lines = "".join(f"{event}\n".replace("'", '"').replace("None", "null") for event in events)
    (tmp_path / "events.jsonl").write_text(lines + '{"event": "tri')
    assert past_progress(tmp_path) == folded(events)
    assert past_progress(tmp_path / "nowhere") == Progress()


def test_foreign_text_can_not_move_the_cursor() -> None:
    assert plain("a\x1b[2Jb\u202ec\nd") == "a�[2Jb�c\nd"
    assert single_line("a\n\x07b\r\n") == "a �b"


def test_numbers_in_words() -> None:
    numbers = (0, 9999, 10_000, 99_960, 999_499, 999_500, 10**9)
    assert [count(n) for n in numbers] == ["0", "9999", "10k", "100k", "999k", "1M", "1G"]
    assert [probability(p) for p in (1.0, 0.031, 0.0004, 9.999e-5)] == [
        "p = 1",
        "p = 0.031",
        "p = 0.0004",
        "p < 0.0001",
    ]
    assert [duration(s) for s in (0.4, 61, 3723)] == ["0:00", "1:01", "1:02:03"]
