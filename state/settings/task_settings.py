"""Section `task`."""

from functools import cache
from typing import Literal, Self

from pydantic import model_validator

from state.settings.section import Section


class TaskSettings(Section):
    """Labels of the task."""

    kind: Literal["ordinal", "categorical", "pairwise", "ranking"] = "ordinal"
    """ordinal: integers in [min, max]; categorical: one of `labels`; pairwise: a or b, the better of two images or of
    two texts; ranking: the images of a group, at most eight, from best to worst."""
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
    ties: bool = False
    """Allow a third label, tie (pairwise)."""
    order: Literal["both", "one", "random", "apart"] = "both"
    """Order of a pair in a request (pairwise). both: two requests, a first and b first; also tells how far the judge
    leans to a position. one: a first. random: one order for each pair, drawn from search.seed and the pair's id.
    apart: for comparison, without a search: the judge labels each of the two alone, by min and max or by `labels`, and
    the higher rating, or the label `positive`, is better."""
    best: Literal["lowest", "highest"] | None = None
    """The best value of data.label (ranking). lowest: ranks, 1 is the best. highest: ratings or scores."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problem := self._foreign_field() or (self._scale_problem() if self.kind == "ordinal" else None):
            raise ValueError(problem)
        if self.kind == "categorical" and (len(set(self.labels)) != len(self.labels) or len(self.labels) < 2):
            raise ValueError("labels must name at least two different categories")
        if self.positive is not None and self.positive not in self.labels:
            raise ValueError(f"positive ({self.positive}) is not one of labels")
        return self

    def _scale_problem(self) -> str | None:
        if self.min >= self.max:
            return f"min ({self.min}) must be below max ({self.max})"
        if self.max - self.min > 1000:
            return f"a scale has at most 1001 ratings, {self.min} to {self.max} is more"
        return None

    def _apart_problem(self) -> str | None:
        if not self.labels:
            return self._scale_problem()
        if len(set(self.labels)) == 2 == len(self.labels) and self.positive is not None:
            return None
        return "order: apart compares ratings, or two labels; give min and max, or two labels and positive, the better"

    def _foreign_field(self) -> str | None:
        """Return the problem of a field that belongs to another kind."""
        if self.labels and self.kind == "ordinal":
            return "labels belongs to kind: categorical; an ordinal task has min and max"
        if self.round is not None and self.kind != "ordinal":
            return "round belongs to kind: ordinal; categories are not rounded"
        if self.kind == "pairwise" and self.order == "apart":
            return self._apart_problem()
        if self.labels and self.kind == "pairwise":
            return "labels belongs to kind: categorical; a pair has the labels a and b, and tie with ties"
        if self.labels and self.kind == "ranking":
            return "labels belongs to kind: categorical; a ranking has data.label with ranks or ratings"
        if self.kind != "pairwise" and (self.ties or self.order != "both"):
            return "ties and order belong to kind: pairwise"
        if (self.kind == "ranking") != (self.best is not None):
            return (
                "best belongs to kind: ranking"
                if self.best
                else "best is missing; set lowest for ranks (1 is the best), highest for ratings"
            )
        return None

    @property
    def values(self) -> tuple[int, ...] | tuple[str, ...]:
        """All labels, lowest or first label first; empty for a ranking, whose labels are texts of `state.ranking`."""
        if self.kind == "pairwise":
            return ("a", "b", "tie") if self.ties else ("a", "b")
        return tuple(range(self.min, self.max + 1)) if self.kind == "ordinal" else self.labels

    @property
    def answer_scale(self) -> "TaskSettings":
        """Scale of the judge's answers: the task itself; for pairs the categories first, second and, with ties, tie.

        Under `order: apart` the scale of one image. For a ranking use `scale_of`.
        """
        if self.kind != "pairwise":
            return self
        return _scale_apart(self) if self.order == "apart" else _positions(self.ties)

    def scale_of(self, images: int) -> "TaskSettings":
        """Return the scale of the answers about a sample: `answer_scale`, for a ranking with the numbers of images."""
        return _numbers(images) if self.kind == "ranking" else self.answer_scale

    @property
    def questions(self) -> int:
        """Judge requests for a sample under one prompt, repairs not counted."""
        return 2 if self.kind == "pairwise" and self.order in ("both", "apart") else 1

    @property
    def has_both_orders(self) -> bool:
        """True if the judge sees every pair in both orders."""
        return self.kind == "pairwise" and self.order == "both"


@cache
def _positions(ties: bool) -> TaskSettings:
    """Return the scale of the answers about a pair as shown."""
    return TaskSettings(kind="categorical", labels=("first", "second", "tie") if ties else ("first", "second"))


@cache
def _scale_apart(pairs: TaskSettings) -> TaskSettings:
    """Return the scale of the answers about one of a pair."""
    if pairs.labels:
        return TaskSettings(kind="categorical", labels=pairs.labels, positive=pairs.positive)
    return TaskSettings(kind="ordinal", min=pairs.min, max=pairs.max)


@cache
def _numbers(images: int) -> TaskSettings:
    """Return the scale of a permutation of so many images: the numbers from min to max."""
    return TaskSettings(kind="ranking", best="lowest", max=images)
