"""What the embedded optimizer reads in a message: labels, cases and trials, all of it between the prompts' tags."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from blpo.models.embedded.rubric import unquoted
from blpo.models.embedded.vocabulary import BY_NAME

_VALUE = re.compile(r"\b([A-Za-z][a-z-]*(?: [a-z-]+){0,5}?) is (?:very low|low|medium|high|very high) \((\d{1,3})\)")
_LABEL = re.compile(r'("(?:[^"\\]|\\.)*"|[^,"][^,]*)(?:, |\Z)')
"""A category, quoted as JSON where it holds a comma or a quotation mark."""
_RATINGS = re.compile(r"integers from (-?\d{1,9}) \(lowest\) to (-?\d{1,9}) \(highest\)")


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One sample as the message shows it."""

    human: str
    judge: str
    values: Mapping[str, float]
    """Attributes that its description, its feedback or the judge's reason gives, 0 to 100."""

    @property
    def right(self) -> bool:
        """Whether the judge agrees with people."""
        return self.human == self.judge


def elements(text: str, tag: str) -> list[str]:
    """Return what stands between each `<tag>` and the next `</tag>`, stripped; one that stays open has none."""
    pieces = (piece.partition(f"</{tag}>") for piece in text.split(f"<{tag}>")[1:])
    return [inside.strip() for inside, closed, _ in pieces if closed]


def element(text: str, tag: str) -> str:
    """Return what stands between the first `<tag>` and the next `</tag>`; empty where there is none."""
    return next(iter(elements(text, tag)), "")


def read_cases(text: str) -> list[ShownCase]:
    """Return all cases that have a human label, in order."""
    read = (_case(case) for case in elements(text, "case"))
    return [case for case in read if case.human]


def read_values(text: str) -> dict[str, float]:
    """Return the attributes that a description or a reason states, such as `Noise is high (72).`."""
    named = ((name.lower(), min(100.0, float(value))) for name, value in _VALUE.findall(text))
    return {name: value for name, value in named if name in BY_NAME}


def read_labels(message: str) -> range | tuple[str, ...]:
    """Return the task's labels, lowest or first one first; empty where the message names none."""
    line = next((line for line in message.split("\n") if line.startswith("Labels: ")), "").removeprefix("Labels: ")
    if (ratings := _RATINGS.fullmatch(line)) is not None:
        return range(int(ratings[1]), int(ratings[2]) + 1)
    return tuple(unquoted(label) if label.startswith('"') else label for label in _LABEL.findall(line))


def _case(text: str) -> ShownCase:
    values = read_values(" ".join(element(text, tag) for tag in ("judge_reason", "description", "feedback")))
    return ShownCase(element(text, "human"), element(text, "judge"), values)
