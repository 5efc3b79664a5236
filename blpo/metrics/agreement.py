"""Agreement between predicted and human labels: the metrics of a split, in two readings.

An undefined value (no samples; a correlation of constant labels) is None with a reason in `undefined`; never 0, never
NaN and never a warning.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.guessing import guessing
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.loss import require_label
from blpo.metrics.mean_ratings import mean_values
from blpo.metrics.pairwise import Positions, answers_of, pair_values
from blpo.metrics.rankings import list_means
from blpo.metrics.readings import strict_value
from blpo.metrics.undefined import Undefined, Value
from state.metrics import Agreement, Metrics
from state.ranking import reversed_ranking
from state.sample import Label
from state.settings import LABEL_METRICS, NOMINAL_METRICS, ORDINAL_METRICS, TaskSettings
from state.verdict import Verdict

Prediction = Label | None
"""A predicted label; None for a failure (unparseable or refused)."""

MOST_LABELS = 20
"""Tasks with more labels have no metrics by label: the state of a run must stay small."""


def agreement(
    predicted: Sequence[Prediction],
    human: Sequence[Label],
    task: TaskSettings,
    ratings: Sequence[float | None] | None = None,
    further: Mapping[str, Value] | None = None,
) -> Agreement:
    """Compare `predicted` with `human`, sample by sample. A failure (None) counts as wrong.

    * `accuracy`, `balanced_accuracy` (mean recall), `macro_f1`: in [0, 1]. The means run over the labels that occur
      among the *human* labels, so that two prompts on the same samples are averaged over the same classes. An answer
      that occurs among no human labels costs recall, but doesn't change the number of classes.
    * `kappa` (Cohen's) and `mcc` (Matthews' correlation): in [-1, 1].
    * `majority_baseline`: the accuracy of always answering the most frequent human label.
    * `f1`, `recall`, `precision`, `specificity` by label, in [0, 1].
    * rankings: only `kendall_tau_b`, `ndcg` and `top_1`, as means over the lists (`blpo.metrics.rankings`).
    * ordinal tasks only: `mae` in label steps (lower is better); `quadratic_kappa`, `spearman`, `kendall_tau_b` and
      `pearson` in [-1, 1].

    `ratings` are human ratings with fractions (`Sample.rating`), None for a sample without a fraction. Then `mae`,
    `spearman` and `pearson` compare with the ratings, and all other metrics with `human`, the nearest ratings.
    `further` are values of further metrics by name.

    A failure counts as the label farthest from the human label (`farthest_label`), so that no metric prefers a failure
    to a wrong answer. For `mae` a failure counts max - min. Raises `ValueError` for sequences of different lengths and
    for a label outside the task.
    """
    if len(predicted) != len(human):
        raise ValueError(
            f"{len(predicted)} predictions for {len(human)} human labels; give a prediction for every label"
        )
    if task.kind == "ranking":
        return _agreement_of_rankings(predicted, human, task)
    _require_of_task((*human, *(p for p in predicted if p is not None)), task)
    answers = [farthest_label(y, task) if p is None else p for p, y in zip(predicted, human, strict=True)]
    table = _Table.of(answers, human, task)
    values: dict[str, Value] = {name: table.value(name) for name in NOMINAL_METRICS}
    majority = max(Counter(human).values()) / len(human) if human else Undefined(_NO_SAMPLES)
    values["majority_baseline"] = majority
    if task.kind == "ordinal":
        values["mae"] = _mean_error(predicted, human, task)
        values |= {name: table.value(name) for name in ORDINAL_METRICS}
        values |= _against_ratings(predicted, answers, human, ratings, task)
    values |= further or {}
    by_label = {name: {label: table.value(f"{name}.{label}") for label in _labels(task)} for name in LABEL_METRICS}
    return _in_json(values, by_label if len(task.values) <= MOST_LABELS else {})


def farthest_label(human: Label, task: TaskSettings) -> Label:
    """Return the label farthest from the human label in the task's order; from the middle the lowest label.

    For a ranking: the ranking from worst to best.
    """
    if task.kind == "ranking":
        return reversed_ranking(str(human))
    values: tuple[Label, ...] = task.values
    place, top = values.index(human), len(values) - 1
    return values[top if top - place > place else 0]


def metrics(
    verdicts: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    metric: str | None = None,
    ratings: Sequence[float | None] | None = None,
    groups: Sequence[str | None] | None = None,
) -> Metrics:
    """Return the metrics of a prompt on a split. `verdicts` and `labels` list the same samples in the same order.

    Two readings: over the answered samples, and `strict` with `unparseable` and `refused` as wrong. `error` verdicts
    enter neither reading, but count in `n` and so against `coverage` (0.0 for no samples at all). A pair has a row for
    every order; `n` and `coverage` count pairs, and a pair is answered if all orders are. With a search metric,
    `guessing` holds the metric of guessing. `ratings` are those of `agreement`, for the same samples. `groups` are
    those of `compare_prompts`, for the interval of `first_rate`. Raises `ValueError` for a sample without a label or
    with a label outside the task.
    """
    rows = zip(verdicts, labels, [None] * len(labels) if ratings is None else ratings, strict=True)
    all_rows = [_Row(v, require_label(v, label), rating) for v, label, rating in rows]
    strict = [row for row in all_rows if row.verdict.status != "error"]
    answered = [row for row in strict if row.verdict.status == "ok"]
    positions = Positions.of(verdicts, groups)
    counts: dict[str, Any] = {"n": len(all_rows), "coverage": len(answered) / len(all_rows) if all_rows else 0.0}
    answers = [row for row in _answers(strict) if row.verdict.label is not None]
    readings = {
        **_agreement_of_rows(answers, answered, positions, task),
        "strict": _agreement_of_rows(_answers(strict), strict, positions, task),
    }
    result = cast(Metrics, {**counts, **readings})
    if "first_rate" in readings:
        result["first_rate_ci95"] = None if positions.interval is None else list(positions.interval)
    if metric is not None:
        result["guessing"] = guessing([row.label for row in _answers(strict)], task, metric)
    return result


@dataclass(frozen=True, slots=True)
class _Row:
    """A verdict with the human label and rating of the sample."""

    verdict: Verdict
    label: Label
    rating: float | None


def value(metrics: Metrics, metric: str) -> float:
    """Return the strict reading of METRIC or METRIC.LABEL. The strict reading selects among prompts; higher is better.

    An undefined value counts as 0.0: no agreement was shown. Rounded to 12 decimals, so that rounding errors don't
    break a tie.
    """
    return round(strict_value(metrics, metric), 12)


_NO_SAMPLES = "no sample has an answer and a human label"


def _agreement_of_rankings(predicted: Sequence[Prediction], human: Sequence[Label], task: TaskSettings) -> Agreement:
    answers = [farthest_label(y, task) if p is None else p for p, y in zip(predicted, human, strict=True)]
    values = list_means([str(y) for y in human], [str(answer) for answer in answers])
    return _in_json({name: Undefined(_NO_SAMPLES) if math.isnan(mean) else mean for name, mean in values.items()}, {})


@dataclass(frozen=True, slots=True)
class _Table:
    """Confusion matrix of answers without failures."""

    codes: LabelCodes
    counts: Floats

    @classmethod
    def of(cls, answers: Sequence[Label], human: Sequence[Label], task: TaskSettings) -> "_Table":
        codes = LabelCodes.of((*answers, *human), task)
        counts = np.zeros((len(codes), len(codes)))
        rows, columns = ([codes.codes[label] for label in labels] for labels in (human, answers))
        np.add.at(counts, (rows, columns), 1)
        return cls(codes, counts)

    def value(self, metric: str) -> Value:
        """Return METRIC or METRIC.LABEL."""
        number = float(self.codes.values_or_nan(self.counts, metric)) if len(self.codes) else math.nan
        return Undefined(self._reason(metric)) if math.isnan(number) else number

    def _reason(self, metric: str) -> str:
        name, _, label = metric.partition(".")
        if not self.counts.sum():
            return _NO_SAMPLES
        if name in ("kappa", "quadratic_kappa"):
            return "all verdicts and all human labels are one label"
        if not label:
            return f"all {'human labels' if (self.counts.sum(1) > 0).sum() < 2 else 'verdicts'} are one label"
        return {
            "recall": f"no human label is {label}",
            "precision": f"no verdict is {label}",
            "f1": f"no human label and no verdict is {label}",
            "specificity": f"every human label is {label}",
        }[name]


def _labels(task: TaskSettings) -> list[str]:
    """Return the labels as texts, `task.positive` first."""
    return sorted(map(str, task.values), key=lambda label: label != task.positive)


def _require_of_task(labels: Sequence[Label], task: TaskSettings) -> None:
    if unknown := list(set(labels).difference(task.values)):
        raise ValueError(f"label {unknown[0]!r} is not one of the task's labels: {', '.join(map(str, task.values))}")


def _mean_error(predicted: Sequence[Prediction], human: Sequence[Label], task: TaskSettings) -> Value:
    pairs = zip(predicted, human, strict=True)
    steps = [task.max - task.min if p is None else abs(int(p) - int(y)) for p, y in pairs]
    return float(np.mean(steps)) if steps else Undefined(_NO_SAMPLES)


def _against_ratings(
    predicted: Sequence[Prediction],
    answers: Sequence[Label],
    human: Sequence[Label],
    ratings: Sequence[float | None] | None,
    task: TaskSettings,
) -> dict[str, Value]:
    """Return the metrics against ratings with fractions; empty without such a rating."""
    if ratings is None or all(rating is None for rating in ratings):
        return {}
    means = [float(label) if rating is None else rating for label, rating in zip(human, ratings, strict=True)]
    verdicts = [None if answer is None else float(answer) for answer in predicted]
    values = mean_values(verdicts, [float(answer) for answer in answers], means, task.max - task.min)
    reason = "all human ratings are equal" if len(set(means)) < 2 else "all verdicts are one label"
    return {name: Undefined(reason) if math.isnan(number) else number for name, number in values.items()}


def _in_json(values: dict[str, Value], by_label: dict[str, dict[str, Value]]) -> Agreement:
    """Return None in place of undefined values, and the reasons under `undefined`."""
    content: dict[str, Any] = {name: _number(number) for name, number in values.items()}
    content |= {name: {label: _number(v) for label, v in row.items()} for name, row in by_label.items()}
    if reasons := dict(_reasons(values, by_label)):
        content["undefined"] = reasons
    return cast(Agreement, content)


def _number(number: Value) -> float | None:
    return None if isinstance(number, Undefined) else number


def _reasons(values: dict[str, Value], by_label: dict[str, dict[str, Value]]) -> Iterator[tuple[str, str]]:
    rows = {f"{name}.{label}": number for name, row in by_label.items() for label, number in row.items()}
    for name, number in {**values, **rows}.items():
        if isinstance(number, Undefined):
            yield name, number.reason


def _answers(rows: Sequence[_Row]) -> list[_Row]:
    """Return a row for every answer: two for a pair in both orders."""
    return [_Row(answer, row.label, row.rating) for row in rows for answer in answers_of(row.verdict)]


def _agreement_of_rows(
    answers: Sequence[_Row], samples: Sequence[_Row], positions: Positions, task: TaskSettings
) -> Agreement:
    """Return the agreement of a reading: `answers` have a row for every answer, `samples` a row for every sample."""
    return agreement(
        [row.verdict.label for row in answers],
        [row.label for row in answers],
        task,
        [row.rating for row in answers],
        pair_values([row.verdict for row in samples], [row.label for row in samples], positions, task),
    )
