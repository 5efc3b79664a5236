"""Every message quoted in docs/troubleshooting.md is a message of the code."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.small_set import ROOT

SHORTEST = 9
"""Characters of the shortest fragment of a message; shorter fragments also occur by chance."""


def quotes() -> list[str]:
    """Return the messages in the first column of the page's tables; `...` stands for left-out words."""
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \| ", page, re.MULTILINE)
    return [quote for cell in cells for quote in re.findall(r"`([^`]+)`", cell)]


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield all string constants, also the parts of formatted strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def code() -> str:
    """Return all string constants of the packages, one a line."""
    paths = [path for package in ("blpo", "graph", "nodes", "state") for path in (ROOT / package).rglob("*.py")]
    return "\n".join(text for path in paths for text in literals(ast.parse(path.read_text(encoding="utf-8"))))


def without_fragments(quote: str) -> str:
    """Return the quote with every fragment of the code's texts as `|`: the values in the message are left."""
    rest, start = "", 0
    while start < len(quote):
        end = start + SHORTEST
        if end > len(quote) or quote[start:end] not in code():
            rest, start = rest + quote[start], start + 1
            continue
        while end < len(quote) and quote[start : end + 1] in code():
            end += 1
        rest, start = rest + "|", end
    return rest


def foreign_words(quote: str) -> list[str]:
    """Return rows of three words or more outside of all fragments."""
    return [
        words
        for part in quote.split("...")
        for words in re.findall(r"(?<![\w.])(?:[a-z]+ ){2,}[a-z]+", without_fragments(part))
    ]


@pytest.mark.parametrize("quote", quotes())
def test_a_quoted_message_is_one_of_the_code(quote: str) -> None:
    assert foreign_words(quote) == []


def test_other_words_are_found_out() -> None:
    assert len(quotes()) > 40
    assert foreign_words("labels must name at least two different categories") == []
    assert foreign_words("purple cows dance upon hills") == ["purple cows dance upon hills"]
