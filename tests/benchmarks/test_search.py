"""Benchmark of the search: cells run once, tables, CSV, shuffled labels and scores of trials."""

import csv
from pathlib import Path

import pytest

from benchmarks.search import main

pytestmark = pytest.mark.slow


def options(out: Path, *more: str) -> list[str]:
    return ["--sets", "sharpness", "--seeds", "1", "--parallel", "1", "--out", str(out), *more]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("search")


def test_tables_and_lines_of_cells_that_run_once(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = options(out, "--rules", "pooled", "scored", "--calls", "300", "--trials")
    assert main(arguments) == 0
    first = capsys.readouterr()
    assert first.err.count("blpo_sharpness_embedded_seed0") == 2
    assert "300 calls\nset " in first.out and "scored" in first.out and "300-scored-200: " in first.out
    rows = list(csv.DictReader((out / "cells.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["rule"], row["calls"]) for row in rows] == [("pooled", "300"), ("scored", "300")]
    assert all(sum(int(row[f"{role}_calls"]) for role in ("judge", "verbalizer", "optimizer")) <= 700 for row in rows)
    assert all(0 < float(row[name]) < 1 for row in rows for name in ("value", "initial", "ceiling"))
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert again.out == first.out and "seed0" not in again.err


def test_runs_on_shuffled_labels_are_counted(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(options(out, "--rules", "pooled", "--calls", "300", "--shuffled", "1")) == 0
    assert "300 calls, pooled: " in (printed := capsys.readouterr().out) and " of 1 runs on shuffled" in printed
    labels = list(csv.DictReader((out / "labels" / "sharpness-0.csv").read_text(encoding="utf-8").splitlines()))
    assert len(labels) == 400 and {row["label"] for row in labels} == {"poor", "good"}
