"""The loss of a verdict and the score of a trial."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.metrics.loss import loss, score
from state.settings import TaskSettings
from state.verdict import Order, OrderedVerdict, Status, Verdict

ORDINAL = TaskSettings(kind="ordinal", min=-1, max=3)
BINARY = TaskSettings(kind="categorical", labels=("unsafe", "safe"))

FAILED: tuple[Status, ...] = ("unparseable", "refused", "error")
ratings = st.integers(ORDINAL.min, ORDINAL.max)
verdicts = st.one_of(
    st.builds(lambda label: Verdict("s", "ok", label), ratings),
    st.sampled_from([Verdict("s", status, None) for status in FAILED]),
)


@pytest.mark.parametrize(
    ("answer", "label", "expected"), [(-1, 3, 1.0), (3, -1, 1.0), (1, 1, 0.0), (2, 1, 0.25), (0, 2, 0.5)]
)
def test_the_loss_of_a_rating_is_its_share_of_the_scale(answer: int, label: int, expected: float) -> None:
    assert loss(Verdict("s", "ok", answer), label, ORDINAL) == expected


def test_the_loss_of_a_category_is_zero_or_one() -> None:
    assert loss(Verdict("s", "ok", "safe"), "safe", BINARY) == 0.0
    assert loss(Verdict("s", "ok", "safe"), "unsafe", BINARY) == 1.0


@pytest.mark.parametrize(("status", "expected"), [("unparseable", 1.0), ("refused", 1.0), ("error", None)])
@pytest.mark.parametrize("task", [ORDINAL, BINARY])
def test_a_failure_is_a_full_loss_and_an_outage_is_none(
    status: Status, expected: float | None, task: TaskSettings
) -> None:
    assert loss(Verdict("s", status, None), task.values[0], task) == expected


def test_an_unlabelled_sample_has_no_loss() -> None:
    with pytest.raises(ValueError, match="sample s-17 has no label"):
        loss(Verdict("s-17", "ok", 1), None, ORDINAL)


def test_the_score_is_the_mean_fall_of_the_loss() -> None:
    before = [Verdict("a", "ok", 3), Verdict("b", "ok", 1), Verdict("c", "refused", None)]
    after = [Verdict("a", "ok", -1), Verdict("b", "ok", 2), Verdict("c", "ok", 0)]
    assert score(before, after, [-1, 1, 0], ORDINAL) == pytest.approx((1.0 - 0.25 + 1.0) / 3)


def test_samples_with_an_error_on_either_side_are_left_out() -> None:
    error, right, wrong = Verdict("a", "error", None), Verdict("a", "ok", "safe"), Verdict("a", "ok", "unsafe")
    assert score([error, wrong, wrong], [right, error, right], ["safe"] * 3, BINARY) == 1.0
    assert score([error], [right], ["safe"], BINARY) is None
    assert score([], [], [], BINARY) is None


def test_equal_gains_tie_whatever_their_order_and_steps() -> None:
    task = TaskSettings(min=0, max=6)
    before = [Verdict("a", "ok", 5), Verdict("b", "ok", 2), Verdict("c", "ok", 6)]
    after = [Verdict("a", "ok", 4), Verdict("b", "ok", 1), Verdict("c", "ok", 3)]
    turned = [Verdict("a", "ok", 2), Verdict("b", "ok", 1), Verdict("c", "ok", 5)]
    assert score(before, after, [0, 0, 0], task) == score(before, turned, [0, 0, 0], task)


def test_the_three_sequences_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="shorter"):
        score([Verdict("a", "ok", 1)], [], [1], ORDINAL)


@settings(deadline=None)
@given(st.lists(st.tuples(verdicts, verdicts, ratings)))
def test_a_score_is_bounded_and_changes_sign_with_the_sides(rows: list[tuple[Verdict, Verdict, int]]) -> None:
    before, after, labels = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    forward, backward = score(before, after, labels, ORDINAL), score(after, before, labels, ORDINAL)
    if forward is None or backward is None:
        assert forward is backward is None
        assert all("error" in (old.status, new.status) for old, new, _ in rows)
        return
    assert -1.0 <= forward <= 1.0
    assert forward == pytest.approx(-backward)
    assert score(before, before, labels, ORDINAL) in (0.0, None)


@settings(deadline=None)
@given(st.lists(st.tuples(verdicts, ratings), min_size=1))
def test_no_prompt_scores_below_one_that_fails_everywhere(rows: list[tuple[Verdict, int]]) -> None:
    failing = [Verdict("s", "refused", None)] * len(rows)
    result = score(failing, [verdict for verdict, _ in rows], [label for _, label in rows], ORDINAL)
    assert result is None or result >= 0.0


def pair(*labels: str | None) -> Verdict:
    """Return the verdict on a pair by the labels of its orders; None for a refusal."""
    names: tuple[Order, Order] = ("ab", "ba")
    orders = [OrderedVerdict(o, "ok" if y else "refused", y) for o, y in zip(names, labels, strict=False)]
    agree = len(set(labels)) == 1
    return Verdict("s", "ok" if all(labels) else "refused", labels[0] if agree else None, orders=tuple(orders))


@pytest.mark.parametrize(
    ("labels", "human", "expected"),
    [
        (("a", "a"), "a", 0.0),
        (("a", "b"), "a", 0.5),
        (("b", "b"), "a", 1.0),
        (("tie", "tie"), "a", 0.5),
        (("a", "tie"), "a", 0.25),
        (("a", "b"), "tie", 0.5),
        (("tie", "tie"), "tie", 0.0),
        (("b", "tie"), "tie", 0.25),
        ((None, "a"), "a", 0.5),
        ((None, None), "tie", 1.0),
        (("b",), "b", 0.0),
    ],
)
def test_the_loss_of_a_pair_is_the_mean_over_its_orders(
    labels: tuple[str | None, ...], human: str, expected: float
) -> None:
    assert loss(pair(*labels), human, TaskSettings(kind="pairwise", ties=True)) == expected


def test_losing_the_lean_to_a_position_raises_the_score_by_itself() -> None:
    task, labels = TaskSettings(kind="pairwise"), ["a", "b"]
    assert score([pair("a", "b")] * 2, [pair("a", "a"), pair("b", "b")], labels, task) == 0.5
    outage = Verdict("s", "error", None, orders=(OrderedVerdict("ab", "error", None), OrderedVerdict("ba", "ok", "a")))
    assert loss(outage, "a", task) is None
