"""List of many runs: complete after some time, in time at once, and read again after a change."""

import json
import shutil
import time
from pathlib import Path

import pytest

from blpo.view.run_list import RunList
from blpo.view.site import Site
from tests.made_run import draw_images, make_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one")
    draw_images(folder, "abababab" * 5, 32)
    task: dict[str, object] = {"kind": "categorical", "labels": ["a", "b"]}
    return make_run(folder, task, ["First.", "Second."], lambda i, _: "a", lambda i, sample: sample.label)


def test_a_listing_is_in_time_and_complete_later(finished: Path, tmp_path: Path) -> None:
    for number in range(30):
        shutil.copytree(finished, tmp_path / f"run-{number:03}")
    runs = RunList(tmp_path)
    first = runs.listing(patience=0.0)
    assert first.runs == () and first.unread == 30
    while runs.listing(patience=0.0).unread:
        time.sleep(0.01)
    listing = runs.listing(patience=0.0)
    assert len(listing.runs) == 30
    run = listing.runs[0]
    assert (run.task, run.row.verdict, run.row.split) == ("a / b", "better", "test")
    assert run.difference is not None and run.row.low is not None and run.row.low < run.difference


def test_a_changed_run_is_read_again(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    runs = RunList(tmp_path)
    assert runs.listing(60).runs[0].row.status == "complete"
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    (tmp_path / "run" / "result.json").write_text(json.dumps({**result, "status": "failed", "stop_reason": "outage"}))
    assert runs.listing(60).runs[0].row.note == "outage"
    shutil.rmtree(tmp_path / "run")
    assert runs.listing(60).runs == ()


def test_the_folder_of_runs(finished: Path, tmp_path: Path) -> None:
    assert Site.of(tmp_path).home == tmp_path / "runs"
    shutil.copytree(finished, tmp_path / "mine")
    assert Site.of(tmp_path).home == tmp_path
    (tmp_path / "evals-x").mkdir()
    (tmp_path / "evals-x" / "lock").touch()
    (tmp_path / "evals-x" / "evals.yaml").touch()
    (tmp_path / "evals-x" / "table.json").write_text("{}")
    assert Site.of(tmp_path).experiments == ["evals-x"]
    assert [run.name for run in RunList(tmp_path).listing(60).runs] == ["mine"]
