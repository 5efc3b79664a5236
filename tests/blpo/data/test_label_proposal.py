"""Proposed scales."""

from hypothesis import given
from hypothesis import strategies as st

from blpo.data.label_proposal import propose_labels


@given(st.lists(st.integers(-50, 900), min_size=3, unique=True))
def test_a_proposed_scale_holds_every_rating(ratings: list[int]) -> None:
    task = propose_labels(ratings, "labels.csv").task
    assert task.kind == "ordinal" and task.min <= min(ratings) and task.max == max(ratings)
