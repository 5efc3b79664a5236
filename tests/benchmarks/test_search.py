"""Benchmark of the search: cells run once, tables, CSV, shuffled labels and scores of trials."""

import csv
from pathlib import Path

import pytest

from benchmarks.direct_rounds import DirectSearch
from benchmarks.sample_values import SampleValues
from benchmarks.search import main
from blpo.data.run_dataset import dataset_of
from blpo.runs.run_record import RunRecord

pytestmark = pytest.mark.slow


def options(out: Path, *more: str) -> list[str]:
    return ["--sets", "sharpness", "--seeds", "1", "--parallel", "1", "--out", str(out), *more]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search")


def test_tables_and_lines_of_cells_that_run_once(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = options(out, "--rules", "pooled", "scored", "--calls", "350")
    assert main(arguments) == 0
    first = capsys.readouterr()
    assert first.err.count("blpo_sharpness_embedded_seed0") == 2
    assert "350 calls\nset " in first.out and "scored" in first.out
    rows = list(csv.DictReader((out / "cells.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["rule"], row["calls"]) for row in rows] == [("pooled", "350"), ("scored", "350")]
    assert all(sum(int(row[f"{role}_calls"]) for role in ("judge", "verbalizer", "optimizer")) <= 750 for row in rows)
    assert all(0 < float(row[name]) < 1 for row in rows for name in ("value", "initial", "ceiling"))
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert again.out == first.out and "seed0" not in again.err


def test_a_direct_round_begins_as_a_run_with_the_same_seed(out: Path) -> None:
    rows = csv.DictReader((out / "cells.csv").read_text(encoding="utf-8").splitlines())
    run = RunRecord.read(Path(next(row["run"] for row in rows if row["rule"] == "scored")))
    first = run.rounds[0].trials[0]
    search = DirectSearch(run.settings, dataset_of(run.settings), SampleValues(run.settings))
    trial = next(search.rounds(1))[0]
    assert (trial.i2t_prompt, trial.judge_prompt) == (first.i2t_prompt, first.judge_prompt)
    assert trial.score.difference == first.score


def test_scores_of_trials_are_correlated_without_runs(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options(out, "--trials")) == 0
    line = capsys.readouterr().out
    assert line.startswith("sharpness") and "rounds: score +" in line and "share " in line


def test_runs_on_shuffled_labels_are_counted(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options(out, "--rules", "pooled", "--calls", "300", "--shuffled", "1")) == 0
    assert "300 calls, pooled: " in (printed := capsys.readouterr().out) and " of 1 runs on shuffled" in printed
    labels = list(csv.DictReader((out / "labels" / "sharpness-0.csv").read_text(encoding="utf-8").splitlines()))
    assert len(labels) == 400 and {row["label"] for row in labels} == {"poor", "good"}
