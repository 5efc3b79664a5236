"""Errors of a chat-completions server, in words.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_ABOUT_SCHEMAS = re.compile(r"response_format|structured_?output|json_?schema|guided", re.I)


def error_in(body: bytes) -> Mapping[str, Any]:
    """Return the error object of an error reply: OpenAI's form, FastAPI's `detail`, or a text; {} for anything else."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = content.get("error", content) if isinstance(content, dict) else None
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, dict):
        return {}
    detail = error.get("detail")
    return error if not detail else {"message": detail if isinstance(detail, str) else json.dumps(detail), **error}


def error_words(error: Exception) -> str:
    """Return the text of an error, with the server's message added.

    Clients leave the message out when the reply has not the vendor's form.
    """
    try:
        message = error_in(getattr(getattr(error, "response", None), "content", b"")).get("message")
    except (RuntimeError, TypeError):  # the body was never read, or is no text
        message = None
    return f"{error} - {message}" if isinstance(message, str) and message not in str(error) else str(error)


def refuses_schema(error: Exception) -> bool:
    """Return True if the server answered that schemas are not supported."""
    if getattr(error, "status_code", None) not in (400, 422, 501):
        return False
    return _ABOUT_SCHEMAS.search(f"{getattr(error, 'param', '')} {error_words(error)}") is not None
