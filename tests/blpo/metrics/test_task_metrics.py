"""Metrics of several tasks against metrics of single tasks and brute force."""

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from blpo.metrics.agreement import metrics
from blpo.metrics.checklist import aggregate_result, shares
from blpo.metrics.task_metrics import compare_on_tasks, fall_of_loss, gain_on, measured
from state.sample import Label, Sample
from state.settings import Settings
from state.verdict import Verdict

SETTINGS = Settings.model_validate(
    {
        "criteria": [
            {"name": "rating", "metric": "quadratic_kappa"},
            {"name": "kind", "kind": "categorical", "labels": ["no", "yes"], "metric": "accuracy"},
        ],
        "data": {"path": "x"},
    }
)
LABELS: dict[str, tuple[Label, ...]] = {"rating": (1, 2, 3, 4, 5), "kind": ("no", "yes")}


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[Sample], list[Verdict], list[Verdict]]:
    """Samples of both tasks in shared groups, with verdicts under two prompts."""
    samples, before, after = list[Sample](), list[Verdict](), list[Verdict]()
    for name, size in (("rating", draw(st.integers(3, 8))), ("kind", draw(st.integers(3, 8)))):
        for place in range(size):
            sample = Sample(
                f"{name}/{place}", (), draw(st.sampled_from(LABELS[name])), task=name, group=f"g{place % 5}"
            )
            samples.append(sample)
            for verdicts in (before, after):
                answer = draw(st.sampled_from([*LABELS[name], None]))
                verdicts.append(Verdict(sample.id, "refused" if answer is None else "ok", answer))
    return samples, before, after


def own_value(name: str, samples: Sequence[Sample], verdicts: Sequence[Verdict], chance: float) -> float:
    """Return the value above chance of one task, by the metrics of single tasks."""
    rows = [(s, v) for s, v in zip(samples, verdicts, strict=True) if s.task == name]
    own = SETTINGS.of_task(name)
    result = metrics([v for _, v in rows], [s.label for s, _ in rows], own.task, own.search.metric)
    value = result["strict"]["quadratic_kappa" if name == "rating" else "accuracy"] or 0.0
    return (value - chance) / (1 - chance)


@given(judged())
@with_settings(max_examples=40, deadline=None)
def test_the_metric_is_the_mean_of_values_above_chance(rows: tuple[list[Sample], list[Verdict], list[Verdict]]) -> None:
    samples, before, after = rows
    result = measured(after, samples, SETTINGS)
    values = [own_value("rating", samples, after, 0.0), own_value("kind", samples, after, 0.5)]
    assert result["strict"]["above_chance"] == pytest.approx(sum(values) / 2)
    assert (result["by_task"]["rating"]["chance"], result["by_task"]["kind"]["chance"]) == (0.0, 0.5)
    gain = gain_on(before, after, samples, SETTINGS)
    assert gain is not None
    old = measured(before, samples, SETTINGS)["strict"]["above_chance"] or 0.0
    assert gain.difference == pytest.approx(sum(values) / 2 - old)


def test_the_noise_is_the_jackknife_over_groups_of_all_tasks() -> None:
    generator = np.random.default_rng(0)
    samples, before, after = list[Sample](), list[Verdict](), list[Verdict]()
    for place in range(12):
        for name, labels in LABELS.items():
            samples.append(
                Sample(f"{name}/{place}", (), labels[place % len(labels)], task=name, group=f"g{place // 2}")
            )
            for verdicts in (before, after):
                label = labels[int(generator.integers(len(labels)))]
                verdicts.append(Verdict(samples[-1].id, "ok", label))
    chances = {"rating": 0.0, "kind": 0.5}

    def difference(left_out: str | None) -> float:
        rows = [row for row in zip(samples, before, after, strict=True) if row[0].group != left_out]
        kept = [s for s, _, _ in rows]
        values = [
            own_value(name, kept, [row[2] for row in rows], chance)
            - own_value(name, kept, [row[1] for row in rows], chance)
            for name, chance in chances.items()
        ]
        return sum(values) / 2

    left_out = np.array([difference(f"g{group}") for group in range(6)])
    noise = sqrt(5 / 6 * float(np.square(left_out - left_out.mean()).sum()))
    gain = gain_on(before, after, samples, SETTINGS)
    assert gain is not None
    assert gain.difference == pytest.approx(difference(None)) and gain.noise == pytest.approx(noise)


def test_a_clear_gain_on_both_tasks_is_significant_and_none_is_not() -> None:
    samples, wrong, right = list[Sample](), list[Verdict](), list[Verdict]()
    for place in range(30):
        for name, labels in LABELS.items():
            label = labels[place % len(labels)]
            samples.append(Sample(f"{name}/{place}", (), label, task=name, group=f"g{place}"))
            wrong.append(Verdict(samples[-1].id, "ok", labels[0]))
            right.append(Verdict(samples[-1].id, "ok", label))
    p_value, (low, high), beyond = compare_on_tasks(wrong, right, samples, SETTINGS)
    assert p_value < 0.001 and 0.5 < low <= 1 <= high
    assert beyond == {"metric": "above_chance", "value": pytest.approx(1), "ci95": [pytest.approx(1), pytest.approx(1)]}
    assert compare_on_tasks(right, right, samples, SETTINGS)[:2] == (1.0, (0.0, 0.0))
    errors = [Verdict(sample.id, "error", None) for sample in samples]
    assert compare_on_tasks(errors, right, samples, SETTINGS)[2]["value"] is None
    assert gain_on(errors, right, samples, SETTINGS) is None
    assert fall_of_loss(wrong, right, samples, SETTINGS) == pytest.approx((0.5 + 0.5) / 2)
    assert fall_of_loss(errors, right, samples, SETTINGS) is None


def test_the_share_of_a_checklist_is_weighted_over_answered_items() -> None:
    checks = {"kind": "categorical", "labels": ["no", "yes"], "positive": "yes"}
    entries = [{"name": "sharp", "weight": 3, **checks}, {"name": "legible", **checks}]
    settings = Settings.model_validate({"criteria": entries, "criteria_aggregate": "share", "data": {"path": "x"}})
    labels = [("yes", "no"), ("no", "yes"), ("yes", "yes")]
    samples = [
        Sample(f"{name}/{place}", (), label, task=name)
        for place, pair in enumerate(labels)
        for name, label in zip(("sharp", "legible"), pair, strict=True)
    ]
    answers = [Verdict(s.id, "ok", "yes") for s in samples]
    missing = [*answers[:-1], Verdict(samples[-1].id, "refused", None)]
    assert shares(samples, [s.label for s in samples], settings) == {"0": 0.75, "1": 0.25, "2": 1.0}
    own = [Verdict(s.id, "ok", s.label) for s in samples]
    result = aggregate_result(samples, answers, own, settings)
    assert (result["n"], result["initial"]) == (3, {"mae": pytest.approx(1 / 3), "spearman": None})
    assert result["best"] == {"mae": 0.0, "spearman": pytest.approx(1)}
    assert aggregate_result(samples, missing, own, settings)["n"] == 2
    assert aggregate_result([], [], [], settings)["best"] == {"mae": None, "spearman": None}
