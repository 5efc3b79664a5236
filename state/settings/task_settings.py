"""Section `task`."""

from typing import Literal, Self

from pydantic import model_validator

from state.settings.section import Section


class TaskSettings(Section):
    """Labels of the task."""

    kind: Literal["ordinal", "categorical"] = "ordinal"
    """ordinal: integers in [min, max]; categorical: one of `labels`."""
    min: int = 1
    """Lowest rating (ordinal)."""
    max: int = 5
    """Highest rating (ordinal)."""
    round: Literal["nearest", "none"] | None = None
    """Ratings with fractions, such as means of raters (ordinal). null: each such rating is a problem. nearest: the
    label is the nearest rating, 3.5 is 4. none: the same label for metrics of classes; the error batch is drawn by the
    label; the loss, MAE, Pearson and Spearman compare with the rating as it is."""
    labels: tuple[str, ...] = ()
    """Categories (categorical), at least two."""
    positive: str | None = None
    """Category that scores 1 in exports; one of `labels`: the good one, or the one to detect."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "ordinal":
            if self.min >= self.max:
                raise ValueError(f"min ({self.min}) must be below max ({self.max})")
            if self.max - self.min > 1000:
                raise ValueError(f"a scale has at most 1001 ratings, {self.min} to {self.max} is more")
            if self.labels:
                raise ValueError("labels belongs to kind: categorical; an ordinal task has min and max")
        elif self.round is not None:
            raise ValueError("round belongs to kind: ordinal; categories are not rounded")
        elif len(set(self.labels)) != len(self.labels) or len(self.labels) < 2:
            raise ValueError("labels must name at least two different categories")
        if self.positive is not None and self.positive not in self.labels:
            raise ValueError(f"positive ({self.positive}) is not one of labels")
        return self

    @property
    def values(self) -> tuple[int, ...] | tuple[str, ...]:
        """All labels, lowest or first label first."""
        return tuple(range(self.min, self.max + 1)) if self.kind == "ordinal" else self.labels
