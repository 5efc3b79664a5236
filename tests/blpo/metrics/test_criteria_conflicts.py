"""Metrics of pairs under several criteria: by hand, and as properties."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from blpo.metrics.criteria_conflicts import CriterionAnswer, conflicts_on, criteria_agreement
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict

answers = st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["a", "b", None]))
pairs = st.lists(st.lists(answers, min_size=1, max_size=5), max_size=8)
CRITERIA = Settings.model_validate(
    {
        "task": {"kind": "pairwise"},
        "data": {"path": "pairs.csv", "image": ["image_a", "image_b"]},
        "criteria": [{"name": "logic"}, {"name": "clarity"}],
    }
)


def test_by_hand() -> None:
    result = criteria_agreement(
        [
            [("a", "a"), ("b", "b"), ("a", "a")],  # all right: two conflicts, both matched
            [("a", "b"), ("b", "a")],  # all wrong, but the trade-off is seen
            [("a", "a"), ("b", "a")],  # the same side by both criteria
            [("a", "a"), ("a", "a")],  # no conflict
            [("a", None), ("b", "b")],  # a failure prefers no side
        ]
    )
    assert result == {
        "pairs": 5,
        "all_right": 2 / 5,
        "divided_pairs": 4,
        "trade_off_sensitivity": 2 / 4,
        "conflicts": 5,
        "conflict_match": 2 / 5,
    }


def test_a_tie_is_in_conflict_with_nothing() -> None:
    result = criteria_agreement([[("tie", "tie"), ("a", "a")]])
    assert (result["all_right"], result["conflicts"], result["conflict_match"]) == (1.0, 0, None)


@given(pairs)
def test_shares_have_their_order(answers_of_pairs: list[list[CriterionAnswer]]) -> None:
    """A matched conflict is a seen conflict, and a pair that is all right has only matched conflicts."""
    result = criteria_agreement(answers_of_pairs)
    divided = [each for each in answers_of_pairs if len({human for human, _ in each}) > 1]
    assert result["pairs"] == len(answers_of_pairs) and result["divided_pairs"] == len(divided) <= result["conflicts"]
    if result["trade_off_sensitivity"] is None:
        assert result["conflict_match"] is None and not divided
        return
    assert result["trade_off_sensitivity"] >= sum(all(h == j for h, j in each) for each in divided) / len(divided)
    right = [one for each in divided for one in combinations(each, 2) if one[0][0] != one[1][0]]
    assert result["conflict_match"] == sum(one[0] == one[1] and other[0] == other[1] for one, other in right) / len(
        right
    )


@given(pairs)
def test_a_judge_of_one_preference_sees_no_trade_off(answers_of_pairs: list[list[CriterionAnswer]]) -> None:
    always_a: list[list[CriterionAnswer]] = [[(human, "a") for human, _ in each] for each in answers_of_pairs]
    result = criteria_agreement(always_a)
    assert result["trade_off_sensitivity"] in (None, 0.0) and result["conflict_match"] in (None, 0.0)


@given(pairs)
def test_people_themselves_have_all_metrics_at_one(answers_of_pairs: list[list[CriterionAnswer]]) -> None:
    themselves: list[list[CriterionAnswer]] = [[(human, human) for human, _ in each] for each in answers_of_pairs]
    result = criteria_agreement(themselves)
    assert {result[name] for name in ("all_right", "trade_off_sensitivity", "conflict_match")} <= {None, 1.0}


def test_the_verdicts_of_a_run_with_criteria_of_pairs() -> None:
    samples = [
        Sample(f"{task}/{item}", (), label, task=task)
        for task, labels in (("logic", "ab"), ("clarity", "ba"))
        for item, label in zip(("one", "two"), labels, strict=True)
    ]
    verdicts = [
        Verdict(sample.id, "error" if sample.item == "two" else "ok", sample.label if sample.item == "one" else None)
        for sample in samples
    ]
    result = conflicts_on(verdicts, samples, CRITERIA)
    assert result is not None and (result["pairs"], result["all_right"], result["conflict_match"]) == (1, 1.0, 1.0)
    assert conflicts_on(verdicts, samples, CRITERIA.model_copy(update={"only": ("logic",)})) is None
    assert conflicts_on([], [], Settings()) is None
