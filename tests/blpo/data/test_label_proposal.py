"""Proposed scales, categories and columns."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.data.column_proposal import propose_columns
from blpo.data.label_proposal import are_means, propose_labels
from blpo.data.tables import open_table
from state.errors import DataError


@given(st.lists(st.integers(-50, 900), min_size=3, unique=True))
def test_a_proposed_scale_holds_every_rating(ratings: list[int]) -> None:
    task = propose_labels(ratings, "labels.csv").task
    assert task.kind == "ordinal" and task.min <= min(ratings) and task.max == max(ratings)


def test_decimals_of_a_database_are_numbers() -> None:
    task = propose_labels([Decimal(number) for number in (1, 3, 2, 5)], "t.parquet").task
    assert (task.kind, task.min, task.max) == ("ordinal", 1, 5)


@pytest.mark.parametrize("error", ["#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#N/A"])
def test_errors_of_a_spreadsheet_are_missing_numbers(error: str) -> None:
    labels = propose_labels(["3", "1", error, "5"], "labels.csv")
    assert labels.task.kind == "ordinal" and labels.task.max == 5
    assert labels.warnings == (f"1 labels are words such as {error}; data.unlabelled: skip leaves their rows out",)


def test_the_plain_spelling_is_proposed() -> None:
    values = ["b\u200bad", "b\u200bad", "bad", "good", "go\0od", "good\u00a0"]
    assert propose_labels(values, "labels.csv").task.labels == ("bad", "good")


@pytest.mark.parametrize("value", [["good"], {"choices": ["good"]}, b"good"])
def test_compound_labels_are_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"holds lists or objects .*; write one label a row"):
        propose_labels(["bad", value, "good"], "labels.parquet: column 'label'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images/0.png,good\nimages/1.png,bad\n", "the first line looks like a row (images/0.png); put a line with"),
        (
            "image,prompt\na.png,cat\nb.png,cat\nc.png,dog\nd.png,dog\n",
            "has no column of labels; columns: image, prompt",
        ),
        ("image,note\na.png,x\nb.png,y\nc.png,z\n", "the label column is unclear; name the column with --label: note"),
    ],
)
def test_columns_without_labels_are_not_guessed(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        propose_columns(open_table(str(tmp_path)))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "scale"),
    [
        ([1.32, 4.7, 2.5], (1, 5)),
        ([1.3, 8.35, 6.0], (1, 9)),
        ([0.4, 4.1, 3.3], (0, 5)),
        ([12.5, 80.25, 41.0], (1, 100)),
    ],
)
def test_means_of_raters_are_a_usual_scale(numbers: list[float], scale: tuple[int, int]) -> None:
    proposal = propose_labels(numbers, "labels.csv")
    assert are_means(numbers) and (proposal.task.min, proposal.task.max) == scale and not proposal.is_cut


@pytest.mark.parametrize("numbers", [[0.1, 0.7, 0.35], [-3.5, 2.25, 1.0], [812.5, 1490.25, 1100.5]])
def test_numbers_of_no_usual_scale_are_cut_in_two(numbers: list[float]) -> None:
    assert propose_labels(numbers, "labels.csv").is_cut


def test_one_fraction_among_whole_ratings_stays_a_scale_and_is_named() -> None:
    proposal = propose_labels([1, 2, 3.5, 4, 5], "labels.csv")
    assert proposal.task.kind == "ordinal" and (proposal.task.min, proposal.task.max) == (1, 5)
    assert proposal.warnings == ("3.5 is no whole rating; correct the row, or set task.round: nearest",)
