"""Recipes of the built-in sample: 240 images, rated 1 to 5 for naturalness.

A PROGRAM MADE THESE LABELS; no person saw the images. The rule: a rating starts at 5 and loses a point for each of four
causes: blur, blockiness (JPEG at a low quality), noise, and clipping (blown highlights). About one rating in ten is
then moved by a point, as human raters would. The content, brightness, contrast and colours of an image are drawn
independently of the rating, so that a description of these properties does not reveal the rating.

Most images are drawn scenes. The rest are crops of the two photographs packaged with scikit-learn: ten crops of every
region, two with each number of causes. So the region tells nothing about the rating.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, cycle, islice

from numpy.random import Generator, default_rng

from blpo.data.builtin.photographs import REGIONS

SIZE = 240
CAUSES = ("blur", "blockiness", "noise", "clipping")
"""Causes in the order of application: lens, file, grain, light. A cause does not hide the causes before."""
VERSION = 2
"""Version of the drawing program. Raise the version with every change of an image: fingerprints depend on it."""
SEED = 2602

_RATER_NOISE = 0.1
_CROPS = 2
"""Crops of a region with the same number of causes."""
_SCENES = ("landscape", "town", "table")
_STRENGTHS = {"blur": (2.2, 3.0), "blockiness": (10.0, 18.0), "noise": (3.0, 6.0), "clipping": (0.03, 0.06)}
"""Ranges of strengths: sigma in pixels, JPEG quality, sigma in grey levels of 255, share of pixels."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Content, causes and label of an image."""

    number: int
    content: str
    """Kind of scene, or the region of a photograph."""
    strengths: Mapping[str, float]
    """Causes in the image, with their strengths."""
    rater_shift: int
    """-1, 0 or 1: difference between the rater and the rule."""

    @property
    def id(self) -> str:
        """Sample id, such as `sample-017`."""
        return f"sample-{self.number:03}"

    @property
    def region(self) -> str | None:
        """Region of a photograph, such as `china-3`; None for a drawn scene. The crops of a region are a group."""
        return self.content if self.content in REGIONS else None

    @property
    def rating(self) -> int:
        """Label: 5 less the number of causes, plus the rater's shift."""
        return 5 - len(self.strengths) + self.rater_shift

    @property
    def cause(self) -> str:
        """Causes in words: `blur + noise`, or `none`."""
        return " + ".join(self.strengths) or "none"


@cache
def recipes() -> tuple[Recipe, ...]:
    """Return all recipes by number, from 1. By the rule, every rating occurs in a fifth of the recipes."""
    rng = default_rng(SEED)
    choices = [choice for count in range(5) for choice in _fifth(count, rng)]
    shuffled = (choices[i] for i in rng.permutation(len(choices)))
    return tuple(
        Recipe(number, content, {cause: _strength(cause, rng) for cause in causes}, _shift(5 - len(causes), rng))
        for number, (content, causes) in enumerate(shuffled, start=1)
    )


def _fifth(count: int, rng: Generator) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield content and causes of a fifth of the sample: crops of every region, and scenes.

    All choices of `count` causes are equally frequent.
    """
    choices = list(combinations(CAUSES, count))
    crops = [*REGIONS] * _CROPS
    contents = [*crops, *islice(cycle(_SCENES), SIZE // 5 - len(crops))]
    for content, choice in zip(contents, rng.permutation(SIZE // 5), strict=True):
        yield content, choices[choice % len(choices)]


def _strength(cause: str, rng: Generator) -> float:
    return round(float(rng.uniform(*_STRENGTHS[cause])), 2)


def _shift(rating: int, rng: Generator) -> int:
    strays, up = rng.random() < _RATER_NOISE, rng.random() < 0.5
    if not strays:
        return 0
    return 1 if rating == 1 or (up and rating < 5) else -1
