"""Ways to judge pairs, as methods of an experiment."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from blpo.cli.main import main
from tests.pair_set import draw_pairs
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

SIZE = 40


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_pairs(tmp_path_factory.mktemp("judgings") / "set", SIZE)
    config = {
        "preset": "pairs",
        "datasets": [{"name": "calm", "config": "config.yaml"}],
        "judges": [{"name": "embedded"}],
        "seeds": [0, 1],
        "budget": {"calls": 400},
        "parallel": 1,
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 12},
    }
    (folder / "evals.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture(scope="module")
def rows(experiment: Path) -> dict[str, dict[str, Any]]:
    assert main(["evals", str(experiment / "evals.yaml"), "--out", str(experiment / "out"), "-q"]) == 0
    table = json.loads((experiment / "out" / "table.json").read_text())
    return {row["method"]: row for row in table["rows"]}


def test_each_way_is_measured_as_it_asks(rows: dict[str, dict[str, Any]]) -> None:
    assert list(rows) == ["none", "blpo", "one_order", "random_order", "pointwise"]
    assert all(row["seeds"] == 2 and row["metric"] == "accuracy" for row in rows.values())
    both = {name for name, row in rows.items() if row["consistent_accuracy"] is not None}
    assert both == {"none", "blpo", "pointwise"}
    assert {name for name, row in rows.items() if row["first_rate"] is None} == {"pointwise"}
    assert rows["none"]["calls"] == rows["pointwise"]["calls"] == 2 * SIZE
    assert rows["one_order"]["calls"] < rows["blpo"]["calls"]
    assert all(row["test"]["samples"] > 0 for name, row in rows.items() if name != "blpo")


def test_the_tables_have_the_figures_of_pairs(
    experiment: Path,
    rows: dict[str, dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["evals", str(experiment / "evals.yaml"), "--out", str(experiment / "out"), "-q"]) == 0
    table = capsys.readouterr().out.partition("calls charged")[0]
    assert max(map(len, table.splitlines())) <= 80
    heading, figures = 'share of "first"', table.partition("\npairs ")[2].splitlines()
    assert heading in figures[0]
    (line,) = [line.split() for line in figures if line.startswith("BLPO ") and "order" not in line]
    assert line == ["BLPO", *(f"{rows['blpo'][n]:.3f}" for n in ("accuracy", "consistent_accuracy", "first_rate"))]
    page = (experiment / "out" / "table.md").read_text()
    (head,) = [line for line in page.splitlines() if line.startswith("| method")]
    assert '| consistent accuracy | share of "first" |' in head
    assert "Pairs are tested as the method asks" in page


def test_ways_to_judge_pairs_refuse_other_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set")
    config = {
        "methods": ["blpo", "pointwise"],
        "datasets": [{"name": "noise", "data": {"path": "labels.csv"}}],
        "judges": [{"name": "embedded"}],
    }
    (folder / "evals.yaml").write_text(yaml.safe_dump(config))
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(tmp_path / "out")]) == 2
    assert "method pointwise: needs pairs (task.kind: pairwise)" in capsys.readouterr().err
