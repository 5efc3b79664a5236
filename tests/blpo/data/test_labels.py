"""Labels: ratings, categories and thresholds."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from state.settings import TaskSettings
from tests.blpo.data.dataset_folders import HALVES, jsonl, labels, load, problems, rows, write


@pytest.mark.parametrize("good", ["3", 3, 3.0, "3.0", " 3 "])
def test_integers_are_ratings(tmp_path: Path, good: object) -> None:
    table = [{"image": f"images/{i}.png", "label": good if i % 2 else 1} for i in range(12)]
    assert set(labels(load(jsonl(tmp_path, table))).values()) == {1, 3}


@pytest.mark.parametrize(
    "bad", [2.5, "2.5", 7, 0, "", None, "NaN", float("nan"), "inf", True, "1_0", "²", [1], {}, "1e999"]
)
def test_anything_else_is_refused_with_its_row(tmp_path: Path, bad: object) -> None:
    table = [*rows(), {"image": "images/0.png", "label": bad, "id": "x"}]
    assert any(p.startswith("labels.jsonl:13: label ") for p in problems(jsonl(tmp_path, [*table, *table])))


@pytest.mark.parametrize(("how", "rating"), [("nearest", None), ("none", 2.5)])
def test_fractions_are_rounded_and_halves_go_up(tmp_path: Path, how: Any, rating: float | None) -> None:
    cells = [1, 1.49, "2,5", 2, 3.0, 1.5] * 2
    table = [{**row, "label": value} for row, value in zip(rows(), cells, strict=True)]
    dataset = load(jsonl(tmp_path, table), TaskSettings(min=1, max=3, round=how))
    assert [dataset.by_id[f"images/{i}.png"].label for i in range(6)] == [1, 1, 3, 2, 3, 2]
    assert [dataset.by_id[f"images/{i}.png"].rating for i in (0, 2, 4)] == [None, rating, None]


def test_a_fraction_without_rounding_says_what_to_do(tmp_path: Path) -> None:
    folder = write(tmp_path, [{**row, "label": "2.5" if i == 4 else "1"} for i, row in enumerate(rows())])
    assert problems(folder) == (
        "labels.csv:6: label 2.5 is not an integer from 1 to 3; correct the rating, or set task.round: nearest for "
        "means of raters",
    )
    assert problems(folder, TaskSettings(min=1, max=2, round="nearest")) == (
        "labels.csv:6: label 2.5 is not a number from 1 to 2",
    )


def test_categories_are_compared_by_their_text(tmp_path: Path) -> None:
    cells = [1, "1", 1.0, "0", 0, 0.0] * 2
    table = [{"image": f"images/{i}.png", "label": value} for i, value in enumerate(cells)]
    values = labels(load(jsonl(tmp_path, table), TaskSettings(kind="categorical", labels=("0", "1"))))
    assert Counter(values.values()) == {"0": 6, "1": 6}


def test_booleans_are_categories_by_their_text(tmp_path: Path) -> None:
    table = [{"image": f"images/{i}.png", "label": i % 2 == 0} for i in range(12)]
    values = labels(load(jsonl(tmp_path, table), TaskSettings(kind="categorical", labels=("true", "false"))))
    assert Counter(values.values()) == {"true": 6, "false": 6}


def test_an_unknown_category_names_the_nearest(tmp_path: Path) -> None:
    folder = write(tmp_path, [{**row, "label": "hihg" if i == 4 else "low"} for i, row in enumerate(rows())])
    assert problems(folder, HALVES) == ("labels.csv:6: label hihg is not one of low, high; did you mean 'high'?",)


@pytest.mark.parametrize(("threshold", "low"), [("median", 6), (0.5, 3), (10, 11)])
def test_a_threshold_cuts_numbers_in_two(tmp_path: Path, threshold: Any, low: int) -> None:
    cells = [-3, -2, -1, 1, 2, 3, 4.5, 5, 6, 7, 8, 11]
    folder = write(tmp_path, [{**row, "label": value} for row, value in zip(rows(), cells, strict=True)])
    values = labels(load(folder, HALVES, threshold=threshold, split={"train": 8, "validation": 2, "test": 2}))
    assert Counter(values.values()) == {"low": low, "high": 12 - low}
