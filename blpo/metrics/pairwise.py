"""Metrics of pairs: which of two is better, answered in one order or in both orders.

A pair has an answer for every order. Metrics such as accuracy and kappa count answers: a pair in both orders is two
rows of one group. Consistent accuracy and consistency count pairs. `first_rate` tells a lean to a position: a judge
that looks at the pair alone answers "first" in one order and "second" in the other, so its rate is one half.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from blpo.metrics.confusion import Floats
from blpo.metrics.resampling import own_groups
from blpo.metrics.undefined import Undefined, Value
from state.sample import Label
from state.settings import PAIR_METRICS, TaskSettings
from state.verdict import OrderedVerdict, Verdict

_TIE = "tie"
"""Label and answer of a pair whose two sides are equally good."""
_CONFIDENCE = 0.95


def answers_of(verdict: Verdict) -> tuple[Verdict, ...]:
    """Return a verdict for every order of a pair; for other tasks the verdict alone.

    A pair with an `error` in an order is one error: no answer of the pair counts.
    """
    if verdict.status == "error" or not verdict.orders:
        return (verdict,)
    return tuple(Verdict(verdict.sample_id, each.status, each.label, each.reason) for each in verdict.orders)


def counted_verdicts(verdict: Verdict, metric: str) -> tuple[Verdict, ...]:
    """Return the verdicts that a metric counts: the pair itself for a metric of pairs, else its answers."""
    return (verdict,) if metric in PAIR_METRICS else answers_of(verdict)


def answer_pairs(first: Verdict, second: Verdict, metric: str) -> list[tuple[Verdict, Verdict]]:
    """Return what a metric counts of one sample under two prompts, order by order.

    An answer in a single order stands for every order of the other side.
    """
    if "error" in (first.status, second.status):
        return [(first, second)]
    answers, others = counted_verdicts(first, metric), counted_verdicts(second, metric)
    rows = max(len(answers), len(others))
    return [(answers[place % len(answers)], others[place % len(others)]) for place in range(rows)]


def answers_first(each: OrderedVerdict) -> bool | None:
    """Return True for the answer "first", False for "second"; None for a tie and without an answer."""
    return None if each.label is None or each.label == _TIE else each.label == each.order[0]


@dataclass(frozen=True, slots=True)
class Positions:
    """Answers by position, over all answers of a set of pairs."""

    first_rate: Value
    """Share of "first" among the answers "first" and "second"; 0.5 without a lean."""
    interval: tuple[float, float] | None
    """95 % interval of `first_rate`, by groups of pairs; None for less than two groups with such an answer."""
    ties: Value
    """Share of "tie" among all answers."""
    consistency: Value
    """Share of pairs with the same label in all orders; a pair with a failure is not consistent."""

    @classmethod
    def of(cls, verdicts: Sequence[Verdict], groups: Sequence[str | None] | None = None) -> "Positions":
        """Count the answers of pairs without an error; a failure in an order is no answer.

        `groups` are those of `compare_prompts`.
        """
        units = own_groups([None] * len(verdicts) if groups is None else groups)
        places = {unit: place for place, unit in enumerate(dict.fromkeys(units))}
        counts = np.zeros((len(places), 2))
        ties = answers = 0
        for unit, verdict in zip(units, verdicts, strict=True):
            for each in verdict.orders if verdict.status != "error" else ():
                answers += each.label is not None
                ties += each.label == _TIE
                if (is_first := answers_first(each)) is not None:
                    counts[places[unit]] += (is_first, 1)
        counts = counts[counts[:, 1] > 0]
        first, total = counts.sum(axis=0)
        return cls(
            float(first / total) if total else Undefined("no answer is first or second"),
            share_interval(counts) if len(counts) > 1 else None,
            ties / answers if answers else Undefined("no pair has an answer"),
            _share([verdict.label is not None for verdict in verdicts if verdict.status != "error"]),
        )


def pair_values(
    verdicts: Sequence[Verdict], labels: Sequence[Label], positions: Positions, task: TaskSettings
) -> dict[str, Value]:
    """Return the metrics of pairs by name: none for tasks without pairs, and few for pairs asked in one order.

    `verdicts` hold no error. A pair with a failure in an order is neither right nor consistent.
    """
    if task.kind != "pairwise":
        return {}
    values: dict[str, Value] = {}
    if task.questions > 1:
        right = [verdict.label == label for verdict, label in zip(verdicts, labels, strict=True)]
        values["consistent_accuracy"] = _share(right)
        values["consistency"] = _share([verdict.label is not None for verdict in verdicts])
    if task.order != "apart":  # no answer about one side alone has a position
        values["first_rate"] = positions.first_rate
    if task.ties:
        values["ties"] = positions.ties
    return values


def share_interval(counts: Floats) -> tuple[float, float]:
    """Return the 95 % interval of a share from counts by group, shape (groups, 2): hits, and trials above 0.

    The standard error of a ratio is by groups (Cochran 1977, section 6.4), with Student's t. Two groups of half the
    mean size are added, one of hits and one of misses, as Agresti and Coull (1998) add trials to a proportion: a few
    groups without any difference are no certainty. The interval holds the share and lies in [0, 1].
    """
    groups = len(counts)
    half_group = counts[:, 1].mean() / 2
    hits, trials = np.concatenate([counts, [[half_group, half_group], [0.0, half_group]]]).T
    share, observed = hits.sum() / trials.sum(), counts[:, 0].sum() / counts[:, 1].sum()
    size = len(trials)
    error = sqrt(float(np.square(hits - share * trials).sum()) * size / (size - 1)) / trials.sum()
    half = float(stdtrit(groups - 1, (1 + _CONFIDENCE) / 2)) * error
    low, high = min(share - half, observed), max(share + half, observed)
    return max(0.0, float(low)), min(1.0, float(high))


def _share(hits: Sequence[bool]) -> Value:
    return sum(hits) / len(hits) if hits else Undefined("no pair has an answer in every order")
