"""Replay of all thresholds of a confidence over judged samples: nothing is asked and nothing is paid."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from blpo.deployment.trust import is_right, with_confidence
from blpo.deployment.verdict_lines import JudgedSample

STEPS = 10
"""Rows of the table: coverages of 10 %, 20 % ... 100 %."""


class ReplayRow(TypedDict):
    """The verdicts of at least a confidence."""

    threshold: float
    coverage: float
    """Share of the labelled samples; a verdict without a confidence is never covered."""
    agreement: float
    """Share of right verdicts among the covered."""
    left: int
    """Samples below the threshold: for people, or for another judge."""


def replay(items: Sequence[JudgedSample]) -> list[ReplayRow]:
    """Return the thresholds nearest to each coverage, from the highest threshold to the lowest."""
    labelled = [item for item in items if item.sample.label is not None]
    ranking = sorted(with_confidence(labelled), key=lambda item: -(item.confidence or 0.0))
    rows: dict[float, ReplayRow] = {}
    for step in range(1, STEPS + 1):
        rank = -(-len(labelled) * step // STEPS)
        if not 0 < rank <= len(ranking):
            break
        threshold = ranking[rank - 1].confidence or 0.0
        covered = [item for item in ranking if (item.confidence or 0.0) >= threshold]
        rows[threshold] = ReplayRow(
            threshold=threshold,
            coverage=len(covered) / len(labelled),
            agreement=sum(map(is_right, covered)) / len(covered),
            left=len(labelled) - len(covered),
        )
    return list(rows.values())
