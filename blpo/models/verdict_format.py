"""The form of a verdict: what the judge is asked for, the schema a server can enforce, and reading it back.

It lives outside the optimized text, so that the optimizer can't break it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from blpo.models.reply_text import without_thinking
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Status

_MOST_ENUMERATED = 200
_LONGEST = 20_000
"""Only so many characters at the end of a reply are read."""
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


def label_form(task: TaskSettings) -> str:
    """The label in words, as the judge is asked for it."""
    if task.kind == "ordinal":
        return f"an integer from {task.min} to {task.max}"
    return "one of " + ", ".join(json.dumps(label, ensure_ascii=False) for label in task.labels)


def schema(task: TaskSettings) -> dict[str, Any]:
    """JSON schema of a verdict; reason comes first, so that the label follows from it."""
    return {
        "type": "object",
        "properties": {"reason": {"type": "string"}, "label": _label_schema(task)},
        "required": ["reason", "label"],
        "additionalProperties": False,
    }


def labels_of(schema: Mapping[str, Any]) -> list[str]:
    """The labels that a verdict's schema allows, as text; none where it gives only a range."""
    label: Mapping[str, Any] = schema.get("properties", {}).get("label", {})
    return [str(value) for value in label.get("enum", ())]


def obeys(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether a reply is what a server must give that keeps to a verdict's schema, or to a bare label of it."""
    answer = without_thinking(text)
    if answer in labels_of(schema):
        return True
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or set(value) != set(schema.get("properties", {})):
        return False
    allowed = schema["properties"]["label"]
    label = value["label"]
    if isinstance(label, bool) or ("enum" in allowed and label not in allowed["enum"]):
        return False
    return "minimum" not in allowed or (isinstance(label, int) and allowed["minimum"] <= label <= allowed["maximum"])


def parse_verdict(text: str, task: TaskSettings) -> tuple[Status, Label | None, str]:
    """Return (`ok`, label, the judge's reason) or (`unparseable`, None, what the reply was).

    The last JSON object with a `label` decides, wherever it stands. A reply without one counts where it is a label and
    nothing else, or names exactly one (`Rating: 4`). `4`, `"4"`, `4.0` and, on a scale that ends at 5, `4/5` are 4;
    categories are compared without regard to case and white space. Nothing else becomes a label: no value off the
    scale, no fraction, no two labels, no number in passing.
    """
    answer = without_thinking(text)[-_LONGEST:]
    found = _last_labelled(answer)
    if found is not None:
        label = _read(found["label"], task)
        reason = found.get("reason")
        if label is not None:
            return "ok", label, reason if isinstance(reason, str) else ""
    else:
        label = _read(answer, task)
        label = _named(answer, task) if label is None else label
        if label is not None:
            return "ok", label, answer
    return "unparseable", None, f"no label in: {' '.join(answer.split())[:200]}" if answer else "an empty reply"


def _label_schema(task: TaskSettings) -> dict[str, Any]:
    if task.kind == "categorical":
        return {"type": "string", "enum": list(task.labels)}
    if task.max - task.min < _MOST_ENUMERATED:  # more servers constrain an enum than a range
        return {"type": "integer", "enum": list(range(task.min, task.max + 1))}
    return {"type": "integer", "minimum": task.min, "maximum": task.max}


def _last_labelled(text: str) -> dict[str, Any] | None:
    """The last JSON object with a label, keys in lower case."""
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


def _read(value: object, task: TaskSettings) -> Label | None:
    """The label that a JSON value or a whole text is, or None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if task.kind == "categorical":
        return _category(json.dumps(value) if isinstance(value, int) else value, task)
    if isinstance(value, str):
        value = _whole_number(value.strip(_WRAPPING), task)
    is_rating = isinstance(value, int) and not isinstance(value, bool) and task.min <= value <= task.max
    return value if is_rating and isinstance(value, int) else None


def _whole_number(text: str, task: TaskSettings) -> int | None:
    """`4`, `4.0`, and `4/5` or `4 out of 5` where 5 is the end of the scale."""
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None or (match[2] is not None and float(match[2]) != task.max):
        return None
    number = float(match[1])
    return int(number) if number.is_integer() else None


def _category(value: object, task: TaskSettings) -> str | None:
    if not isinstance(value, str):
        return None
    exact = value.strip()
    if exact in task.labels:
        return exact
    same = [label for label in task.labels if _folded(label) == _folded(value) != ""]
    return same[0] if len(same) == 1 else None


def _folded(text: str) -> str:
    return " ".join(text.strip(_WRAPPING).casefold().split())


def _named(text: str, task: TaskSettings) -> Label | None:
    """The one label that the text names (`Rating: 4`); None for none, and where it names something else besides."""
    read = _named_rating if task.kind == "ordinal" else _named_category
    readings = [read(match[1].strip(), task) for match in _NAMED.finditer(text)]
    named = {label for is_named, label in readings if is_named}
    return named.pop() if len(named) == 1 else None


def _named_rating(line: str, task: TaskSettings) -> tuple[bool, Label | None]:
    """Whether a number is named at the start of `line`, and the rating it is, if it is the only number there."""
    match = _WHOLE_NUMBER.match(line.lstrip("\"'`"))
    if match is None:
        return False, None
    rest = match.string[match.end() :]
    alone = not re.match(r"[\w%]", rest) and not re.search(r"[0-9]", rest)
    return True, _read(match[0], task) if alone else None


def _named_category(line: str, task: TaskSettings) -> tuple[bool, Label | None]:
    """Whether a category is named at the start of `line`, and which, if it is the only one there."""
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
