"""Prompts as Markdown files of this folder, with `{{name}}` placeholders filled strictly and once.

Values are never scanned for placeholders: braces, JSON and `{{name}}` in a value stay unchanged.
"""

import re
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@cache
def template(name: str) -> str:
    """Return the text of the prompt file `name` (without `.md`), stripped."""
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8").strip()


def read_templates() -> None:
    """Read all prompt files into the cache, so that no later call waits for a disk."""
    for file in _FOLDER.rglob("*.md"):
        template(file.relative_to(_FOLDER).with_suffix("").as_posix())


@cache
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
