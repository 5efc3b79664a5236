"""Points of events.jsonl: numbered once, whatever a kill or a resume leaves in the file."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from blpo.tracking.event_points import EventPoints

TIME = "2026-01-01T00:00:00.000+00:00"
USAGE = {"judge": {"issued": 3, "cached": 0, "failed": 0, "input_tokens": 5, "output_tokens": 2, "usd": None}}


def line(**event: Any) -> str:
    return json.dumps({"time": TIME, **event}) + "\n"


def trial(round: int, step: int, score: float | None = None, failure: str | None = None) -> str:
    return line(event="trial", round=round, step=step, score=score, failure=failure)


def write(folder: Path, text: str) -> EventPoints:
    (folder / "events.jsonl").write_text(text)
    return EventPoints(folder)


def test_a_repeated_trial_keeps_its_number(tmp_path: Path) -> None:
    events = write(tmp_path, trial(0, 0, 0.5) + trial(0, 1, failure="none") + trial(0, 1, 0.25) + trial(1, 0, 0.75))
    points = [(point.name, point.step, point.value) for point in events.more()]
    assert [each for each in points if each[0] == "trial/score"] == [
        ("trial/score", 0, 0.5),
        ("trial/score", 1, 0.25),
        ("trial/score", 2, 0.75),
    ]
    assert [value for name, _, value in points if name == "trial/failed"] == [0, 1, 0, 0]


def test_spending_is_by_phase_and_has_no_dollars_without_a_price(tmp_path: Path) -> None:
    phase = line(event="phase", round=0, phase="judge", usage=USAGE)
    points = write(tmp_path, phase + line(event="tested", round=0, usage=USAGE)).more()
    assert {(point.name, point.step, point.value) for point in points} == {
        (f"spend/{name}", step, value)
        for name, value in (("calls", 3), ("tokens", 7), ("judge/calls", 3), ("judge/tokens", 7))
        for step in (0, 1)
    }


def test_damaged_lines_and_an_unfinished_line_have_no_points(tmp_path: Path) -> None:
    text = trial(0, 0, 0.5) + '{"event": "trial", "rou\n[]\n{"time": 3}\n' + trial(0, 1, 0.25)
    events = write(tmp_path, text + trial(1, 0, 0.75).rstrip("\n"))
    assert [point.value for point in events.more() if point.name == "trial/score"] == [0.5, 0.25]
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write("\n")
    assert [point.value for point in events.more() if point.name == "trial/score"] == [0.75]
    assert events.lines == 6


@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12), cut=st.integers(0, 12))
def test_reading_in_two_parts_gives_the_points_of_one(
    steps: list[tuple[int, int]], cut: int, tmp_path_factory: Any
) -> None:
    lines = [trial(t, k, 0.5) for t, k in steps]
    folder = tmp_path_factory.mktemp("events")
    whole = write(folder, "".join(lines)).more()
    first = write(folder, "".join(lines[:cut]))
    points = first.more()
    (folder / "events.jsonl").write_text("".join(lines))
    assert points + first.more() == whole
    assert points + EventPoints(folder).more(after=min(cut, len(lines))) == whole
