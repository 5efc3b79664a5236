"""Thinking marks in the replies of reasoning models.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_THINKING_OPENED_BEFORE = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)


def without_thinking(text: str) -> str:
    """Return a reply without `<think>` blocks: complete blocks, blocks cut off, and blocks that the template opened."""
    return _THINKING_OPENED_BEFORE.sub("", _THINKING.sub("", text)).strip()
