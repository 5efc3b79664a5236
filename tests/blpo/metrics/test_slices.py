"""Metrics by slice: the numbers of the samples alone, fold_rare_values values, intervals and errors."""

import json

import pytest

from blpo.metrics.agreement import metrics
from blpo.metrics.slices import MOST_VALUES, fold_rare_values, slices
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Verdict

SAFETY = TaskSettings(kind="categorical", labels=("unsafe", "safe"), positive="unsafe")


def sample(name: int, label: Label, **values: str) -> Sample:
    return Sample(str(name), (), label, slices=tuple(values.items()))


def answered(labels: list[str]) -> list[Verdict]:
    return [Verdict(str(place), "ok", label) for place, label in enumerate(labels)]


def test_a_slice_has_the_metrics_of_its_samples_alone() -> None:
    human = ["unsafe", "safe"] * 20
    old, new = ["safe"] * 40, ["safe"] * 20 + human[20:]
    samples = [sample(i, label, maker=("dalle", "sdxl")[i // 20]) for i, label in enumerate(human)]
    measured = slices(samples, answered(old), answered(new), SAFETY, "macro_f1", 0)["maker"]
    assert list(measured) == ["dalle", "sdxl"]
    assert (measured["dalle"]["fixed"], measured["dalle"]["broken"]) == (0, 0)
    assert (measured["sdxl"]["fixed"], measured["sdxl"]["broken"], measured["sdxl"]["n"]) == (10, 0, 20)
    alone = metrics(answered(new)[20:], human[20:], SAFETY)
    assert measured["sdxl"]["accuracy"] == alone["accuracy"] == 1.0
    assert measured["sdxl"]["best"] == alone["strict"]["macro_f1"] and measured["sdxl"]["ci95"] is None
    low, high = measured["sdxl"]["difference_ci95"] or (0.0, 0.0)
    assert 0 < low <= 1.0 - (measured["sdxl"]["initial"] or 0.0) <= high
    assert measured["sdxl"]["f1"] == {"unsafe": 1.0} and "specificity" in measured["sdxl"]


def test_errors_count_for_nothing_and_single_groups_have_no_interval() -> None:
    grouped = Sample("a", (), "safe", group="g", slices=(("k", "x"),))
    samples = [grouped, sample(1, "safe", k="y"), sample(2, "unsafe", k="y")]
    old = answered(["unsafe", "safe", "safe"])
    new = [*answered(["safe"]), Verdict("1", "error", None), Verdict("2", "refused", None)]
    measured = slices(samples, old, new, SAFETY, "accuracy", 0)["k"]
    assert (measured["x"]["fixed"], measured["x"]["ci95"]) == (1, None)
    assert (measured["y"]["fixed"], measured["y"]["broken"], measured["y"]["n"]) == (0, 0, 2)
    assert measured["y"]["best"] == 0.0


def test_rare_values_are_one_slice_and_the_result_stays_small() -> None:
    values = ["common"] * 50 + [f"rare {i}" for i in range(500)]
    parts = fold_rare_values(values)
    assert len(parts) == MOST_VALUES + 1 and parts["common"] == list(range(50))
    assert list(parts)[-1] == f"({501 - MOST_VALUES} other values)"
    assert sorted(place for places in parts.values() for place in places) == list(range(550))
    assert list(fold_rare_values(["b", "a", "b"])) == ["b", "a"]
    columns = ("a", "b", "c", "d")
    samples = [sample(i, 1 + i % 5, **dict.fromkeys(columns, value)) for i, value in enumerate(values)]
    verdicts = [Verdict(str(i), "ok", 1 + i % 4) for i in range(550)]
    measured = slices(samples, verdicts, verdicts, TaskSettings(), "quadratic_kappa", 0)
    assert len(json.dumps(measured)) < 45_000


def test_samples_without_slices_have_none() -> None:
    samples = [Sample(str(i), (), "safe") for i in range(3)]
    assert slices(samples, answered(["safe"] * 3), answered(["safe"] * 3), SAFETY, "macro_f1", 0) == {}


@pytest.mark.parametrize("metric", ["pearson", "spearman"])
def test_slices_compare_with_means(metric: str) -> None:
    task = TaskSettings(round="none")
    samples = [Sample(str(i), (), 1 + i % 4, rating=1.25 + i % 4, slices=(("k", "x"),)) for i in range(24)]
    new = [Verdict(str(i), "ok", 1 + (i + (i == 3)) % 4) for i in range(24)]
    measured = slices(samples, new, new, task, metric, 0)["k"]["x"]
    low, high = measured["ci95"] or (2.0, -2.0)
    assert 0.3 < low < (measured["best"] or 0.0) <= high <= 1.0 and measured["difference_ci95"] == [0.0, 0.0]
