"""Form of a verdict: the words for a label, and a schema for the server to enforce.

The form is no part of the optimized text, so the optimizer can't break parsing. `verdict_reading` reads replies.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from blpo.models.answer_wrapping import first_turn
from blpo.models.thinking import without_thinking
from blpo.prompts.template import render
from state.settings import TaskSettings

LABEL, REASON = "label", "reason"
"""Keys of a verdict."""
Place = Literal["before", "after", "none"]
"""Place of the reason in an answer, as in `models.judge.reason`."""

_MOST_ENUMERATED = 200
"""Ratings of a scale that are listed in a schema; a longer scale gives a range."""


def label_form(task: TaskSettings) -> str:
    """Return the words to ask the judge for a label. For a ranking `task` is the scale of the images in the message."""
    if task.kind == "ranking":
        return f"an array of all image numbers from 1 to {task.max}, each once, best image first"
    if task.kind == "ordinal":
        words = ", ".join(f"{rating} is {_quoted(word)}" for rating, word in task.scale)
        return f"an integer from {task.min} to {task.max}" + (f", where {words}" if words else "")
    ratings = f", which mean the ratings {task.min} to {task.max} in this order" if task.scale else ""
    return "one of " + ", ".join(map(_quoted, task.labels)) + ratings


def _quoted(label: str) -> str:
    return json.dumps(label, ensure_ascii=False)


def verdict_schema(task: TaskSettings, reason: Place = "before") -> dict[str, Any]:
    """Return the JSON schema of a verdict. A reason before the label: the label shall follow from the reason."""
    return _object_schema({LABEL: _label_schema(task)}, reason)


def answer_words(task: TaskSettings, reason: Place = "before") -> str:
    """Return the instruction how to answer with one label."""
    return render(answer_template(LABEL, reason), label_form=label_form(task))


def answer_template(key: str, reason: Place) -> str:
    """Return the name of the prompt file how to answer, with one label under the key `label`, else by criteria."""
    name = "answer_label" if key == LABEL else "answer_criteria"
    return name if reason == "before" else f"{name}_{reason}"


def criteria_schema(scales: Mapping[str, TaskSettings], reason: Place = "before") -> dict[str, Any]:
    """Return the JSON schema of an answer with a label for each criterion by name, and a reason."""
    return _object_schema({name: _label_schema(scale) for name, scale in scales.items()}, reason)


def _object_schema(labels: Mapping[str, Mapping[str, Any]], reason: Place) -> dict[str, Any]:
    text = {REASON: {"type": "string"}}
    properties = {"before": {**text, **labels}, "after": {**labels, **text}, "none": {**labels}}[reason]
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def labels_of(schema: Mapping[str, Any]) -> list[str]:
    """Return the allowed labels of a verdict's schema, as text; no labels if the schema gives a range."""
    label: Mapping[str, Any] = schema.get("properties", {}).get("label", {})
    return [str(value) for value in label.get("enum", ())]


def obeys(text: str, schema: Mapping[str, Any]) -> bool:
    """Return true if a reply keeps to a verdict's schema, or is a bare label of the schema."""
    answer = first_turn(without_thinking(text))
    if answer in labels_of(schema):
        return True
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or set(value) != set(schema.get("properties", {})):
        return False
    return all(_is_allowed(value[key], allowed) for key, allowed in schema["properties"].items() if key != REASON)


def _is_allowed(label: object, allowed: Mapping[str, Any]) -> bool:
    if "items" in allowed:
        return _is_array(label, allowed)
    if isinstance(label, bool) or ("enum" in allowed and label not in allowed["enum"]):
        return False
    return "minimum" not in allowed or (isinstance(label, int) and allowed["minimum"] <= label <= allowed["maximum"])


def _is_array(label: object, allowed: Mapping[str, Any]) -> bool:
    """Return True for an array of the allowed length and items; bools are no integers."""
    if not isinstance(label, list) or len(label) != allowed["minItems"]:
        return False
    return all(type(item) is int and item in allowed["items"]["enum"] for item in label)


def _label_schema(task: TaskSettings) -> dict[str, Any]:
    if task.kind == "ranking":  # no uniqueItems: OpenAI and xgrammar refuse the word
        places = {"type": "integer", "enum": list(range(1, task.max + 1))}
        return {"type": "array", "items": places, "minItems": task.max, "maxItems": task.max}
    if task.kind == "categorical":
        return {"type": "string", "enum": list(task.labels)}
    if task.max - task.min < _MOST_ENUMERATED:  # more servers constrain an enum than a range
        return {"type": "integer", "enum": list(range(task.min, task.max + 1))}
    return {"type": "integer", "minimum": task.min, "maximum": task.max}
