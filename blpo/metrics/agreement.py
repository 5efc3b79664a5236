"""Agreement between predicted and human labels: the metrics of a split, in two readings.

An undefined value (no samples; constant labels for kappa and Spearman) is 0.0, never NaN and never a warning.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, recall_score

from blpo.metrics.loss import require_label
from blpo.metrics.readings import strict_reading
from state.result import Agreement, Metrics
from state.sample import Label
from state.settings import Metric, TaskSettings
from state.verdict import Verdict

Prediction = Label | None
"""A predicted label; None for a failure (unparseable or refused)."""


def agreement(predicted: Sequence[Prediction], human: Sequence[Label], task: TaskSettings) -> Agreement:
    """Compare `predicted` with `human`, sample by sample. A failure (None) counts as wrong.

    * `accuracy`, `balanced_accuracy` (mean recall), `macro_f1`: in [0, 1]. The means run over the labels that occur
      among the *human* labels, so that two prompts on the same samples are averaged over the same classes. An answer
      that occurs among no human labels costs recall, but doesn't change the number of classes.
    * `kappa` (Cohen's): in [-1, 1]; 0.0 if all answers and all human labels are the same label.
    * `majority_baseline`: the accuracy of always answering the most frequent human label.
    * ordinal tasks only: `mae` in label steps (lower is better), `quadratic_kappa` and `spearman` in [-1, 1].

    A failure counts as the label farthest from the human label in the task's order (from the middle: the lowest label),
    so that no metric prefers a failure to a wrong answer. For `mae` a failure counts max - min. Raises `ValueError` for
    sequences of different lengths and for a label outside the task.
    """
    if len(predicted) != len(human):
        raise ValueError(
            f"{len(predicted)} predictions for {len(human)} human labels; give a prediction for every label"
        )
    values: tuple[Label, ...] = task.values
    codes = {label: code for code, label in enumerate(values)}
    top = len(codes) - 1
    true = [_code(codes, label) for label in human]
    answers = [_farthest(y, top) if p is None else _code(codes, p) for p, y in zip(predicted, true, strict=True)]
    result = _nominal(answers, true)
    if task.kind == "ordinal":
        steps = [top if p is None else abs(a - y) for p, a, y in zip(predicted, answers, true, strict=True)]
        result["mae"] = float(np.mean(steps)) if steps else 0.0
        result["quadratic_kappa"], result["spearman"] = _ordinal(answers, true, top)
    return result


def metrics(verdicts: Sequence[Verdict], labels: Sequence[Label | None], task: TaskSettings) -> Metrics:
    """Return the metrics of a prompt on a split. `verdicts` and `labels` list the same samples in the same order.

    Two readings: over the answered samples, and `strict` with `unparseable` and `refused` as wrong. `error` verdicts
    enter neither reading, but count in `n` and so against `coverage` (0.0 for no samples at all). Raises `ValueError`
    for a sample without a label or with a label outside the task.
    """
    pairs = [(v, require_label(v, label)) for v, label in zip(verdicts, labels, strict=True)]
    predictions = [(v.label, label) for v, label in pairs if v.status != "error"]
    answered = [(answer, label) for answer, label in predictions if answer is not None]
    return {
        "n": len(pairs),
        "coverage": len(answered) / len(pairs) if pairs else 0.0,
        **_agreement_of_pairs(answered, task),
        "strict": _agreement_of_pairs(predictions, task),
    }


def value(metrics: Metrics, metric: Metric) -> float:
    """Return the strict reading of `metric`. The strict reading selects among prompts; higher is better.

    Rounded to 12 decimals, so that rounding errors don't break a tie.
    """
    return round(strict_reading(metrics, metric), 12)


def _agreement_of_pairs(pairs: Sequence[tuple[Prediction, Label]], task: TaskSettings) -> Agreement:
    return agreement([answer for answer, _ in pairs], [label for _, label in pairs], task)


def _code(codes: dict[Label, int], label: Label) -> int:
    try:
        return codes[label]
    except KeyError:
        raise ValueError(f"label {label!r} is not one of the task's labels: {', '.join(map(str, codes))}") from None


def _nominal(answers: list[int], true: list[int]) -> Agreement:
    if not true:
        return Agreement(accuracy=0.0, balanced_accuracy=0.0, macro_f1=0.0, kappa=0.0, majority_baseline=0.0)
    classes = sorted(set(true))
    return Agreement(
        accuracy=float(accuracy_score(true, answers)),
        balanced_accuracy=float(recall_score(true, answers, labels=classes, average="macro", zero_division=0.0)),
        macro_f1=float(f1_score(true, answers, labels=classes, average="macro", zero_division=0.0)),
        kappa=_kappa(answers, true, sorted({*true, *answers}), None),
        majority_baseline=max(Counter(true).values()) / len(true),
    )


def _ordinal(answers: list[int], true: list[int], top: int) -> tuple[float, float]:
    if not true:
        return 0.0, 0.0
    varied = len(set(answers)) > 1 and len(set(true)) > 1
    return (
        _kappa(answers, true, list(range(top + 1)), "quadratic"),
        float(spearmanr(true, answers).statistic) if varied else 0.0,
    )


def _farthest(code: int, top: int) -> int:
    return top if top - code > code else 0


def _kappa(answers: list[int], true: list[int], labels: list[int], weights: str | None) -> float:
    if len({*answers, *true}) == 1:
        return 0.0
    return float(cohen_kappa_score(true, answers, labels=labels, weights=weights))
