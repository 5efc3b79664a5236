"""Read a judge's reply as a verdict.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from typing import Any, Literal, Protocol

from blpo.models.answer_wrapping import WRAPPING, folded, plain_text, wrapped_answers
from blpo.models.foreign_text import clean_text
from blpo.models.permutation_reading import named_permutation, read_permutation
from blpo.models.thinking import without_thinking

_LONGEST = 20_000
"""Characters at the end of a reply that are read."""
_DECODER = json.JSONDecoder(strict=False)  # models put raw line breaks into strings

_NUMBER = r"[-+]?[0-9]{1,9}(?:\.[0-9]{1,9})?"
_EMPHASIS = re.compile(r"(?<=[0-9])[*_`]{1,3}(?=\s{0,3}(?:/|out of))")
"""Marks between a rating and the end of the scale: `**4**/5`."""
_WHOLE_NUMBER = re.compile(rf"({_NUMBER})(?:\s{{0,3}}(?:/|out of)\s{{0,3}}({_NUMBER}))?", re.IGNORECASE)
_NAMED = re.compile(
    r"""\b(?:label|rating|score|verdict|answer)\b ["'*_`]{0,4} \s{0,4} (?:\([^()\n]{0,40}\))? ["'*_`]{0,4} \s{0,4}
        (?:[:=]|\bis\b) [ \t*_]{0,8} ([^\n]*)""",
    re.IGNORECASE | re.VERBOSE,
)
_END_OF_CATEGORY = re.compile(r"""\s*$ | [.,;:!?)\]}*_`"']+(?:\s|$) | \s+[-–—(]""", re.VERBOSE)
_REMARK = re.compile(
    r"""\s*(?:/\s*\d+\s*)? (?: \( \s*(?=[^\W\d]) [^()]* \) | [,;.]\s+(?=[^\W\d]) | \s[-–—]\s+(?=[^\W\d]) )""",
    re.VERBOSE,
)
"""Start of a remark after a rating."""
_SECOND_RATING = re.compile(
    r"\b(?:or|maybe|perhaps|possibly|might|could|almost|nearly|between|borderline|rather|else|but|if|not|than|though)\b"
    r"|\d\s*(?:/|out of|stars?\b|points?\b|[^\w\s]|$)|\d\s*[-–]\s*\d",
    re.IGNORECASE,
)
"""Signs of another rating in a remark: a word of doubt, or a number without a noun."""


class LabelScale(Protocol):
    """Labels of a task: integers from `min` to `max` (ordinal), one of `labels` (categorical), or a permutation.

    A permutation (ranking) holds each integer from 1 to `max` once, and its label is a text such as `2>1>3`.
    """

    @property
    def kind(self) -> str:
        """`ordinal`, `categorical` or `ranking`."""
        ...

    @property
    def min(self) -> int:
        """Lowest rating."""
        ...

    @property
    def max(self) -> int:
        """Highest rating; number of images of a ranking."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Categories."""
        ...


def parse_verdict(
    text: str, task: LabelScale, key: str = "label"
) -> tuple[Literal["ok", "unparseable"], int | str | None, str]:
    """Return (`ok`, label, the judge's reason) or (`unparseable`, None, an excerpt of the reply).

    The last JSON object with a `label` decides. A reply without such an object is a label if the reply is a bare label,
    or names exactly one label (`Rating: 4`). `4`, `"4"`, `4.0` and, on a scale that ends at 5, `4/5` are 4. Categories
    are compared without regard to case and white space. `[2, 1, 3]` and `2 > 1 > 3` are the ranking 2>1>3. Nothing else
    becomes a label: no value off the scale, no fraction, no two labels, no number in passing. A `key` other than
    `label` is the key of one of several labels; then only a JSON object names a label.
    """
    answer = _unquoted(without_thinking(text)[-_LONGEST:])
    key = key.strip().lower()
    fields = _last_labelled(answer, key)
    plain = answer if fields is not None else plain_text(answer)
    if fields is None and plain != answer:
        fields = _last_labelled(plain, key)
    if fields is not None:
        label = _read_label(fields[key], task)
        if label is None and isinstance(fields[key], str):
            label = _labelled(fields[key], task)[1]
        reason = fields.get("reason")
        if label is not None:
            return "ok", label, clean_text(reason) if isinstance(reason, str) else ""  # JSON inside the clean reply
    elif key == "label":
        label = _label_of(plain, task)
        if label is not None:
            return "ok", label, answer
    return "unparseable", None, f"no label in: {' '.join(answer.split())[:200]}" if answer else "an empty reply"


def _unquoted(answer: str) -> str:
    """Return the text in a reply that is a JSON string: an answer encoded twice."""
    if not (answer.startswith('"') and answer.endswith('"') and '\\"' in answer):
        return answer
    try:
        return str(_DECODER.decode(answer))
    except ValueError:
        return answer


def _label_of(text: str, task: LabelScale) -> int | str | None:
    """Return the label of a text without JSON: the whole text, a wrapped answer, or a named label."""
    label = _read_label(text, task)
    if label is not None:
        return label
    answers = wrapped_answers(text)
    if not answers:
        return _named(text, task)
    labels = {_named(answer, task) if (label := _read_label(answer, task)) is None else label for answer in answers}
    return labels.pop() if len(labels) == 1 else None


def _last_labelled(text: str, key: str) -> dict[str, Any] | None:
    """Return the last JSON object with the key, keys in lower case."""
    last = None
    start = text.find("{")
    while start >= 0:
        end = start + 1  # unless a labelled object is found, look inside
        try:
            value, stop = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = {}
        fields = {str(key).strip().lower(): content for key, content in value.items()}
        if key in fields:
            last, end = fields, stop
        start = text.find("{", end)
    return last


def _read_label(value: object, task: LabelScale) -> int | str | None:
    """Return the label in a JSON value or a whole text, or None."""
    if task.kind == "ranking":
        return read_permutation(value, task.max)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if task.kind == "categorical":
        return _category(json.dumps(value) if isinstance(value, int) else value, task)
    if isinstance(value, str):
        value = _whole_number(value.strip(WRAPPING), task)
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
    same = [label for label in task.labels if folded(label) == folded(value) != ""]
    return same[0] if len(same) == 1 else None


def _named(text: str, task: LabelScale) -> int | str | None:
    """Return the label that the text names (`Rating: 4`); None if the text names no label, or several."""
    readings = [_labelled(match[1].strip(), task) for match in _NAMED.finditer(text) if match[1].strip()]
    readings += [_on_next_line(text[match.end() :], task) for match in _NAMED.finditer(text) if not match[1].strip()]
    named = {label for is_named, label in readings if is_named}
    return named.pop() if len(named) == 1 else None


def _labelled(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, label) if `line` starts with a label; the label is None if the line is ambiguous."""
    read_line = {"ordinal": _named_rating, "ranking": _named_ranking}.get(task.kind, _named_category)
    return read_line(line, task)


def _on_next_line(text: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, label) if `text`, below `Rating:`, begins with a line that is a bare label.

    The label is None if another line is another label.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    labels = {label for line in lines if (label := _read_label(line, task)) is not None}
    label = _read_label(lines[0], task) if lines else None
    return label is not None, label if len(labels) == 1 else None


def _named_rating(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, rating) if `line` starts with a number; the rating is None if the line has more numbers."""
    match = _WHOLE_NUMBER.match(_EMPHASIS.sub("", line).lstrip(WRAPPING))
    if match is None:
        return False, None
    rest = match.string[match.end() :]
    alone = not re.match(r"[\w%]", rest) and (not re.search(r"[0-9]", rest) or _is_remark(rest))
    return True, _read_label(match[0], task) if alone else None


def _is_remark(rest: str) -> bool:
    """Return True if the text after a rating is a remark, and holds no second rating."""
    return bool(_REMARK.match(rest)) and not _SECOND_RATING.search(rest) and not _NAMED.search(rest)


def _named_ranking(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    return named_permutation(line, task.max)


def _named_category(line: str, task: LabelScale) -> tuple[bool, int | str | None]:
    """Return (True, category) if `line` starts with a category; None if the line names more categories."""
    quoted = re.match(r"""(["'`])([^"'`]*)\1""", line)
    if quoted:
        return True, _category(quoted[2], task)
    words = " ".join(line.lstrip(WRAPPING).casefold().split())
    for label in sorted(task.labels, key=len, reverse=True):
        start = folded(label)
        if start and words.startswith(start) and _END_OF_CATEGORY.match(words, len(start)):
            rest = words[len(start) :]
            others = [folded(other) for other in task.labels if other != label]
            alone = start not in others and not any(  # labels may differ in case alone
                re.search(rf"(?<!\w){re.escape(other)}(?!\w)", rest) for other in others if other
            )
            return True, _category(start, task) if alone else None
    return False, None
