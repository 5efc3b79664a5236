"""A panel of judges beside its members on the test split."""

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class PanelMember(TypedDict):
    """A member of a panel alone, under the selected prompt."""

    member: str
    validation: float | None
    """Search metric on validation, with failures as wrong; None if undefined."""
    test: float | None


class PanelTest(TypedDict):
    """A panel beside its best member on the test split, under the selected prompt.

    A sample with an `error` of either is left out of the comparison.
    """

    alpha: float | None
    """Krippendorff's alpha between all answers; None if undefined."""
    members: list[PanelMember]
    best_member: str
    """Best member on validation; the first of equal ones."""
    panel: float | None
    """Search metric of the panel, with failures as wrong; None if undefined."""
    difference: float
    """Search metric of the panel - of its best member. An undefined value counts as 0."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of `difference`."""
    p_value: float
    """Two-sided paired permutation test on the search metric."""
