"""Prompts as Markdown files of this folder, with `{{name}}` placeholders filled strictly and once.

Values are never scanned for placeholders: braces, JSON and `{{name}}` in a value stay unchanged.
"""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_TAGS = (
    "case|cases|wrong_cases|right_cases|human|judge|judge_after|judge_reason|description|text|judge_prompt|i2t_prompt|critique"
    "|history|trial|trials|tried|score|images|feedback|example|examples|objections|objection"
)
_DELIMITER = re.compile(rf"<(\s*/?\s*(?:{_TAGS})\b)", re.IGNORECASE)


@cache
def template(name: str) -> str:
    """Return the text of the prompt file `name` (without `.md`), stripped."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def read_templates() -> None:
    """Read all prompt files into the cache, so that no later call waits for a disk."""
    for file in _FOLDER.rglob("*.md"):
        template(file.relative_to(_FOLDER).with_suffix("").as_posix())


def placeholders(name: str) -> frozenset[str]:
    """Return the names of the values for `render(name, ...)`."""
    return frozenset(_PLACEHOLDER.findall(template(name)))


def render(name: str, **values: str) -> str:
    """Fill the prompt file `name`. Raises `KeyError` unless `values` are exactly the placeholders of the file."""
    names = placeholders(name)
    if names != values.keys():
        wrong = sorted(names ^ values.keys())
        raise KeyError(f"prompt {name}.md needs exactly {sorted(names)}; missing or extra: {wrong}")
    return _PLACEHOLDER.sub(lambda match: values[match[1]], template(name))


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


def tagged(reply: str, tag: str) -> str | None:
    """Return the stripped text between the last `<tag>` and the next `</tag>`; None if absent or empty."""
    start = reply.rfind(f"<{tag}>")
    end = reply.find(f"</{tag}>", start)
    if start < 0 or end < 0:
        return None
    return reply[start + len(tag) + 2 : end].strip() or None
