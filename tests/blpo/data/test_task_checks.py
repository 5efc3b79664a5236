"""The check of a dataset before a run with several criteria."""

import json
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.data.dataset_check import check_dataset
from blpo.runs.preflight import unusable
from tests.criteria_set import criteria_config, draw_criteria
from tests.pair_set import draw_pairs
from tests.small_set import edit_labels


def test_check_reads_every_criterion(tmp_path: Path) -> None:
    settings = load_settings(criteria_config(draw_criteria(tmp_path / "set"), tmp_path / "run"))
    assert check_dataset(settings) == []

    edit_labels(tmp_path / "set", lambda rows: rows[2].update(light="middling"))
    (problem,) = check_dataset(settings)
    assert problem.startswith("light: ") and "middling" in problem and ":4:" in problem


def test_check_counts_each_task_and_says_shared_lines_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = criteria_config(draw_criteria(tmp_path / "set"), tmp_path / "run")
    del config["run"]
    (tmp_path / "config.yaml").write_text(json.dumps({**config, "limits": {"calls": 30}}))
    assert main(["check", str(tmp_path / "config.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "quality: 40 samples, train 16, validation 12, test 12" in lines
    assert any(line.startswith("light: label light: train ") for line in lines)
    assert "judge calls: 28 for each prompt on train and validation, at most 24 for the test" in lines
    assert "warning: limits.calls (30) leaves 6 calls beside the test; judging one prompt needs 28" in lines
    assert sum("so few test samples (12)" in line for line in lines) == 1


def test_a_model_of_one_image_a_request_is_refused_for_a_task_of_pairs(tmp_path: Path) -> None:
    folder = draw_pairs(tmp_path / "pairs", 12)
    data = {"path": str(folder / "labels.csv"), "image": ["image_a", "image_b"]}
    pairs = {"name": "better", "task": {"kind": "pairwise"}, "data": data}
    served = {"name": "vllm:one", "base_url": "http://localhost:1/v1"}
    models = {"judge": {**served, "max_images": 1}, "optimizer": served}
    settings = load_settings({"tasks": [{"name": "rating"}, pairs], "models": models})
    assert any("takes 1 image a request" in str(error) for error in unusable(settings))
