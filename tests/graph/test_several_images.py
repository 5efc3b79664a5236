"""A whole run on clips: lists of frames with one label, and its judge at work on new clips."""

import json
from pathlib import Path

import pytest

import blpo
from blpo.metrics.agreement import value
from blpo.runs.judge_file import read_judge_file
from blpo.runs.run_record import RunRecord
from tests.clip_set import draw_clips


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_clips(tmp_path_factory.mktemp("clips") / "set")


@pytest.fixture(scope="module")
def run(clips: Path) -> Path:
    import asyncio

    directory = clips.parent / "run"
    asyncio.run(blpo.optimize(clips / "config.yaml", overrides=[f"run.dir={directory}"]))
    return directory


def test_a_search_learns_from_all_frames(run: Path) -> None:
    record = RunRecord.read(run)
    rounds = record.result["rounds"]
    first, last = (value(each["validation"], "quadratic_kappa") for each in (rounds[0], rounds[-1]))
    assert last > first + 0.2
    judge = read_judge_file(run)
    assert (judge.images, judge.image_names) == (4, ())
    assert "image_names: []" in (run / "judge.yaml").read_text()
    assert json.loads((run / "verdicts" / "best.jsonl").read_text().splitlines()[0])["verdict"] in range(1, 6)
