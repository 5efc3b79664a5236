"""Agreement of people with each other, as a ceiling for the judge."""

from typing import NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class JudgeValues(TypedDict):
    """Search metric of the judge against the references of the raters; None if undefined."""

    initial: float | None
    best: float | None


class HumanCeiling(TypedDict):
    """Agreement of one rater with the other raters on the test split, and of the judge with the same references."""

    value: float | None
    """Search metric of one rater: the mean over raters. None if undefined."""
    ci95: list[float] | None
    """Bootstrap interval [low, high] of `value`, over groups of samples and raters; None if undefined."""
    raters: int
    alpha: float | None
    """Krippendorff's alpha of the raters on the test split: ordinal for ratings, nominal for categories."""
    judge: JudgeValues
    difference_ci95: list[float] | None
    """Bootstrap interval [low, high] of judge.best - value."""
    samples: int
    """Samples with the ratings of two people or more, without an `error`."""
    ties: int
    """References with a tie of the other raters, broken by the seed."""
    pooled: bool
    """True if too few raters have ten ratings: all ratings then count as those of one rater."""
    left_out: int
    """Raters with fewer than ten ratings, unless `pooled`."""
    undefined: NotRequired[str]
    """Reason for a missing value."""
