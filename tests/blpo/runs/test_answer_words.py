"""Answers about pairs in words, and in lines of a run directory."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from blpo.inference.pair_orders import compared_verdict
from blpo.metrics.agreement import metrics
from blpo.runs.answer_words import answer_words
from blpo.runs.lean_sentence import consistency_sentence, lean_sentence, lean_sentences
from blpo.runs.verdict_rows import VerdictRow, read_verdict_rows, verdict_change, verdict_line
from state.metrics_on_test import TestMetrics as OnTest
from state.result import empty_result
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Order, OrderedVerdict, Status, Verdict

PAIRS = TaskSettings(kind="pairwise")


def row(ab: Label | None, ba: Label | None, label: Label = "a") -> VerdictRow:
    orders: tuple[tuple[Order, Label | None], ...] = (("ab", ab), ("ba", ba))
    answers = tuple(OrderedVerdict(order, "ok" if each else "refused", each) for order, each in orders)
    status: Status = "ok" if ab and ba else "refused"
    return VerdictRow("p", label, ab if ab == ba and status == "ok" else None, status, "", orders=answers)


@pytest.mark.parametrize(
    ("ab", "ba", "words"),
    [
        ("a", "a", "a"),
        ("tie", "tie", "tie"),
        ("a", "b", "first in both orders"),
        ("b", "a", "second in both orders"),
        ("a", "tie", "a, and tie in the swapped order"),
        ("tie", "b", "tie, and b in the swapped order"),
        ("b", None, "b, and no answer (refused) in the swapped order"),
        (None, None, "no answer (refused)"),
    ],
)
def test_answers_about_a_pair_in_words(ab: str | None, ba: str | None, words: str) -> None:
    assert answer_words(row(ab, ba)) == words


def test_equal_labels_of_two_single_images_in_words() -> None:
    apart = TaskSettings(kind="pairwise", order="apart")
    sides = [Verdict("p", "ok", 3, "dull"), Verdict("p", "ok", 3, "dull")]
    verdict = compared_verdict("p", sides, apart)
    compared = VerdictRow("p", "a", None, "ok", verdict.reason, orders=verdict.orders)
    assert compared.is_compared and answer_words(compared) == "equal labels"
    failed = compared_verdict("p", [replace(sides[0], status="refused", label=None), sides[1]], apart)
    refused = VerdictRow("p", "a", None, "refused", failed.reason, orders=failed.orders)
    assert not refused.is_compared and answer_words(refused) == "no answer (refused)"
    assert not row("a", "b").is_compared


def test_answers_about_one_image_in_words() -> None:
    assert answer_words(VerdictRow("s", 3, 4, "ok", "")) == "4"
    assert answer_words(VerdictRow("s", 3, None, "unparseable", "")) == "no answer (unparseable)"
    single = OrderedVerdict("ba", "ok", "b")
    assert answer_words(VerdictRow("s", "a", "b", "ok", "", orders=(single,))) == "b"


def test_a_pair_is_right_if_both_orders_are() -> None:
    assert row("a", "a").is_right
    assert not row("a", "b").is_right
    assert [answer.is_right for answer in row("a", "b").answers] == [True, False]
    assert verdict_change(row("a", "b"), row("a", "a")) == "fixed"
    assert verdict_change(row("a", "a"), row("a", "b")) == "broken"
    assert verdict_change(row("a", "b"), row("b", "a")) == "wrong"


answers = st.tuples(st.sampled_from(["a", "b", "tie", None]), st.sampled_from(["a", "b", "tie", None]))


@given(st.lists(st.tuples(answers, st.text(max_size=20)), min_size=1, max_size=5))
def test_lines_keep_the_orders(pairs: list[tuple[tuple[str | None, str | None], str]]) -> None:
    verdicts = [replace(row(ab, ba).in_verdict, reason=reason) for (ab, ba), reason in pairs]
    lines = [json.loads(json.dumps(verdict_line(Sample("p", (), "a"), verdict))) for verdict in verdicts]
    assert [TypeAdapter(VerdictRow).validate_python(line).in_verdict for line in lines] == verdicts


def test_lines_are_read_again(tmp_path: Path) -> None:
    orders = OrderedVerdict("ab", "ok", "a", "sharper", (("a", 0.75), ("b", 0.25))), OrderedVerdict("ba", "ok", "b")
    verdict = Verdict("p", "ok", None, "First order: sharper.", orders=orders)
    (tmp_path / "best.jsonl").write_text(json.dumps(verdict_line(Sample("p", (), "a"), verdict)) + "\n")
    (row,) = read_verdict_rows(tmp_path / "best.jsonl")
    assert row.orders == orders
    assert row.in_verdict == Verdict("p", "ok", None, "First order: sharper.", orders=orders)


def test_a_line_without_orders_is_that_of_a_version_before_pairs() -> None:
    assert verdict_line(Sample("s", (), 3), Verdict("s", "ok", 4, "why")) == {
        "id": "s",
        "label": 3,
        "verdict": 4,
        "status": "ok",
        "reason": "why",
    }


def test_the_lean_in_words() -> None:
    assert lean_sentence(0.75, [0.6, 0.85]) == (
        'The judge leans to the first: 75.0% of the answers "first" and "second" are "first"'
        " (95 % interval 60.0% to 85.0%)."
    )
    assert lean_sentence(0.2, [0.1, 0.3]).startswith("The judge leans to the second: 20.0%")
    assert lean_sentence(0.55, [0.45, 0.65]).startswith("The judge shows no lean to a position: 55.0%")
    assert "too few pairs" in lean_sentence(0.55, None)
    assert "no lean" in lean_sentence(None, None)


def test_sentences_of_a_result() -> None:
    verdicts = [row("a", "b").in_verdict, row("a", "a").in_verdict, row("b", "b").in_verdict, row("a", "a").in_verdict]
    measured = metrics(verdicts, ["a"] * 4, PAIRS)
    assert consistency_sentence(measured) == (
        "In both orders the answer is the same for 75.0% of the pairs, and right for 50.0%."
    )
    result = empty_result("accuracy")
    assert not list(lean_sentences(result))
    result["test"] = OnTest(initial=measured, best=measured, p_value=1.0, difference_ci95=[0.0, 0.0])
    assert len(list(lean_sentences(result))) == 2
    one = metrics(verdicts, ["a"] * 4, TaskSettings(kind="pairwise", order="one"))
    result["test"] = OnTest(initial=one, best=one, p_value=1.0, difference_ci95=[0.0, 0.0])
    assert list(lean_sentences(result)) == [
        "Each pair was asked in one order, which can't tell a lean to a position (task.order: both can)."
    ]
    of_one_image = metrics([Verdict("s", "ok", 3)], [3], TaskSettings())
    result["test"] = OnTest(initial=of_one_image, best=of_one_image, p_value=1.0, difference_ci95=[0.0, 0.0])
    assert not list(lean_sentences(result))
