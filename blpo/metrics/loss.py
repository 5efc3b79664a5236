"""l(y_hat, y), the loss of a verdict, and score(q; p), the value of a trial of the inner loop."""

from collections.abc import Sequence
from math import fsum
from statistics import fmean

from blpo.metrics.rankings import tau_b
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Verdict

LossTarget = Label | float
"""y: a label, or the mean of raters."""


def loss(verdict: Verdict, label: LossTarget | None, task: TaskSettings) -> float | None:
    """Return l(y_hat, y) in [0, 1], lower is better. None for an `error`: it says nothing about the prompt.

    Categories: 0 if right, else 1. Ratings: |y_hat - y| / (max - min). Pairs: the mean over the orders of 0 if right,
    1/2 for a tie in place of a or b or the reverse, else 1. Rankings: (1 - tau-b) / 2. `unparseable` and `refused`
    count 1. Otherwise a prompt could win by making hard cases fail. Raises `ValueError` if the sample has no label.
    """
    if not isinstance(label, float):  # a float is a mean of raters
        label = require_label(verdict, label)
    if verdict.status == "error":
        return None
    if task.kind == "pairwise":
        return fmean(_loss_in_order(ordered, label) for ordered in verdict.orders or (verdict,))
    if verdict.label is None:
        return 1.0
    if task.kind == "ranking":
        return (1 - tau_b(str(label), str(verdict.label))) / 2
    if task.kind == "ordinal":
        return abs(int(verdict.label) - float(label)) / (task.max - task.min)
    return float(verdict.label != label)


def _loss_in_order(answer: OrderedVerdict | Verdict, label: LossTarget) -> float:
    if answer.label is None or answer.label == label:
        return float(answer.label is None)
    return 0.5 if "tie" in (answer.label, label) else 1.0


def score(
    before: Sequence[Verdict], after: Sequence[Verdict], labels: Sequence[LossTarget | None], task: TaskSettings
) -> float | None:
    """Return the score of q under p: mean of l(f(x; p), y) - l(f(x; J(q, p)), y), in [-1, 1]; higher is better.

    The three sequences list the same samples in the same order. A sample with an `error` before or after is left out.
    None if no sample remains. Rounded to 12 decimals, so that rounding errors don't break a tie.
    """
    triples = zip(before, after, labels, strict=True)
    losses = [(loss(old, label, task), loss(new, label, task)) for old, new, label in triples]
    gains = [old - new for old, new in losses if old is not None and new is not None]
    return round(fsum(gains) / len(gains), 12) if gains else None


def require_label(verdict: Verdict, label: Label | None) -> Label:
    """Return the human label of the verdict's sample. Raises `ValueError` if the sample has no label."""
    if label is None:
        raise ValueError(f"sample {verdict.sample_id} has no label; label the sample or leave the sample out")
    return label
