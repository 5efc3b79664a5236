"""Pairs in the paired tests of an experiment: a row for every order, of one group."""

import pytest

from blpo.metrics.seed_comparison import compare_seeds
from blpo.runs.verdict_rows import VerdictRow
from evals.paired_tests import paired_answers
from state.sample import Label
from state.settings import Settings, TaskSettings
from state.verdict import Order, OrderedVerdict

PAIRS = TaskSettings(kind="pairwise")


def by(metric: str) -> Settings:
    data = {"path": "pairs", "image": ["image_a", "image_b"]}
    return Settings.model_validate({"task": PAIRS, "data": data, "search": {"metric": metric}})


def row(name: str, *answers: Label, group: str | None = None) -> VerdictRow:
    names: tuple[Order, ...] = ("ab", "ba")
    orders = tuple(OrderedVerdict(order, "ok", label) for order, label in zip(names, answers, strict=False))
    agreed = answers[0] if len(set(answers)) == 1 else None
    return VerdictRow(name, "a", agreed, "ok", "", "test", group, orders=orders)


def test_every_order_is_a_row_of_the_pair() -> None:
    method = {name: row(name, "a", "b") for name in ("p", "q")}
    best = {"p": row("p", "a", "a"), "q": row("q", "a", "b"), "other": row("other", "b", "b")}
    rows = paired_answers(method, best, by("accuracy"))
    assert [(each.sample, each.first, each.second) for each in rows] == [
        ("p", "a", "a"),
        ("p", "b", "a"),
        ("q", "a", "a"),
        ("q", "b", "b"),
    ]
    compared = compare_seeds([rows], PAIRS, "accuracy")
    assert (compared.difference, compared.samples, compared.groups) == (0.25, 2, 2)
    both = paired_answers(method, best, by("consistent_accuracy"))
    assert [(each.first, each.second) for each in both] == [(None, "a"), (None, None)]
    assert compare_seeds([both], PAIRS, "consistent_accuracy").difference == 0.5


def test_a_method_of_one_order_is_compared_in_both() -> None:
    method = {str(n): row(str(n), "a", group="g" if n < 4 else None) for n in range(12)}
    best = {str(n): row(str(n), "a", "b", group="g" if n < 4 else None) for n in range(12)}
    rows = paired_answers(method, best, by("accuracy"))
    assert len(rows) == 24
    compared = compare_seeds([rows, rows], PAIRS, "accuracy")
    assert compared.difference == pytest.approx(-0.5)
    assert compared.groups == 9


def test_an_error_leaves_the_pair_out() -> None:
    failed = VerdictRow("p", "a", None, "error", "quota", "test")
    assert paired_answers({"p": failed}, {"p": row("p", "a", "a")}, by("accuracy")) == []
