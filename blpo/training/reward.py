"""Reward of a completion: the format reward and the accuracy reward of MT-RL-Judge (Wu et al. 2026), weighted.

The labels are read by the parser of `blpo judge`. Standard library alone: `blpo train export` puts this file into the
exported reward.py as it stands.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Self

from blpo.models.answer_wrapping import first_turn
from blpo.models.thinking import without_thinking
from blpo.models.verdict_reading import parse_verdict
from state.ranking import agrees

_REASON = "reason"


@dataclass(frozen=True, slots=True)
class RightLabel:
    """A label that the judge must answer, with its scale."""

    key: str
    """Key of the label in the answer."""
    label: int | str
    """People's label as the judge writes it: an integer, a category, or a ranking such as `2>1=3`."""
    kind: Literal["ordinal", "categorical", "ranking"]
    min: int = 1
    max: int = 5
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Return the label of a mapping, as `as_fields` writes it."""
        return cls(**{**fields, "labels": tuple(fields.get("labels", ()))})

    def as_fields(self) -> dict[str, Any]:
        """Return the label as plain JSON, without the fields of other kinds."""
        ends = {"labels": list(self.labels)} if self.kind == "categorical" else {"min": self.min, "max": self.max}
        return {"key": self.key, "label": self.label, "kind": self.kind, **ends}

    def is_read_from(self, reply: str) -> bool:
        """Return True if the parser reads this label from the reply. A ranking may order equal images either way."""
        return agrees(parse_verdict(reply, self, self.key)[1], self.label)

    def allows(self, value: object) -> bool:
        """Return True for a value of the scale, in the type that the form demands."""
        if self.kind == "ranking":
            places = list(range(1, self.max + 1))
            return isinstance(value, list) and all(type(each) is int for each in value) and sorted(value) == places
        if self.kind == "categorical":
            return isinstance(value, str) and value in self.labels
        return type(value) is int and self.min <= value <= self.max


class Reward(NamedTuple):
    """Reward of a completion, all numbers in [0, 1]; higher is better."""

    format: float
    """1 for a single JSON object of the reason, then the label of every key, and nothing else; else 0."""
    accuracy: float
    """Share of the labels that the parser reads right, whatever the form."""
    overall: float
    """format_weight * format + (1 - format_weight) * accuracy."""


def reward(reply: str, answer: str, format_weight: float) -> Reward:
    """Return the reward of a reply. `answer` is the text of `answer_text`, `format_weight` is in [0, 1]."""
    labels = read_answer(answer)
    in_form = float(is_in_form(reply, labels))
    accuracy = sum(label.is_read_from(reply) for label in labels) / len(labels)
    return Reward(in_form, accuracy, format_weight * in_form + (1 - format_weight) * accuracy)


def is_in_form(reply: str, labels: tuple[RightLabel, ...]) -> bool:
    """Return True for a reply in the reasoning-first form (`fields_in_form`)."""
    return fields_in_form(reply, labels) is not None


def fields_in_form(reply: str, labels: tuple[RightLabel, ...]) -> dict[str, Any] | None:
    """Return the answer of a reply in the reasoning-first form: the reason as a text, then a label of the scale a key.

    None for any other reply. Thoughts and marks of the end of the turn around the object are no part of the answer. The
    reason may be empty.
    """
    try:
        value = json.loads(first_turn(without_thinking(reply)))
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or list(value) != [_REASON, *(label.key for label in labels)]:
        return None
    is_allowed = isinstance(value[_REASON], str) and all(label.allows(value[label.key]) for label in labels)
    return value if is_allowed else None


def answer_text(labels: tuple[RightLabel, ...]) -> str:
    """Return the right labels of an example as JSON: the column `answer` of an export."""
    return json.dumps([label.as_fields() for label in labels], ensure_ascii=False)


def read_answer(text: str) -> tuple[RightLabel, ...]:
    """Return the right labels of the column `answer`."""
    return tuple(RightLabel.of(fields) for fields in json.loads(text))
