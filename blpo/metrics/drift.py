"""Drift: two judgings of the same samples, by the same judge at two times."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from blpo.metrics.agreement import metrics
from blpo.metrics.probe_rates import wilson_interval
from blpo.metrics.readings import strict_reading
from blpo.metrics.significance import compare_prompts
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict

Flip = tuple[Label | None, Label | None]
"""Label before and after; None for a verdict without a label."""


@dataclass(frozen=True, slots=True)
class AgreementChange:
    """Agreement with people before and after, over the labelled samples without an `error` at either time."""

    metric: str
    """`accuracy`; for rankings `kendall_tau_b`. Refused and unparseable verdicts count as wrong."""
    before: float | None
    """None: undefined."""
    after: float | None
    p_value: float
    """Two-sided, in (0, 1]: McNemar's exact test; with groups, pairs or rankings a permutation test over groups."""
    difference_ci95: tuple[float, float]
    """Interval (low, high) of after - before."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Difference of two judgings, over the samples without an `error` at either time."""

    samples: int
    flips: Counter[Flip]
    """Samples whose label changed, by the labels before and after."""
    agreement: AgreementChange | None
    """None without labelled samples."""

    @property
    def share(self) -> float | None:
        """Share of the samples whose label changed; None without a sample."""
        return self.flips.total() / self.samples if self.samples else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of `share` by Wilson (1927); None without a sample."""
        return wilson_interval(self.flips.total(), self.samples)


def drift_of(
    before: Sequence[Verdict],
    after: Sequence[Verdict],
    labels: Sequence[Label | None],
    task: TaskSettings,
    groups: Sequence[str | None] | None = None,
) -> Drift:
    """Return the drift between two judgings of the same samples, in the same order.

    `labels` are people's; None for a sample without. A sample with an `error` at either time is left out. `groups` are
    as in `compare_prompts`.
    """
    groups = [None] * len(labels) if groups is None else groups
    rows = [
        row for row in zip(before, after, labels, groups, strict=True) if "error" not in (row[0].status, row[1].status)
    ]
    flips = Counter((old.label, new.label) for old, new, _, _ in rows if old.label != new.label)
    labelled = [row for row in rows if row[2] is not None]
    return Drift(len(rows), flips, _agreement_change(labelled, task) if labelled else None)


def _agreement_change(
    rows: Sequence[tuple[Verdict, Verdict, Label | None, str | None]], task: TaskSettings
) -> AgreementChange:
    old, new, labels, groups = zip(*rows, strict=True)
    metric = "kendall_tau_b" if task.kind == "ranking" else "accuracy"
    before, after = (strict_reading(metrics(each, labels, task, groups=groups), metric) for each in (old, new))
    p_value, interval = compare_prompts(old, new, labels, task, metric, seed=0, groups=groups)
    return AgreementChange(metric, before, after, p_value, interval)
