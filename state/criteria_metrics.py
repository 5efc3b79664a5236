"""Agreement over several criteria of one image or one pair: aggregate, conflicts, correlations."""

from typing import Literal

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class AggregateValues(TypedDict):
    """Agreement of the judge's shares of a checklist with people's shares."""

    mae: float | None
    """Mean absolute error of the share, in [0, 1]; lower is better. None without an item."""
    spearman: float | None
    """None if all shares of one side are equal."""


class AggregateResult(TypedDict):
    """Agreement on the aggregate of a checklist, over the items with an answer to each criterion."""

    n: int
    """Items."""
    initial: AggregateValues
    best: AggregateValues


class CriteriaAgreement(TypedDict):
    """Agreement about pairs under several criteria at once: see `blpo.metrics.criteria_conflicts`."""

    pairs: int
    """Pairs, each with all its criteria."""
    all_right: float | None
    """Share of pairs that are right by every criterion; None without a pair."""
    divided_pairs: int
    """Pairs with a conflict: people prefer one side by a criterion, and the other side by another."""
    trade_off_sensitivity: float | None
    """Share of such pairs for which the judge prefers different sides by two criteria in conflict."""
    conflicts: int
    """Every two criteria in conflict, over all pairs."""
    conflict_match: float | None
    """Share of conflicts with both criteria right."""


class CriteriaTest(TypedDict):
    """Agreement of p_0 and of the selected prompt about pairs under several criteria."""

    initial: CriteriaAgreement
    best: CriteriaAgreement


CorrelationMeasure = Literal["phi", "spearman", "kappa"]


class CriteriaCorrelation(TypedDict):
    """Correlation of two criteria over the test images with an answer about both under both prompts.

    None: undefined, as for a single label.
    """

    criteria: list[str]
    """The two names."""
    measure: CorrelationMeasure
    n: int
    """Number of images."""
    people: float | None
    """Correlation of the human labels, in [-1, 1]."""
    initial: float | None
    """Correlation of the judge's answers under p_0."""
    best: float | None
    """Correlation of the judge's answers under the selected prompt."""
