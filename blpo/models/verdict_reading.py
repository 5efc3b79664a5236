"""Read a judge's reply as a verdict.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from typing import Any, Literal, Protocol

from blpo.models.thinking import without_thinking

_LONGEST = 20_000
"""Characters at the end of a reply that are read."""
_DECODER = json.JSONDecoder(strict=False)  # models put raw line breaks into strings

_NUMBER = r"[-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?"
_WHOLE_NUMBER = re.compile(rf"({_NUMBER})(?:\s{{0,3}}(?:/|out of)\s{{0,3}}({_NUMBER}))?", re.IGNORECASE)
_NAMED = re.compile(
    r"""\b(?:label|rating|score|verdict|answer)\b ["'*_`]{0,4} \s{0,4} (?:\([^()\n]{0,40}\))? ["'*_`]{0,4} \s{0,4}
        (?:[:=]|\bis\b) [ \t*_]{0,8} ([^\n]*)""",
    re.IGNORECASE | re.VERBOSE,
)
_WRAPPING = " \t\r\n*_`\"'.!,;:()[]{}"
_END_OF_CATEGORY = re.compile(r"""\s*$ | [.,;:!?)\]}*_`]+(?:\s|$) | \s+[-–—(]""", re.VERBOSE)


class LabelScale(Protocol):
    """Labels of a task: integers from `min` to `max` (ordinal), or one of `labels` (categorical)."""

    @property
    def kind(self) -> str:
        """`ordinal` or `categorical`."""
        ...

    @property
    def min(self) -> int:
        """Lowest rating."""
        ...

    @property
    def max(self) -> int:
        """Highest rating."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Categories."""
        ...


def parse_verdict(text: str, task: LabelScale) -> tuple[Literal["ok", "unparseable"], int | str | None, str]:
    """Return (`ok`, label, the judge's reason) or (`unparseable`, None, an excerpt of the reply).

    The last JSON object with a `label` decides. A reply without such an object is a label if the reply is a bare label,
    or names exactly one label (`Rating: 4`). `4`, `"4"`, `4.0` and, on a scale that ends at 5, `4/5` are 4. Categories
    are compared without regard to case and white space. Nothing else becomes a label: no value off the scale, no
    fraction, no two labels, no number in passing.
    """
    answer = without_thinking(text)[-_LONGEST:]
    fields = _last_labelled(answer)
    if fields is not None:
        label = _read_label(fields["label"], task)
        reason = fields.get("reason")
        if label is not None:
            return "ok", label, reason if isinstance(reason, str) else ""
    else:
        label = _read_label(answer, task)
        label = _named(answer, task) if label is None else label
        if label is not None:
            return "ok", label, answer
    return "unparseable", None, f"no label in: {' '.join(answer.split())[:200]}" if answer else "an empty reply"


def _last_labelled(text: str) -> dict[str, Any] | None:
    """Return the last JSON object with a label, keys in lower case."""
    last = None
    start = text.find("{")
    while start >= 0:
        end = start + 1  # unless a labelled object is found, look inside
        try:
            value, stop = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = {}
        fields = {str(key).strip().lower(): content for key, content in value.items()}
        if "label" in fields:
            last, end = fields, stop
        start = text.find("{", end)
    return last


def _read_label(value: object, task: LabelScale) -> int | str | None:
    """Return the label in a JSON value or a whole text, or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if task.kind == "categorical":
        return _category(json.dumps(value) if isinstance(value, int) else value, task)
    if isinstance(value, str):
        value = _whole_number(value.strip(_WRAPPING), task)
    is_rating = isinstance(value, int) and not isinstance(value, bool) and task.min <= value <= task.max
    return value if is_rating and isinstance(value, int) else None


def _whole_number(text: str, task: LabelScale) -> int | None:
    """Read `4`, `4.0`, and on a scale that ends at 5 `4/5` or `4 out of 5`."""
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None or (match[2] is not None and float(match[2]) != task.max):
        return None
    number = float(match[1])
    return int(number) if number.is_integer() else None


def _category(value: object, task: LabelScale) -> str | None:
    if not isinstance(value, str):
        return None
    exact = value.strip()
    if exact in task.labels:
        return exact
    same = [label for label in task.labels if _folded(label) == _folded(value) != ""]
    return same[0] if len(same) == 1 else None


def _folded(text: str) -> str:
    return " ".join(text.strip(_WRAPPING).casefold().split())


def _named(text: str, task: LabelScale) -> int | str | None:
    """Return the label that the text names (`Rating: 4`); None if the text names no label, or several."""
    read_line = _named_rating if task.kind == "ordinal" else _named_category
    readings = [read_line(match[1].strip(), task) for match in _NAMED.finditer(text)]
    named = {label for is_named, label in readings if is_named}
    return named.pop() if len(named) == 1 else None


def _named_rating(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, rating) if `line` starts with a number; the rating is None if the line has more numbers."""
    match = _WHOLE_NUMBER.match(line.lstrip("\"'`"))
    if match is None:
        return False, None
    rest = match.string[match.end() :]
    alone = not re.match(r"[\w%]", rest) and not re.search(r"[0-9]", rest)
    return True, _read_label(match[0], task) if alone else None


def _named_category(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, category) if `line` starts with a category; None if the line names more categories."""
    quoted = re.match(r"""(["'`])([^"'`]*)\1""", line)
    if quoted:
        return True, _category(quoted[2], task)
    folded = " ".join(line.casefold().split())
    for label in sorted(task.labels, key=len, reverse=True):
        start = _folded(label)
        if start and folded.startswith(start) and _END_OF_CATEGORY.match(folded, len(start)):
            rest = folded[len(start) :]
            others = [_folded(other) for other in task.labels if other != label]
            alone = not any(re.search(rf"(?<!\w){re.escape(other)}(?!\w)", rest) for other in others if other)
            return True, _category(start, task) if alone else None
    return False, None
