"""Reading of messages by the embedded optimizer: labels, cases and trials between the tags of the prompts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from blpo.models.embedded.rubric_text import unquoted
from blpo.models.embedded.vocabulary import BY_NAME

_VALUE = re.compile(r"\b([A-Za-z][a-z-]*(?: [a-z-]+){0,5}?) is (?:very low|low|medium|high|very high) \((\d{1,3})\)")
_LABEL = re.compile(r'("(?:[^"\\]|\\.)*"|[^,"][^,]*)(?:, |\Z)')
"""Category. A category with a comma or a quotation mark is quoted as JSON."""
_RATINGS = re.compile(r"integers from (-?\d{1,9}) \(lowest\) to (-?\d{1,9}) \(highest\)")


@dataclass(frozen=True, slots=True)
class MessageCase:
    """Sample in a message."""

    human: str
    judge: str
    values: Mapping[str, float]
    """Attributes in the descriptions, in the feedback or in the judge's reason, 0 to 100."""

    @property
    def right(self) -> bool:
        """True if judge and people agree."""
        return self.human == self.judge


def all_elements(text: str, tag: str) -> list[str]:
    """Return the stripped texts between `<tag>` and the next `</tag>`. A tag without an end is ignored."""
    pieces = (piece.partition(f"</{tag}>") for piece in text.split(f"<{tag}>")[1:])
    return [inside.strip() for inside, end, _ in pieces if end]


def first_element(text: str, tag: str) -> str:
    """Return the text between the first `<tag>` and the next `</tag>`; empty without such tags."""
    return next(iter(all_elements(text, tag)), "")


def read_cases(text: str) -> list[MessageCase]:
    """Return all cases with a human label, in order."""
    cases = (_case(case) for case in all_elements(text, "case"))
    return [case for case in cases if case.human]


def read_values(text: str) -> dict[str, float]:
    """Return the attributes in a description or a reason, such as `Noise is high (72).`."""
    pairs = ((name.lower(), min(100.0, float(value))) for name, value in _VALUE.findall(text))
    return {name: value for name, value in pairs if name in BY_NAME}


def read_labels(message: str) -> range | tuple[str, ...]:
    """Return the task's labels in order; empty for a message without labels."""
    line = next((line for line in message.split("\n") if line.startswith("Labels: ")), "").removeprefix("Labels: ")
    if (ratings := _RATINGS.fullmatch(line)) is not None:
        return range(int(ratings[1]), int(ratings[2]) + 1)
    return tuple(unquoted(label) if label.startswith('"') else label for label in _LABEL.findall(line))


def _case(text: str) -> MessageCase:
    tags = ("judge_reason", "description", "feedback")
    values = read_values(" ".join(part for tag in tags for part in all_elements(text, tag)))
    return MessageCase(first_element(text, "human"), first_element(text, "judge"), values)
