"""Language of pairs: values of both items in one phrase, and the sentence about the order."""

import re

from blpo.models.embedded.vocabulary import LEVELS, level

_LEVEL = "|".join(sorted(LEVELS, key=len, reverse=True))
_PHRASE = re.compile(
    rf"\b([A-Za-z][a-z-]*(?: [a-z-]+){{0,5}}?) is (?:{_LEVEL}) \((\d{{1,3}})\) in the first image"
    rf" and (?:{_LEVEL}) \((\d{{1,3}})\) in the second"
)
_ITEMS = r"(?:the )?(?:two )?(?:images|texts|answers|items|options|pair|presentation)\b"
_ORDER = rf"\b(?:order|position)\b(?! of (?!{_ITEMS})| the )"
"""Order of the items, and not the order or the position of things in an image."""
_SAYS_NOTHING = (
    r"\b(?:says nothing|means nothing|does not matter|doesn't matter|is irrelevant|is random|is no reason|has no"
    r"|must not|should not)\b"
)
_IGNORE = r"\b(?:ignore|disregard|regardless of|independent of|independently of|whatever)\b"
_NEAR = r"[^.!?\n]{0,60}"
_NO_ORDER = re.compile(f"{_ORDER}{_NEAR}{_SAYS_NOTHING}|{_IGNORE}{_NEAR}{_ORDER}", re.IGNORECASE)


def pair_phrase(name: str, first: float, second: float) -> str:
    """Return the values of an attribute, such as `noise is high (72) in the first image and low (40) in the second`."""
    one, other = round(first), round(second)
    return f"{name} is {level(one)} ({one}) in the first image and {level(other)} ({other}) in the second"


def pair_phrases(text: str) -> list[tuple[str, float, float]]:
    """Return name and values of every `pair_phrase` in a text, in order."""
    return [(name, float(first), float(second)) for name, first, second in _PHRASE.findall(text)]


def without_pair_phrases(text: str) -> str:
    """Return a text without every `pair_phrase`."""
    return _PHRASE.sub("", text)


def order_sentence(items: str = "images") -> str:
    """Return the sentence of a judge prompt that tells the judge to ignore the order. `items`: `images` or `texts`."""
    return f"The order of the {items} says nothing."


def ignores_order(prompt: str) -> bool:
    """Return True if the prompt says that the order says nothing, in these or in similar words."""
    return _NO_ORDER.search(prompt) is not None
