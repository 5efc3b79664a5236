"""The preset `mt-rl`: prepared folders as one dataset, the published tables beside ours, and transfer to pairs."""

import csv
import json
from base64 import b64decode
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import BaseMessage
from PIL import Image

from blpo.cli.main import main
from blpo.data.public import Options, prepare
from evals.cells import cells_of
from evals.config import load_eval_settings
from evals.judge_comparisons import JudgeComparison, corrected_comparisons
from evals.paired_tests import PairedTest
from evals.published import MJ_BENCH, MJ_BENCH_SETS, MT_RL, MT_RL_TASKS
from evals.table_mt_rl import mt_rl_tables
from state.errors import ConfigError
from tests import public_sources
from tests.scripted import scripted
from tests.small_set import ROOT

pytestmark = pytest.mark.slow

OPTIMIZER = {"name": "embedded:optimizer"}
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


def noise_judge(messages: Sequence[BaseMessage]) -> str:
    """Answer as a judge that was trained on the drawn sets: images that match and unsafe images are noisy."""
    parts = [part for message in messages for part in message.content if isinstance(part, dict)]
    images = [part["image_url"]["url"].partition(",")[2] for part in parts if part["type"] == "image_url"]
    if len(images) == 2:
        return json.dumps({"reason": "", "label": "first"})
    noise = np.asarray(Image.open(BytesIO(b64decode(images[0]))).convert("L"), np.float64).std()
    is_safety = any('"UnsafeBench"' in part.get("text", "") for part in parts)
    labels = ("unsafe", "safe") if is_safety else ("match", "mismatch")
    return json.dumps({"reason": "", "label": labels[0] if noise > 20 else labels[1]})


@pytest.fixture(scope="module")
def finished(place: Path) -> Path:
    """Run the experiment of the prepared folders, with a judge that knows them, and return its folder."""
    judge = {"name": scripted("noise", noise_judge), "price": {"input": 1000, "output": 1000}}
    models = {"judge": judge, "verbalizer": {"name": "embedded:verbalizer"}, "optimizer": OPTIMIZER}
    judges = [{"name": "embedded"}, {"name": "grpo", "models": models}]
    changes = [*SMALL, f"judges={json.dumps(judges)}", "mt_rl.trained={grpo: 310.5}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        options = [part for change in changes for part in ("--set", change)]
        assert main(["evals", "--preset", "mt-rl", "--offline", "--out", "out", "-q", *options]) == 0
    return place / "out"


def content(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "table.json").read_text())
    return loaded


def test_both_tasks_are_one_run_with_macro_f1(finished: Path) -> None:
    rows = content(finished)["rows"]
    assert [(row["method"], row["dataset"], row["judge"]) for row in rows] == [
        ("none", "mt-rl", "embedded"),
        ("blpo", "mt-rl", "embedded"),
        ("none", "mt-rl", "grpo"),
        ("blpo", "mt-rl", "grpo"),
    ]
    for row in rows:
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
    trained = next(line for line in page.splitlines() if line.startswith("| trained, grpo |"))
    assert trained == "| trained, grpo |  |  |  | 100.00 |  | 100.00 | 0.60 | 310.50 |"  # 40 calls of 15 tokens
    assert "wait for a trained judge" not in page and "AGIN-Nat, AGIN-Tech, AGIN-Rat, ImageReward." in page


def test_prompted_and_trained_judges_are_compared_pair_by_pair(finished: Path) -> None:
    rows = {(row["method"], row["judge"]): row for row in content(finished)["rows"]}
    compared = {place: [(each["method"], each["judge"]) for each in row["against"]] for place, row in rows.items()}
    off, prompt, trained, both = ((method, judge) for judge in ("embedded", "grpo") for method in ("none", "blpo"))
    assert compared == {off: [], prompt: [off], trained: [off, prompt], both: [off, trained]}
    for row in rows.values():
        for other in row["against"]:
            against = rows[other["method"], other["judge"]]
            test = other["test"]
            assert test["difference"] == pytest.approx(row["mean"] - against["mean"])
            assert test["interval"][0] <= test["difference"] <= test["interval"][1]
            assert (test["seeds"], test["samples"], test["left_out"]) == (1, row["samples"], 0)
            for task, own, its in zip(other["by_task"], row["by_task"], against["by_task"], strict=True):
                assert task == own["task"] == its["task"]
                assert other["by_task"][task]["difference"] == pytest.approx(own["mean"] - its["mean"])


def test_the_comparisons_stand_on_the_page_and_in_the_rows(finished: Path) -> None:
    trained = content(finished)["rows"][2]
    prompt = trained["against"][1]["test"]
    page = (finished / "table.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("| trained, grpo | BLPO prompt, embedded |")]
    assert len(lines) == 1 and lines[0].endswith("| 0.60 + 310.50 | 0.00 + 0.00 |")
    assert f"| {prompt['difference']:+.3f} | {prompt['interval'][0]:+.3f} to {prompt['interval'][1]:+.3f} |" in lines[0]
    assert page.count("| UnsafeBench | trained + BLPO, grpo |") == 2
    with (finished / "table.csv").open(newline="", encoding="utf-8") as file:
        row = list(csv.DictReader(file))[2]
    assert float(row["against blpo embedded.difference"]) == prompt["difference"]
    assert float(row["against none embedded, UnsafeBench.p_holm"]) > 0


def test_the_p_values_are_corrected_over_all_comparisons() -> None:
    def test_of(p: float) -> PairedTest:
        return PairedTest(0.1, (0.0, 0.2), p, p, seeds=3, samples=20, groups=20, left_out=0)

    def comparison(p: float) -> JudgeComparison:
        return JudgeComparison("none", "qwen", test_of(p), {"a": test_of(p), "b": test_of(1.0)})

    rows = corrected_comparisons([(), (comparison(0.01),), (comparison(0.02), comparison(0.5))])
    assert [[each.test.p_holm for each in row] for row in rows] == [[], [0.03], [0.04, 0.5]]
    assert [each.by_task["a"].p_holm for row in rows for each in row] == [0.06, 0.1, 1.0]


def test_the_selected_prompt_judges_the_pairs(finished: Path) -> None:
    rows = {row["method"]: row for row in content(finished)["transfer"] if row["judge"] == "embedded"}
    assert set(rows) == {"none", "blpo"}
    assert all(row["seeds"] == 1 and 0 <= row["mean"] <= 1 and row["pairs"] >= 20 for row in rows.values())
    run = finished / "transfer" / "mjbench-alignment_blpo_mt-rl_embedded_seed0"
    prompt = json.loads((run / "result.json").read_text())["rounds"][0]["judge_prompt"]
    result = json.loads((finished / "cells" / "blpo_mt-rl_embedded_seed0" / "result.json").read_text())
    assert prompt == result["rounds"][result["best_round"]]["judge_prompt"]


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


def test_a_trained_judge_is_one_of_the_judges_and_has_seen_no_test(place: Path, tmp_path: Path) -> None:
    changes = [*SMALL, f"mt_rl.folder={place / 'datasets'}", "seeds=[0, 1]", "splits=redraw"]
    with pytest.raises(ConfigError, match="other is none of judges"):
        load_eval_settings(preset="mt-rl", offline=True, overrides=[*changes, "mt_rl.trained={other: 1}"])
    changes += ["mt_rl.trained={embedded: 1}"]
    with pytest.raises(ConfigError, match="every seed draws its own splits of mt-rl, so a trained judge saw test"):
        cells_of(load_eval_settings(preset="mt-rl", offline=True, overrides=changes), tmp_path)
    assert cells_of(load_eval_settings(preset="mt-rl", offline=True, overrides=[*changes, "splits=fixed"]), tmp_path)


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
