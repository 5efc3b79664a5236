"""Warnings about the dataset at the start of a run."""

import json
from pathlib import Path

import pytest

from blpo.cli.main import main
from tests.blpo.data.dataset_folders import rows, write

SHORT = ["search.outer_rounds=1", "search.inner_steps=0", "search.error_batch=2", "search.anchors=0"]


def optimize(folder: Path, *settings: str) -> int:
    arguments = [part for setting in (f"data.path={folder}", *settings, *SHORT) for part in ("--set", setting)]
    return main(["optimize", *arguments, "--run-dir", str(folder.parent / "run")])


def events(folder: Path) -> list[dict[str, str]]:
    lines = (folder.parent / "run" / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == "warning"]


def test_odd_labels_and_files_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = [{**row, "label": ("good", "bad")[i % 2]} for i, row in enumerate(rows())]
    table[0]["label"] = "Good "
    table[2]["label"] = ""
    folder = write(tmp_path / "set", table, images=13)
    (folder / "images" / "drawing.svg").write_text("<svg/>")
    labels = ["task.kind=categorical", "task.labels=[bad, good]", "data.unlabelled=skip"]
    assert optimize(folder, *labels) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert "warning: 1 row without a label is left out (labels.csv:4)" in err
    assert "warning: labels that look alike are read as one label: Good as good in 1 row" in err
    assert "warning: 1 file is left out (images/drawing.svg)" in err
    assert "warning: and 1 more about the dataset; blpo check lists all" in err
    assert len(events(folder)) == 4
    assert main(["resume", str(tmp_path / "run")]) == 0
    assert len(events(folder)) == 4  # a resumed run has told them


def test_a_clean_dataset_has_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "set", rows(18), images=18)
    assert optimize(folder, "task.max=3") == 0
    assert "warning" not in capsys.readouterr().err
    assert not events(folder)
