"""Section `data.raters`."""

from typing import Literal, Self

from pydantic import model_validator

from state.settings.section import Section
from state.settings.task_settings import TaskSettings

Aggregate = Literal["majority", "mean", "median"]


class RaterSettings(Section):
    """Ratings of several people for one sample."""

    file: str | None = None
    """File of ratings (.csv, .tsv, .jsonl, .json, .parquet) that names samples by `data.id`, else by `data.image`.
    null: the ratings are in the labels file."""
    by: str | None = None
    """Column of the rater; a row is one rating. Rows with one id, else with one image, are one sample."""
    columns: tuple[str, ...] = ()
    """Columns of ratings, one for each rater; a row is one sample."""
    label: str | None = None
    """Column of the rating in `file`; null: `data.label`, else `rating`."""
    aggregate: Aggregate | None = None
    """From ratings to the label. null: majority for categories, median for ratings, mean if `task.round` is set.
    Tied majority: the first of the tied labels in `task.labels`, for ratings the nearest to the mean, else the lower.
    Median between two ratings: rounded, 3.5 is 4."""
    label_from: Literal["ratings", "column"] = "ratings"
    """Source of the label. ratings: the aggregated ratings. column: `data.label`; the ratings only say how far people
    agree, and a sample may lack ratings."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.by is not None and self.columns:
            raise ValueError("give by (a column of raters) or columns (a column for each rater), not both")
        if self.file is None and self.by is None and not self.columns:
            raise ValueError("needs by (a column of raters), columns (a column for each rater), or file")
        if len(set(self.columns)) != len(self.columns) or len(self.columns) == 1:
            raise ValueError("columns must name at least two different columns, one for each rater")
        if self.label_from == "column" and self.is_long_table:
            raise ValueError("label_from: column needs file or columns; with by, a row holds one rating and no label")
        return self

    @property
    def is_long_table(self) -> bool:
        """True if a row of the labels file is one rating."""
        return self.file is None and self.by is not None

    def rule(self, task: TaskSettings) -> Aggregate:
        """Return the rule from ratings to a label."""
        if self.aggregate is not None:
            return self.aggregate
        if task.kind != "ordinal":
            return "majority"
        return "median" if task.round is None else "mean"
