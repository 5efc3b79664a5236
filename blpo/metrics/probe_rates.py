"""Rates of a probe: how often a change of the question changes the verdict, and to which side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from blpo.metrics.holm import holm


@dataclass(frozen=True, slots=True)
class ProbeRates:
    """Counts of one probe. A flip is a verdict that the change alters."""

    n: int
    """Samples with an answer before and after the change."""
    flips: int
    up: int
    """Flips to a higher rating, or to the label that pressure asks for."""
    down: int

    @property
    def rate(self) -> float | None:
        """Share of flips; None without a sample."""
        return self.flips / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of the rate by Wilson (1927); None without a sample."""
        return wilson_interval(self.flips, self.n)

    @property
    def p_value(self) -> float:
        """Exact sign test, two-sided: flips go up as often as down. 1.0 without a flip to a side."""
        return float(binomtest(self.up, self.up + self.down).pvalue) if self.up + self.down else 1.0

    @property
    def p_up(self) -> float:
        """The same, one-sided: flips go up no more often than down."""
        if not self.up + self.down:
            return 1.0
        return float(binomtest(self.up, self.up + self.down, alternative="greater").pvalue)


def wilson_interval(count: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a share by Wilson (1927); None for n = 0."""
    if not n:
        return None
    low, high = binomtest(count, n).proportion_ci(method="wilson")
    return float(low), float(high)


def biased(p_values: Mapping[str, float], level: float = 0.05) -> set[str]:
    """Return the probes with a bias, by Holm's correction over all probes."""
    corrected = holm(list(p_values.values()))
    return {name for name, p_value in zip(p_values, corrected, strict=True) if p_value < level}


def order_violation(wins: Sequence[Sequence[float]]) -> float:
    """Return the smallest share of pairwise answers against a total order of the items, in [0, 1].

    `wins[i][j]` is the share of answers that prefer i to j, of the answers about i and j; `wins[i][j] + wins[j][i]` is
    1. An answer counts against an order if the order puts the loser first; for answers in both orders of a pair, half
    of the answers may count. 0.0 for answers that a total order explains. The minimum over all orders, by dynamic
    programming over sets of items (at most 8 items).
    """
    size = len(wins)
    if size < 2:
        return 0.0
    best = {0: 0.0}
    for subset in range(1, 1 << size):
        members = [i for i in range(size) if subset >> i & 1]
        # `last` is ranked below all other members, so each answer that prefers `last` is against the order.
        best[subset] = min(
            best[subset ^ (1 << last)] + sum(wins[last][other] for other in members if other != last)
            for last in members
        )
    return best[(1 << size) - 1] / (size * (size - 1) / 2)
