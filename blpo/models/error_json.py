"""Fields of an error in JSON: objects, lists and texts of all vendors.

Gateways wrap the error of a vendor in an error of their own, often as a text that holds JSON. Such a text is read too.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MOST_NESTED = 500
"""Values of an error reply that are read."""
_MOST_EMBEDDED = 8
"""Texts of an error reply that are read as JSON."""
_CODE_KEYS = (
    *("code", "type", "status", "reason", "reasons", "finish_reason", "native_finish_reason"),
    *("error_code", "error_type", "status_code"),
)
_WORDS_KEYS = ("detail", "msg", "error_msg", "error_description", "errorMessage", "status_msg", "title")
"""Keys of the words of an error without `message`."""
_FILTER_KEYS = ("filtered", "flagged_input", "blockreason", "block_reason")
"""Keys that stand only in reports of a content filter, with a true value."""
_REPEATED = ("input", "content", "text", "url", "prompt", "failed_generation")
"""Keys under which servers repeat the request or the answer."""


def error_object(content: Any) -> Mapping[str, Any]:
    """Return the error with a text as `message`: OpenAI's form, FastAPI's `detail`, a list of errors, or a text."""
    if isinstance(content, list):
        return error_object(content[0]) if content else {}
    if isinstance(content, str):
        return {"message": content}
    if not isinstance(content, dict):
        return {}
    inner = content.get("error") or content.get("errors")
    error = error_object(inner) if inner else content
    if isinstance(error.get("message"), str) and error["message"]:
        return error
    other = next((error[key] for key in _WORDS_KEYS if error.get(key)), None)
    if other is None:
        return error
    return {**error, "message": other if isinstance(other, str) else json.dumps(other, ensure_ascii=False)}


def error_codes(content: Any) -> Iterator[str]:
    """Yield all codes, types and reasons at any depth, as by `plain_code`."""
    for fields in _mappings(content):
        for key, value in fields.items():
            if str(key).lower() in _CODE_KEYS:
                yield from (plain_code(str(each)) for each in (value if isinstance(value, list) else [value]))
            if str(key).lower() in _FILTER_KEYS and value:
                yield "flagged"


def error_texts(content: Any) -> Iterator[str]:
    """Yield all texts in JSON but a repeated request or answer."""
    for fields in _mappings(content):
        yield from (value for key, value in fields.items() if isinstance(value, str) and key not in _REPEATED)


def wrapped_message(content: Any) -> str:
    """Return the words of an error inside a text of an error; an empty text without such an error."""
    for value in _embedded(content):
        message = error_object(value).get("message")
        if isinstance(message, str) and message:
            return message
    return ""


def refused_field(content: Any) -> str:
    """Return the field of the request that FastAPI's `loc` names: the last name below the body."""
    for fields in _mappings(content):
        place = fields.get("loc")
        if isinstance(place, list) and len(place) == 2 and place[0] == "body":
            return str(place[1])
    return ""


def plain_code(code: str) -> str:
    """Return a code in lower case, letters and digits alone."""
    return re.sub(r"[\W_]", "", code[:100].lower())


def _mappings(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all objects in JSON, outermost first, then the objects in texts."""
    yield from _plain_mappings(content)
    for value in _embedded(content):
        yield from _plain_mappings(value)


def _plain_mappings(content: Any) -> Iterator[Mapping[str, Any]]:
    values = [content]
    for position in range(_MOST_NESTED):
        if position >= len(values):
            return
        value = values[position]
        if isinstance(value, dict):
            yield value
        if isinstance(value, dict | list):
            values += list(value.values() if isinstance(value, dict) else value)[:_MOST_NESTED]


def _embedded(content: Any) -> Iterator[Any]:
    """Yield the objects and lists of objects that the texts of an error hold as JSON."""
    texts = [text for fields in _plain_mappings(content) for key, text in fields.items() if key not in _REPEATED]
    starts = [text for text in texts if isinstance(text, str) and re.search(r'[{\[]\s*["{]', text)]
    for text in starts[:_MOST_EMBEDDED]:
        start = re.search(r'[{\[]\s*["{]', text)
        try:
            value, _ = json.JSONDecoder().raw_decode(text, start.start() if start else 0)
        except (ValueError, RecursionError):
            continue
        yield value
