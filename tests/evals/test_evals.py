"""`blpo evals` for its user: embedded models in worker processes, small cells, and mistakes."""

import asyncio
import csv
import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from blpo.cli.main import main
from blpo.data.run_dataset import dataset_of
from blpo.runs.start_and_resume import start_run
from evals.cells import cells_of
from evals.config import load_eval_settings
from evals.methods import METHODS
from evals.published import published
from evals.splits import spread_of
from state.errors import ConfigError
from tests.forked_blpo import ForkedBlpo
from tests.small_set import ROOT, draw_dataset, edit_labels

pytestmark = pytest.mark.slow

BUDGET = 70
EXAMPLES = ROOT / "examples" / "evals"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw a small dataset with the configuration of an experiment."""
    folder = draw_dataset(tmp_path_factory.mktemp("evals"))
    config = {
        "methods": ["none", "blpo"],
        "datasets": [{"name": "noise", "data": {"path": "labels.csv"}}],
        "judges": [{"name": "embedded"}],
        "seeds": [0, 1],
        "budget": {"calls": BUDGET},
        "parallel": 1,
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 2, "anchors": 1},
    }
    (folder / "evals.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    """Run an experiment, and return its folder."""
    out = folder / "out"
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(out), "--set", "parallel=2", "-q"]) == 0
    return out


def content(out: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((out / "table.json").read_text())
    return loaded


def numbers(out: Path) -> list[dict[str, Any]]:
    """Return the cells without times."""
    return [{name: value for name, value in cell.items() if name != "seconds"} for cell in content(out)["cells"]]


def test_the_table_holds_every_cell_and_its_cost(finished: Path) -> None:
    table = content(finished)
    assert [(row["method"], row["seeds"], row["asked"]) for row in table["rows"]] == [("none", 2, 2), ("blpo", 2, 2)]
    none, best = table["rows"]
    cells = [cell["value"] for cell in table["cells"] if cell["method"] == "blpo"]
    assert best["mean"] == pytest.approx(sum(cells) / 2)
    assert best["sd"] == pytest.approx(abs(cells[0] - cells[1]) / 2**0.5)
    assert best["test"] is None
    assert none["test"]["seeds"] == 2
    assert none["test"]["difference"] == pytest.approx(best["mean"] - none["mean"])  # all are answered
    assert none["test"]["p_value"] == none["test"]["p_holm"]
    with (finished / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["mean"]) for row in rows] == [none["mean"], best["mean"]]
    assert float(rows[0]["test.p_value"]) == none["test"]["p_value"]
    page = (finished / "table.md").read_text()
    assert f"{BUDGET} calls" in page
    assert "does not show how multimodal LLMs behave" in page
    assert f"{best['mean']:.3f}" in page
    assert f">{best['mean']:.3f}</text>" in (finished / "figure.svg").read_text()


def test_the_terminal_shows_numbers_rules_and_readings_in_80_columns(
    folder: Path, finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(finished), "-q"]) == 0
    output = capsys.readouterr().out
    table = output.partition("calls charged")[0]
    assert "(Holm)" in table
    assert max(map(len, table.splitlines())) <= 80
    none = content(finished)["rows"][0]
    numbers = [f"{each:+.2f}".replace("0.", ".", 1) for each in (none["test"]["difference"], *none["test"]["interval"])]
    assert "{} [{}, {}]".format(*numbers) in table
    assert "sd: over splits and search" in table
    assert f"BLPO: {content(finished)['rows'][1]['rule']}" in " ".join(table.split())
    assert f"{none['macro_f1']['strict']:.3f} / {none['macro_f1']['answered']:.3f}" in table


def test_a_test_without_a_round_has_verdicts(folder: Path, tmp_path: Path) -> None:
    """A run with too small a budget tests p_0 alone."""
    run = asyncio.run(start_run(folder / "config.yaml", overrides=["limits.calls=30", f"run.dir={tmp_path / 'run'}"]))
    assert run.result["rounds"] == [] and run.result["test"] is not None
    assert {row.split for row in run.best.values()} == {"test"}
    assert len(run.best) == run.result["test"]["best"]["n"]


def test_numbers_of_the_paper_stand_as_printed_or_as_a_question_mark(folder: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((folder / "evals.yaml").read_text()) | {"seeds": [0]}
    config["datasets"][0]["name"], config["judges"][0]["name"] = "unsafebench", "llama-4-scout"
    (tmp_path / "paper.yaml").write_text(yaml.safe_dump(config))
    config["datasets"][0]["data"]["path"] = str(folder / "labels.csv")
    (tmp_path / "paper.yaml").write_text(yaml.safe_dump(config))
    assert main(["evals", str(tmp_path / "paper.yaml"), "--out", str(tmp_path / "out"), "-q"]) == 0
    none, blpo = content(tmp_path / "out")["rows"]
    assert none["paper"] == {"f1": None, "accuracy": None} and blpo["paper"] == {"f1": 0.81, "accuracy": None}
    lines = (tmp_path / "out" / "table.md").read_text().splitlines()
    assert next(line for line in lines if line.startswith("| no opt")).endswith("| ? | ? |")
    assert next(line for line in lines if line.startswith("| BLPO")).endswith("| 0.81 |  |")
    assert any("as printed by Pan et al." in line and "spread not known" in line for line in lines)


def test_no_cell_is_charged_above_its_budget_nor_for_anything_but_its_requests(finished: Path) -> None:
    import sqlite3

    table = content(finished)
    charged = []
    for cell in table["cells"]:
        with sqlite3.connect(finished / "cells" / cell["name"] / "responses.sqlite") as db:
            (issued,), (distinct,) = (
                db.execute(f"SELECT count({what}) FROM calls").fetchone() for what in ("*", "DISTINCT key")
            )
        db.close()
        assert issued == distinct == cell["calls"] <= BUDGET
        charged.append(issued)
    assert table["charged"]["calls"] == sum(charged)
    assert table["spent"]["calls"] < sum(charged)  # p_0 judges for BLPO and for `none`


def test_the_same_command_again_does_nothing_and_says_the_same(
    folder: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = numbers(finished)
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(finished), "--json"]) == 0
    output = capsys.readouterr()
    assert "4 cells" in output.err and "4 of them done before" in output.err
    assert json.loads(output.out)["rows"] == content(finished)["rows"]
    assert numbers(finished) == before


def test_a_shared_store_that_answers_all_changes_no_charge(folder: Path, finished: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.sqlite").write_bytes((finished / "shared.sqlite").read_bytes())
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(tmp_path), "-q", "--set", "seeds=[0]"]) == 0
    assert numbers(tmp_path) == [cell for cell in numbers(finished) if cell["seed"] == 0]
    assert content(tmp_path)["spent"] == content(finished)["spent"]


def test_killed_stopped_and_started_again_it_ends_as_the_uninterrupted_one(
    folder: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evals", str(folder / "evals.yaml"), "--out", str(tmp_path)]

    def stopped(by: signal.Signals, cells: int) -> tuple[int, str]:
        """Start the command, and send a signal after the start of `cells` cells."""
        with ForkedBlpo(*arguments) as process:
            while process.is_running and len(list(tmp_path.glob("cells/*/run.json"))) < cells:
                time.sleep(0.02)
            process.signal(by)
            return process.wait(), process.stderr

    assert stopped(signal.SIGKILL, 2)[0] == -signal.SIGKILL
    code, errors = stopped(signal.SIGINT, 3)
    assert code == 130
    assert "go on with: " in errors
    assert "not run yet" in (tmp_path / "table.md").read_text()
    assert main(arguments) == 0
    output = capsys.readouterr()
    assert "4 of 4:" in output.err
    assert "BLPO" in output.out
    values = {cell["name"]: cell["value"] for cell in numbers(tmp_path)}
    assert values == {cell["name"]: cell["value"] for cell in numbers(finished)}
    assert all(cell["calls"] <= BUDGET for cell in numbers(tmp_path))


def test_a_cell_that_fails_is_a_row_with_its_reason(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = yaml.safe_load((folder / "evals.yaml").read_text())
    config["datasets"].append({"name": "gone", "data": {"path": "nowhere.csv"}})
    (folder / "failing.yaml").write_text(yaml.safe_dump(config))
    few = ("budget.calls=5", "seeds=[0]", "methods=[none]")
    command = ["evals", str(folder / "failing.yaml"), "--out", str(tmp_path)]
    assert main([*command, *(f"--set={each}" for each in few)]) == 1
    assert "2 of 2 cells failed" in capsys.readouterr().err
    page = (tmp_path / "table.md").read_text()
    reason = "seed 0: 5 calls can't pay for judging: 21 train and validation samples and the 9 test samples under two"
    assert page.count(reason) == 1
    assert not (tmp_path / "cells" / "none_noise_embedded_seed0").exists(), "a refused cell sends nothing"
    assert "nowhere.csv" in page
    assert [row["mean"] for row in content(tmp_path)["rows"]] == [None, None]
    (folder / "nowhere.csv").write_bytes((folder / "labels.csv").read_bytes())
    assert main([*command, "-q", *(f"--set={each}" for each in few)]) == 1
    page = (tmp_path / "table.md").read_text()
    assert page.count(reason) == 2, "a cell that failed is tried again"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("methods=[blop]", "no method is called blop"),
        ("methds=[1]", "did you mean methods?"),
        ("datasets=[{name: a, dta: {}}]", "did you mean datasets.data?"),
        ("judges=[{name: a/b}]", "judges.0.name"),
        ("seeds=[0, 0]", "seeds names one twice"),
        ("search.seed=3", "search.seed: a cell's seed is one of seeds"),
        ("sweeps.inner_step=[1]", "did you mean sweeps.inner_steps"),
        ("judges=[{name: x, models: {judge: {name: 'vllm:q'}}}]", "optimizer must be given"),
        ("datasets=[]", "datasets must be given"),
        ("budget.calls=0", "budget.calls"),
        ("search.metric=quadratic", "search.metric"),
        ("method_search={blop: {}}", "no method is called blop"),
        ("method_search={opro: {error_bach: 3}}", "did you mean error_batch?"),
        ("method_search={opro: {seed: 3}}", "a cell's seed is one of seeds"),
    ],
)
def test_a_broken_configuration_is_refused_in_words(folder: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_eval_settings(folder / "evals.yaml", overrides=[override])
    assert message in str(refused.value)


def test_other_settings_over_the_same_folder_are_refused(folder: Path, finished: Path) -> None:
    for override in ("budget.calls=71", "search.error_batch=3"):
        with pytest.raises(ConfigError, match="give another --out"):
            cells_of(load_eval_settings(folder / "evals.yaml", overrides=[override]), finished)


def test_settings_reach_every_cell(folder: Path, tmp_path: Path) -> None:
    overrides = ["search={preset: paper, max_prompt_tokens: 321, metric: accuracy}", "budget.calls=71"]
    methods = [name for name, method in METHODS.items() if method.is_default]
    cells = cells_of(load_eval_settings(folder / "evals.yaml", overrides=[*overrides, f"methods={methods}"]), tmp_path)
    assert [cell.method for cell in cells] == methods * 2
    for settings in (cell.settings for cell in cells):
        assert (settings.search.max_prompt_tokens, settings.search.metric, settings.limits.calls) == (
            321,
            "accuracy",
            71,
        )
        assert settings.search.draw == ("spread" if settings.search.trials == "pooled" else "uniform")


def test_cells_of_one_seed_have_the_same_splits_and_other_seeds_others(folder: Path, tmp_path: Path) -> None:
    cells = cells_of(load_eval_settings(folder / "evals.yaml"), tmp_path)
    splits = {(cell.method, cell.seed): dataset_of(cell.settings).fingerprint for cell in cells}
    assert splits["none", 0] == splits["blpo", 0] != splits["blpo", 1] == splits["none", 1]


@pytest.mark.parametrize("column", [False, True])
def test_splits_are_redrawn_or_fixed_as_the_experiment_says(folder: Path, tmp_path: Path, column: bool) -> None:
    """A split column is fixed by itself, and shares are redrawn by themselves."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("out")))
    overrides = ["methods=[blpo]"]
    if column:
        names = [*["train"] * 12, *["validation"] * 9, *["test"] * 9]
        edit_labels(copy, lambda rows: [row.update(split=name) for row, name in zip(rows, names, strict=True)])
        overrides.append("datasets=[{name: noise, data: {path: %s, split: {column: split}}}]" % (copy / "labels.csv"))

    def tests(splits: str) -> tuple[list[list[str]], set[str]]:
        cells = cells_of(load_eval_settings(copy / "evals.yaml", overrides=[*overrides, f"splits={splits}"]), tmp_path)
        ids = [[sample.id for sample in dataset_of(cell.settings).splits["test"]] for cell in cells]
        return ids, {spread_of(cell.settings) for cell in cells}

    (first, second), spread = tests("redraw")
    assert first != second and len(first) == len(second) == 9 and spread == {"splits and search"}
    (first, second), spread = tests("fixed")
    assert first == second and spread == {"search"}
    (first, second), spread = tests("null")
    assert (first == second, spread) == ((True, {"search"}) if column else (False, {"splits and search"}))


def test_an_experiment_goes_on_with_the_data_that_it_began_with(
    folder: Path, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    edit_labels(copy, lambda rows: rows[0].update(label="3"))
    command = ["evals", str(copy / "evals.yaml"), "--out", str(copy / finished.name)]
    assert main([*command, "-q"]) == 0, "all is done: the table is of the data that was"
    assert main([*command, "-q", "--set", "seeds=[0, 1, 2]"]) == 2
    assert "the dataset noise is not the one that none_noise_embedded_seed0 began with" in capsys.readouterr().err


def test_the_resolved_experiment_is_a_configuration(folder: Path, finished: Path, tmp_path: Path) -> None:
    evals = load_eval_settings(folder / "evals.yaml", overrides=["parallel=2"])
    assert load_eval_settings(finished / "evals.yaml", overrides=["parallel=2"]) == evals
    config = {"datasets": [{"name": "noise", "config": str(folder / "config.yaml")}], "judges": [{"name": "embedded"}]}
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(config))
    short = load_eval_settings(tmp_path / "short.yaml")
    (tmp_path / "whole.yaml").write_text(yaml.safe_dump(short.model_dump(mode="json")))
    assert load_eval_settings(tmp_path / "whole.yaml") == short


def test_a_folder_that_cannot_be_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(tmp_path / "file" / "out")]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "give another --out" in output.err


def test_a_preset_needs_datasets_or_offline(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evals", "--preset", "table2"]) == 2
    assert "--offline" in capsys.readouterr().err


def test_the_estimate_sends_nothing_and_stays_within_the_budget(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evals", str(folder / "evals.yaml"), "--out", str(tmp_path / "out"), "--estimate"]
    assert main([*command, "--json"]) == 0
    estimate = json.loads(capsys.readouterr().out)
    assert estimate["total"]["cells"] == 4
    assert estimate["groups"][0]["high"]["calls"] <= BUDGET
    assert main(command) == 0
    assert "noise, judge embedded" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_sweeps_vary_one_setting_at_a_time(folder: Path, tmp_path: Path) -> None:
    overrides = ["sweeps={inner_steps: [0, 1, 2], error_batch: [2, 4]}", "seeds=[0]", "methods=[blpo]"]
    cells = cells_of(load_eval_settings(folder / "evals.yaml", overrides=overrides), tmp_path)
    assert [cell.varied for cell in cells] == ["", "error_batch=4", "inner_steps=0", "inner_steps=2"]
    assert len({cell.name for cell in cells}) == 4
    assert {(c.settings.search.error_batch, c.settings.search.inner_steps) for c in cells} == {
        (2, 1), (4, 1), (2, 0), (2, 2)
    }  # fmt: skip


def test_a_grid_varies_settings_together(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grid = "grid={error_batch: [2, 3], inner_steps: [1], calls: [60, 70]}"
    command = ["evals", str(folder / "evals.yaml"), "--out", str(tmp_path), "--set", grid, "--set", "seeds=[0]"]
    assert main([*command, "--set", "methods=[blpo]", "-q"]) == 0
    cells = content(tmp_path)["cells"]
    assert [cell["varied"] for cell in cells] == [
        f"error_batch={batch},inner_steps=1,calls={calls}" for batch in (2, 3) for calls in (60, 70)
    ]
    assert all(cell["calls"] <= int(cell["varied"].rpartition("=")[2]) for cell in cells)
    page = (tmp_path / "table.md").read_text()
    assert "budget of a cell: 60 or 70 calls" in page
    assert "| cases a batch | inner steps K | 60 calls | 70 calls |" in page
    best = max(cell["value"] for cell in cells if cell["varied"].endswith("=70"))
    assert f"**{best:.3f}**" in page


def test_the_budget_preset_varies_batch_steps_and_calls(tmp_path: Path) -> None:
    evals = load_eval_settings(preset="budget", overrides=["seeds=[0]"])
    assert all(judge.models.judge.name == "embedded:judge" for judge in evals.judges)
    cells = cells_of(evals, tmp_path)
    assert len(cells) == 27 * len(evals.datasets)
    test = {cell.dataset: len(dataset_of(cell.settings).splits["test"]) for cell in cells}
    sizes = {
        (
            c.settings.search.error_batch,
            c.settings.search.inner_steps,
            (c.settings.limits.calls or 0) - 2 * test[c.dataset],
        )
        for c in cells
    }
    assert sizes == {(n, k, calls) for n in (20, 40, 80) for k in (1, 3, 5) for calls in (600, 800, 2000)}


@pytest.mark.parametrize("example", ["maverick", "qwen", "scout"])
def test_the_examples_load_and_can_be_estimated(
    example: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Load an example beside small datasets with the names of `blpo data prepare`."""
    config = tmp_path / "examples" / "evals" / f"{example}.yaml"
    config.parent.mkdir(parents=True)
    config.write_text((EXAMPLES / config.name).read_text())
    for name in ("agin", "seetrue", "imagereward", "unsafebench"):
        (tmp_path / "datasets").mkdir(exist_ok=True)
        (tmp_path / "datasets" / name).symlink_to(folder)
    evals = load_eval_settings(config)
    judges = {judge.name for judge in evals.judges}
    assert judges == {"qwen2.5-vl-32b"} or published("blpo", "agin", judges.pop())
    assert main(["evals", str(config), "--out", str(tmp_path / "out"), "--estimate", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]
    assert total["cells"] == len(evals.methods) * 4 * 10
    assert 0 < total["low"]["usd"] < total["high"]["usd"]
