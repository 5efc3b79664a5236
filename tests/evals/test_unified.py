"""One run for all tasks against a run a task: the preset `unified`, with embedded models."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from blpo.cli.main import main
from blpo.data.run_dataset import dataset_of
from evals.cell_results import read_answers
from evals.cells import cells_of
from evals.config import load_eval_settings
from evals.outcomes import joined
from state.errors import ConfigError
from tests.small_set import draw_dataset, edit_labels

pytestmark = pytest.mark.slow

SEARCH = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4}
RUNS = ("separate-runs_noise_embedded_1-noise_seed0", "separate-runs_noise_embedded_2-turned_seed0")


def turned(rows: list[dict[str, str]]) -> None:
    """Add a second criterion, with the labels in reverse."""
    for row in rows:
        row |= {"noise": row["label"], "turned": str(6 - int(row["label"]))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a small dataset with two criteria, and the configuration of an experiment."""
    folder = draw_dataset(tmp_path_factory.mktemp("unified"), 24)
    edit_labels(folder, turned)
    dataset = {
        "name": "noise",
        "task": {"min": 1, "max": 5},
        "data": {"path": "labels.csv"},
        "criteria": [{"name": "noise"}, {"name": "turned", "metric": "macro_f1"}],
    }
    config = {"preset": "unified", "datasets": [dataset], "judges": [{"name": "embedded"}]}
    more = {"seeds": [0], "parallel": 1, "budget": {"calls": 400}, "search": SEARCH}
    (folder / "evals.yaml").write_text(yaml.safe_dump({**config, **more}))
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    """Run the experiment, and return its folder."""
    out = folder / "out"
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(out), "-q"]) == 0
    return out


def content(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "table.json").read_text())
    return loaded


def test_the_runs_of_single_tasks_share_the_budget_and_are_one_row(finished: Path) -> None:
    table = content(finished)
    assert [row["method"] for row in table["rows"]] == ["none", "separate_runs", "blpo"]
    own = [cell for cell in table["cells"] if cell["method"] == "separate_runs"]
    assert [(cell["name"], cell["task"]) for cell in own] == list(zip(RUNS, ("noise", "turned"), strict=True))
    row = table["rows"][1]
    assert row["calls"] == sum(cell["calls"] for cell in own) <= 400
    assert row["mean"] == pytest.approx(sum(cell["value"] for cell in own) / 2)
    assert row["seeds"] == row["asked"] == 1


def test_every_method_has_each_task_with_its_own_metric_above_chance(finished: Path) -> None:
    for row in content(finished)["rows"]:
        metrics = [(task["task"], task["metric"]) for task in row["by_task"]]
        assert metrics == [("noise", "quadratic_kappa"), ("turned", "macro_f1")]
        assert row["mean"] == pytest.approx(sum(task["above_chance"] for task in row["by_task"]) / 2)
        assert row["samples"] == sum(task["samples"] for task in row["by_task"])
    page = (finished / "table.md").read_text()
    assert "| turned | macro-F1 | BLPO, a run a task |" in page and "share one budget in equal parts" in page
    with (finished / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[2]["noise.mean"]) == content(finished)["rows"][2]["by_task"][0]["mean"]


def test_one_request_for_all_criteria_costs_half_the_judge_calls_of_two_runs(finished: Path) -> None:
    """Under p_0 every image is judged once for both criteria."""
    none = content(finished)["rows"][0]
    assert none["judge_calls"] == none["calls"] == 24


def test_the_tests_are_paired_by_sample_of_each_task(folder: Path, finished: Path) -> None:
    cells = {cell.name: cell for cell in cells_of(load_eval_settings(folder / "evals.yaml"), finished)}
    whole = cells["blpo_noise_embedded_seed0"]
    samples = dataset_of(whole.settings).splits["test"]
    answered = [name for run in RUNS for name in read_answers(cells[run])]
    assert sorted(answered) == sorted(read_answers(whole)) == sorted(sample.id for sample in samples)
    none, own, blpo = content(finished)["rows"]
    assert blpo["test"] is None and all(task["test"] is None for task in blpo["by_task"])
    for row in (none, own):
        assert row["test"]["difference"] == pytest.approx(blpo["mean"] - row["mean"])
        for task, best in zip(row["by_task"], blpo["by_task"], strict=True):
            assert task["test"]["difference"] == pytest.approx(best["mean"] - task["mean"])
            assert task["test"]["p_holm"] >= task["test"]["p_value"]


def test_a_run_is_in_the_row_only_with_the_runs_of_all_tasks(folder: Path, finished: Path) -> None:
    from evals.cell_results import read_cell

    first, second = (
        read_cell(cell)
        for cell in cells_of(load_eval_settings(folder / "evals.yaml"), finished)
        if cell.method == "separate_runs"
    )
    failed = read_cell(cells_of(load_eval_settings(folder / "evals.yaml"), folder / "empty")[1], "no quota")
    assert joined([first, second]).is_done and not joined([failed, second]).is_done
    assert joined([failed, second]).reason == "noise: no quota"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"methods": ["opro"]}, "method opro: learns a single task"),
        ({"datasets": [{"name": "sample"}]}, "method separate_runs: needs a dataset with several tasks or criteria"),
        ({"datasets": [{"name": "noise", "config": "config.yaml", "criteria": [{"name": "noise"}]}]}, "not both"),
    ],
)
def test_what_does_not_fit_several_tasks_is_refused(change: dict[str, Any], words: str, folder: Path) -> None:
    config = yaml.safe_load((folder / "evals.yaml").read_text()) | change
    (folder / "other.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ConfigError, match=words):
        cells_of(load_eval_settings(folder / "other.yaml"), folder / "none")


def test_the_preset_offline_has_two_tasks_of_the_sample() -> None:
    evals = load_eval_settings(preset="unified", offline=True, overrides=["seeds=[0]"])
    names = [cell.name for cell in cells_of(evals, Path("out")) if cell.dataset == "sample"]
    assert names[:2] == ["none_sample_embedded_seed0", "separate-runs_sample_embedded_1-rating_seed0"]
