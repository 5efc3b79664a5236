"""The preset `mt-rl`: prepared folders as one dataset, the published tables beside ours, and transfer to pairs."""

import json
from pathlib import Path
from typing import Any

import pytest

from blpo.cli.main import main
from blpo.data.public import Options, prepare
from evals.cell_results import read_cell
from evals.cells import cells_of
from evals.config import load_eval_settings
from evals.published import MJ_BENCH, MJ_BENCH_SETS, MT_RL, MT_RL_TASKS
from evals.table import table_rows
from evals.table_mt_rl import mt_rl_tables
from state.errors import ConfigError
from tests import public_sources
from tests.small_set import ROOT

pytestmark = pytest.mark.slow

SMALL = [
    "mt_rl.tasks=[SeeTRUE, UnsafeBench]",
    "mt_rl.transfer=[alignment]",
    "mt_rl.limit=20",
    "seeds=[0]",
    "budget.calls=300",
    "search={outer_rounds: 1, inner_steps: 1, error_batch: 4}",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare two of the tasks and one set of pairs."""
    place = tmp_path_factory.mktemp("mt-rl")
    fewer = Options(sample="mt-rl-judge", take_fewer=True)
    public_sources.seetrue(place / "seetrue", texts=12, each=5)
    public_sources.unsafebench(place / "unsafebench")
    public_sources.mjbench(place / "mjbench", 24)
    for name in ("seetrue", "unsafebench"):
        prepare(name, place / name, place / "datasets" / f"{name}-yes-no", fewer)
    pairs = Options(sample="all", subsets=("alignment",))
    prepare("mjbench", place / "mjbench", place / "datasets" / "mjbench-alignment", pairs)
    return place


@pytest.fixture(scope="module")
def finished(place: Path) -> Path:
    """Run the experiment of the prepared folders, and return its folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        changes = [part for change in SMALL for part in ("--set", change)]
        assert main(["evals", "--preset", "mt-rl", "--offline", "--out", "out", "-q", *changes]) == 0
    return place / "out"


def content(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "table.json").read_text())
    return loaded


def test_both_tasks_are_one_run_with_macro_f1(finished: Path) -> None:
    table = content(finished)
    assert [(row["method"], row["dataset"]) for row in table["rows"]] == [("none", "mt-rl"), ("blpo", "mt-rl")]
    for row in table["rows"]:
        assert [(task["task"], task["metric"]) for task in row["by_task"]] == [
            ("SeeTRUE", "macro_f1"),
            ("UnsafeBench", "macro_f1"),
        ]


def test_published_numbers_stand_below_ours_in_the_order_of_the_tasks(finished: Path) -> None:
    page = (finished / "table.md").read_text()
    assert "| published: MT-RL-Judge | 81.63 | 81.37 | 81.58 | 83.67 | 64.97 | 85.22 |  |  |" in page
    assert "| published: MT-RL-Judge | 60.59 | 82.23 |" in page
    assert "spread not known; not measured here" in page
    blpo = content(finished)["rows"][1]
    ours = next(line for line in page.splitlines() if line.startswith("| BLPO prompt, embedded |"))
    seetrue, unsafe = (f"{100 * task['mean']:.2f}" for task in blpo["by_task"])
    assert ours == f"| BLPO prompt, embedded |  |  |  | {seetrue} |  | {unsafe} | 0.00 | 0.00 |"
    assert "wait for a trained judge" in page and "AGIN-Nat, AGIN-Tech, AGIN-Rat, ImageReward." in page


def test_the_selected_prompt_judges_the_pairs(finished: Path) -> None:
    rows = {row["method"]: row for row in content(finished)["transfer"]}
    assert set(rows) == {"none", "blpo"}
    assert all(row["seeds"] == 1 and 0 <= row["mean"] <= 1 and row["pairs"] >= 20 for row in rows.values())
    run = finished / "transfer" / "mjbench-alignment_blpo_mt-rl_embedded_seed0"
    judged = json.loads((run / "result.json").read_text())["rounds"][0]["judge_prompt"]
    result = json.loads((finished / "cells" / "blpo_mt-rl_embedded_seed0" / "result.json").read_text())
    assert judged == result["rounds"][result["best_round"]]["judge_prompt"]


def test_missing_folders_are_named_with_their_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as raised:
        load_eval_settings(preset="mt-rl")
    lines = str(raised.value).splitlines()
    assert len(lines) == 6
    folder = tmp_path / "datasets" / "agin-nat-yes-no"
    assert lines[0] == (
        f"{folder}/config.yaml: is missing; make the folder with: blpo data prepare agin --source DOWNLOADS/agin"
        f" --out {folder} --criterion naturalness --sample mt-rl-judge"
    )


def test_offline_without_folders_takes_two_datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evals = load_eval_settings(preset="mt-rl", offline=True, overrides=["mt_rl.limit=60"])
    (dataset,) = evals.datasets
    assert len(dataset.tasks) == 2 and dataset.tasks[0].name == "sample"
    assert all(task.metric == "macro_f1" and len(task.task.labels) == 2 for task in dataset.tasks)
    assert evals.mt_rl.transfer == ()
    page = mt_rl_tables(evals.mt_rl, [], [])
    assert "wait for a trained judge" in page and "MJ-Bench that wait" in page
    assert "| published: MT-RL-Judge | 60.59 | 82.23 |" in page


def test_a_trained_judge_has_its_own_rows_with_dollars(finished: Path) -> None:
    place = str(finished.parent / "datasets")
    evals = load_eval_settings(preset="mt-rl", offline=True, overrides=[*SMALL, f"mt_rl.folder={place}"])
    cells = cells_of(evals, finished)
    rows = table_rows(cells, [read_cell(cell) for cell in cells])
    page = mt_rl_tables(evals.mt_rl.model_copy(update={"trained": {"embedded": 310.5}}), rows, [])
    names = [line.split("|")[1].strip() for line in page.splitlines() if ", embedded |" in line]
    assert names == ["trained, embedded", "trained + BLPO, embedded"]
    assert page.count("| 310.50 |") == 2 and "wait for a trained judge" not in page
    with pytest.raises(ConfigError, match="other is none of judges"):
        load_eval_settings(
            preset="mt-rl", offline=True, overrides=[*SMALL, f"mt_rl.folder={place}", "mt_rl.trained={other: 1}"]
        )


def test_a_folder_without_yes_no_labels_is_refused(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "datasets" / "seetrue-yes-no"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text("task: {min: 1, max: 5}\ndata: {path: labels.csv}\n")
    (tmp_path / "datasets" / "unsafebench-yes-no").symlink_to(place / "datasets" / "unsafebench-yes-no")
    with pytest.raises(ConfigError, match="has no yes/no labels; make the folder with: blpo data prepare seetrue"):
        overrides = ["mt_rl.tasks=[SeeTRUE, UnsafeBench]", f"mt_rl.folder={tmp_path / 'datasets'}"]
        load_eval_settings(preset="mt-rl", offline=True, overrides=overrides)


def test_the_example_loads_beside_prepared_folders(place: Path) -> None:
    overrides = [*SMALL[:2], f"mt_rl.folder={place / 'datasets'}"]
    evals = load_eval_settings(ROOT / "examples" / "evals" / "mt-rl.yaml", overrides=overrides)
    assert [task.name for task in evals.datasets[0].tasks] == ["SeeTRUE", "UnsafeBench"]
    assert {task.data.limit for task in evals.datasets[0].tasks} == {300}


def test_every_published_row_has_a_number_for_each_task() -> None:
    assert {len(numbers) for numbers in MT_RL.values()} == {len(MT_RL_TASKS)}
    assert {len(numbers) for numbers in MJ_BENCH.values()} == {len(MJ_BENCH_SETS)}
