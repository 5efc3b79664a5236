"""Tags that delimit foreign text in prompts, and text between tags in replies.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re

_TAGS = (
    "case|cases|wrong_cases|right_cases|human|judge|judge_after|judge_reason|description|text|judge_prompt|i2t_prompt|critique"
    "|history|trial|trials|tried|score|images|feedback|example|examples|objections|objection"
)
_DELIMITER = re.compile(rf"<(\s*/?\s*(?:{_TAGS})\b)", re.IGNORECASE)
_PAIR_DELIMITER = re.compile(r"<(\s*/?\s*(?:first|second)\b)", re.IGNORECASE)
"""Tags of the two texts of a pair: no delimiters in tasks of one image."""
_REFERENCE_DELIMITER = re.compile(r"<(\s*/?\s*reference\b)", re.IGNORECASE)
"""Tag of the text to compare with: no delimiter in tasks without such a text."""


def neutralise(text: str) -> str:
    """Make `text` safe between our delimiters: our tags in `text` are no longer tags."""
    return _DELIMITER.sub(r"‹\1", text)


def restored(text: str, original: str) -> str:
    """Undo `neutralise` in a text derived from `original`: the tags of `original` are tags again."""
    for tag in set(_DELIMITER.findall(original)):
        text = text.replace(f"‹{tag}", f"<{tag}")
    return text


def element(tag: str, text: str) -> str:
    """Return `text`, neutralised, between `<tag>` and `</tag>`."""
    return f"<{tag}>{neutralise(text)}</{tag}>"


def pair_element(tag: str, text: str) -> str:
    """Return `element(tag, text)` for a pair: the tags of its two texts are neutralised too."""
    return element(tag, _PAIR_DELIMITER.sub(r"‹\1", text))


def reference_element(text: str) -> str:
    """Return a text to compare with between `<reference>` and `</reference>`, neutralised as the texts of a pair."""
    return pair_element("reference", without_reference_tags(text))


def task_element(name: str) -> str:
    """Return the name of a task between `<task>` and `</task>`; a name holds no tag."""
    return f"<task>{name}</task>"


def without_reference_tags(text: str) -> str:
    """Make a text of a sample with a reference safe: the tag of the reference is no longer a tag."""
    return _REFERENCE_DELIMITER.sub(r"‹\1", text)


def tagged(reply: str, tag: str) -> str | None:
    """Return the stripped text between the last `<tag>` and the next `</tag>`; None if absent or empty."""
    start = reply.rfind(f"<{tag}>")
    end = reply.find(f"</{tag}>", start)
    if start < 0 or end < 0:
        return None
    return reply[start + len(tag) + 2 : end].strip() or None
