"""Section `task`."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Self

from pydantic import field_serializer, field_validator, model_validator

from state.settings.section import Section

_ORDERS = {"pairwise": ("both", "one", "random", "apart"), "ranking": ("both", "apart", "pairs")}
"""Values of `task.order` by kind."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")


class TaskSettings(Section):
    """Labels of the task."""

    kind: Literal["ordinal", "categorical", "pairwise", "ranking"] = "ordinal"
    """ordinal: integers in [min, max]; categorical: one of `labels`; pairwise: a or b, the better of two images or of
    two texts; ranking: the images of a group, at most eight, from best to worst."""
    min: int = 1
    """Lowest rating (ordinal)."""
    max: int = 5
    """Highest rating (ordinal)."""
    scale: tuple[tuple[int, str], ...] = ()
    """Words of ratings (ordinal), such as {1: unusable, 5: flawless}; the judge and the optimizer are told the words.
    min and max are the ends of the words, unless given."""
    answer: Literal["number", "word"] = "number"
    """Answer of the judge (ordinal): the number, or the word of `scale`. The labels of a run are numbers always."""
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
    order: Literal["both", "one", "random", "apart", "pairs"] = "both"
    """Order of a pair in a request (pairwise). both: two requests, a first and b first; also tells how far the judge
    leans to a position. one: a first. random: one order for each pair, drawn from search.seed and the pair's id.
    apart: for comparison, without a search: the judge labels each of the two alone, by min and max or by `labels`, and
    the higher rating, or the label `positive`, is better. For a ranking, as comparisons without a search, apart: each
    image is labelled alone, and the labels are sorted; pairs: every two images are compared in both orders, and the
    strengths of Bradley and Terry are sorted."""
    higher_is: Literal["better", "worse"] | None = None
    """Meaning of a higher rating (ordinal): a better or a worse image. `blpo audit` then checks that a degraded image
    does not become better. null: ratings say nothing about quality."""
    best: Literal["lowest", "highest"] | None = None
    """The best value of data.label (ranking). lowest: ranks, 1 is the best. highest: ratings or scores."""

    @field_validator("scale", mode="before")
    @classmethod
    def _from_mapping(cls, scale: object) -> object:
        """Read {rating: word}. Words such as yes and 1 are read as YAML reads them, and are no text."""
        if not isinstance(scale, Mapping):
            return scale
        for word in scale.values():
            if not isinstance(word, str) or not word.strip() or not word.isprintable():
                raise ValueError(f"{word!r} is no word; write a text in quotes on one line")
        ratings = {int(str(rating)): word.strip() for rating, word in scale.items() if _INTEGER.fullmatch(str(rating))}
        if len(ratings) < len(scale):
            raise ValueError("a rating must be an integer; write {1: unusable, 5: flawless}")
        return tuple(sorted(ratings.items()))

    @field_serializer("scale")
    def _as_mapping(self, scale: tuple[tuple[int, str], ...]) -> dict[int, str]:
        return dict(scale)

    @model_validator(mode="after")
    def _with_ends(self) -> Self:
        """Set min and max from the words, unless given."""
        if self.scale:
            ends = {"min": self.scale[0][0], "max": self.scale[-1][0]}
            vars(self).update({name: end for name, end in ends.items() if name not in self.model_fields_set})
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if problem := self._foreign_field() or (self._scale_problem() if self.kind == "ordinal" else None):
            raise ValueError(problem)
        if problem := self._shape_problem():
            raise ValueError(problem)
        if self.kind == "categorical" and (len(set(self.labels)) != len(self.labels) or len(self.labels) < 2):
            raise ValueError("labels must name at least two different categories")
        if self.positive is not None and self.positive not in self.labels:
            raise ValueError(f"positive ({self.positive}) is not one of labels")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the settings that are not the default, as plain values."""
        values = self.model_dump(mode="json", exclude_defaults=True)
        return {name: value for name, value in values.items() if value != {}}  # an empty scale is the default

    def _scale_problem(self) -> str | None:
        if self.min >= self.max:
            return f"min ({self.min}) must be below max ({self.max})"
        if self.max - self.min > 1000:
            return f"a scale has at most 1001 ratings, {self.min} to {self.max} is more"
        return self._word_problem()

    def _word_problem(self) -> str | None:
        """Return the problem of `scale` and `answer`; None for usable words."""
        words = [word for _, word in self.scale]
        foreign = [rating for rating, _ in self.scale if not self.min <= rating <= self.max]
        if foreign:
            return f"scale names {foreign[0]}, which is not from min ({self.min}) to max ({self.max})"
        if len({" ".join(word.casefold().split()) for word in words}) < len(words):
            return "scale names two ratings by one word; give every rating its own word"
        if self.answer == "word" and len(words) <= self.max - self.min:
            return f"answer: word needs a word in scale for each rating from {self.min} to {self.max}"
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
        if (self.scale or self.answer == "word") and self.kind != "ordinal":
            return "scale and answer belong to kind: ordinal; they are the words of ratings"
        if self.higher_is is not None and self.kind != "ordinal":
            return "higher_is belongs to kind: ordinal; categories have no order"
        if self.round is not None and self.kind != "ordinal":
            return "round belongs to kind: ordinal; categories are not rounded"
        if self.order not in _ORDERS.get(self.kind, ("both",)) or (self.ties and self.kind != "pairwise"):
            if self.kind in _ORDERS and not (self.ties and self.kind == "ranking"):
                return f"order of a task of kind: {self.kind} is one of {', '.join(_ORDERS[self.kind])}"
            return "ties and order belong to kind: pairwise"
        return "best belongs to kind: ranking" if self.best and self.kind != "ranking" else None

    def _shape_problem(self) -> str | None:
        """Return the problem of a task of pairs or of rankings; None for usable and for other tasks."""
        if self.kind == "pairwise" and self.order == "apart":
            return self._apart_problem()
        if self.labels and self.kind == "pairwise":
            return "labels belongs to kind: categorical; a pair has the labels a and b, and tie with ties"
        if self.labels and self.kind == "ranking":
            return "labels belongs to kind: categorical; a ranking has data.label with ranks or ratings"
        if self.kind == "ranking" and self.best is None:
            return "best is missing; set lowest for ranks (1 is the best), highest for ratings"
        return self._scale_problem() if self.kind == "ranking" and self.order == "apart" else None

    @property
    def values(self) -> tuple[int, ...] | tuple[str, ...]:
        """All labels, lowest or first label first; empty for a ranking, whose labels are texts of `state.ranking`."""
        if self.kind == "pairwise":
            return ("a", "b", "tie") if self.ties else ("a", "b")
        return tuple(range(self.min, self.max + 1)) if self.kind == "ordinal" else self.labels

    @property
    def answer_scale(self) -> "TaskSettings":
        """Scale of the judge's answers: the task itself; for pairs the categories first, second and, with ties, tie.

        Under `order: apart` the scale of one image, under `answer: word` the words. For a ranking use `scale_of`.
        """
        if self.kind != "pairwise":
            return _words(self.scale) if self.answer == "word" else self
        return _scale_apart(self) if self.order == "apart" else _positions(self.ties)

    @property
    def label_by_answer(self) -> dict[str, int | str]:
        """Label of the task by the text of the answer, on this scale of answers: a word of ratings means a rating."""
        if self.kind == "categorical" and self.scale:
            return {word: rating for rating, word in self.scale}
        return {str(value): value for value in self.values}

    def scale_of(self, images: int) -> "TaskSettings":
        """Return the scale of the answers about a sample: `answer_scale`, for a ranking with the numbers of images."""
        return _numbers(images) if self.kind == "ranking" else self.answer_scale

    @property
    def parts(self) -> "TaskSettings | None":
        """Task of the requests about a list, if single images or pairs are judged; None where a sample is judged."""
        if self.kind != "ranking" or self.order == "both":
            return None
        return TaskSettings(kind="pairwise") if self.order == "pairs" else _scale_apart(self)

    def questions_of(self, images: int) -> int:
        """Return the judge requests for a sample of so many images under one prompt, repairs not counted."""
        if self.parts is None:
            return self.questions
        return images * (images - 1) if self.order == "pairs" else images

    @property
    def questions(self) -> int:
        """Judge requests for a sample under one prompt, repairs not counted; see `questions_of` for lists by parts."""
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
def _words(scale: tuple[tuple[int, str], ...]) -> TaskSettings:
    """Return the categories of a scale's words. A config can't say this, so the fields are not checked."""
    labels, ratings = tuple(word for _, word in scale), [rating for rating, _ in scale]
    first, last = ratings[0], ratings[-1]
    return TaskSettings.model_construct(kind="categorical", labels=labels, scale=scale, min=first, max=last)


@cache
def _scale_apart(task: TaskSettings) -> TaskSettings:
    """Return the scale of the answers about one of a pair, or about one image of a list."""
    if task.labels:
        return TaskSettings(kind="categorical", labels=task.labels, positive=task.positive)
    return TaskSettings(kind="ordinal", min=task.min, max=task.max)


@cache
def _numbers(images: int) -> TaskSettings:
    """Return the scale of a permutation of so many images: the numbers from min to max."""
    return TaskSettings(kind="ranking", best="lowest", max=images)
