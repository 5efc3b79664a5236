"""Vocabulary of the embedded models: names of measurable attributes, and words for levels.

Every attribute has a fixed scale from 0 to 100, the same for all images (`scales.py` maps raw measures to the scale).
So a sentence has the same meaning in every prompt and in every dataset.
"""

import re
from dataclasses import dataclass

LEVELS = ("very low", "low", "medium", "high", "very high")
"""Words for the fifths of a scale, lowest first."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """Measurable attribute of an image's pixels."""

    name: str
    """Name in English text, in lower case."""
    aliases: tuple[str, ...] = ()
    """Synonyms in the same direction, never words for the opposite."""
    general: bool = False
    """True for an attribute that any description of an image mentions."""


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("brightness", ("lightness", "luminance"), general=True),
    Attribute("contrast", ("tonal range",), general=True),
    Attribute("colourfulness", ("colorfulness", "vividness"), general=True),
    Attribute("warmth", ("colour temperature", "color temperature"), general=True),
    Attribute("hue variety", ("variety of hues", "variety of colours", "variety of colors"), general=True),
    Attribute("edge density", ("busyness", "clutter"), general=True),
    # Tone and colour
    Attribute("entropy", ("tonal variety",)),
    Attribute("shadow clipping", ("crushed shadows", "clipped shadows")),
    Attribute("highlight clipping", ("blown highlights", "clipped highlights")),
    Attribute("saturation"),
    Attribute("green tint"),
    Attribute("colour clipping", ("color clipping", "clipped colours", "clipped colors")),
    Attribute("share of blue"),
    Attribute("share of green"),
    Attribute("share of skin tones"),
    # The finest structure
    Attribute("sharpness", ("acuity",)),
    Attribute("blur", ("blurriness", "softness")),
    Attribute("noise", ("grain", "graininess")),
    Attribute("blockiness", ("blocking", "compression artefacts", "compression artifacts")),
    Attribute("fine detail", ("finest detail",)),
    Attribute("spectral slope"),
    Attribute("spectral bend"),
    Attribute("spectral residual"),
    Attribute("texture variance"),
    Attribute("texture skew"),
    Attribute("texture smoothness"),
    Attribute("texture unevenness"),
    # Edges and composition
    Attribute("flat area", ("flat areas", "smooth areas")),
    Attribute("local contrast"),
    Attribute("edge coherence", ("coherence of edges",)),
    Attribute("symmetry", ("mirror symmetry",)),
    Attribute("focus on the centre", ("focus on the center", "central focus")),
    Attribute("light from above"),
)
"""All attributes. The general attributes come first, in the order of a caption."""

BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}

_NAME_OF = {word: attribute.name for attribute in ATTRIBUTES for word in (attribute.name, *attribute.aliases)}
_MENTION = re.compile(
    rf"(?<![\w-])(?:{'|'.join(re.escape(word) for word in sorted(_NAME_OF, key=len, reverse=True))})(?![\w-])"
)


def level(value: float) -> str:
    """Return the level word for a value from 0 to 100. A level is a fifth of the scale with the lower end."""
    return LEVELS[min(max(int(value // 20), 0), len(LEVELS) - 1)]


def mentioned(text: str) -> tuple[str, ...]:
    """Return the names of the attributes that a text mentions by name or alias, in order of first mention.

    Only whole words count, in any case, with any white space in between. Among overlapping names the longest counts
    ("local contrast" does not mention "contrast").
    """
    names = (_NAME_OF[word] for word in _MENTION.findall(" ".join(text.lower().split())))
    return tuple(dict.fromkeys(names))
