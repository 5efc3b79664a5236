"""The built-in sample: 240 images that this module draws, rated 1 to 5 for how natural they look.

A PROGRAM MADE THESE LABELS; no person saw the images. The rule: an image starts at 5 and loses one point for each of
four causes that is there: blur, blockiness (JPEG at a low quality), noise, and clipping (blown highlights). About one
rating in ten is then moved by one point, as human raters would. What the image shows, its brightness, contrast and
colours are drawn independently of the rating, so that a description of these does not give it away.

Half of the images are crops of the two photographs packaged with scikit-learn, half are drawn scenes. The same versions
of numpy, scipy and pillow draw the same bytes. Images are drawn when first read, and kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from itertools import combinations
from math import sqrt

from numpy.random import Generator, default_rng

from blpo.data.artefacts import Grade, blocky, blurred, clipped, drawn_grade, graded, noisy, to_image, tone
from blpo.data.rows import Row
from blpo.data.scenes import Pixels, photograph, scene
from state.errors import DataError
from state.sample import Sample
from state.settings import DataSettings, SplitColumn

SIZE = 240
CAUSES = ("blur", "blockiness", "noise", "clipping")
"""In the order in which they are applied: lens, file, grain, light. Each leaves those before it to be seen."""

_VERSION = 1
"""Raise it with every change to what is drawn: fingerprints of datasets depend on it."""
_SEED = 2602
_RATER_NOISE = 0.1
_CONTENTS = ("china", "landscape", "flower", "town", "china", "table", "flower", "landscape")
_PHOTOGRAPHS = ("china", "flower")
_STRENGTHS = {"blur": (2.2, 3.0), "blockiness": (10.0, 18.0), "noise": (3.0, 6.0), "clipping": (0.03, 0.06)}
"""Drawn between these: sigma in pixels, JPEG quality, sigma in grey levels of 255, share of pixels."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one image shows, what is wrong with it, and the label that follows."""

    number: int
    content: str
    strengths: Mapping[str, float]
    """The causes that are there, each with its strength."""
    rater_shift: int
    """-1, 0 or 1: how far the rater strays from the rule."""

    @property
    def id(self) -> str:
        """`sample-017`."""
        return f"sample-{self.number:03}"

    @property
    def rating(self) -> int:
        """The label: 5 less the number of causes, moved by the rater."""
        return 5 - len(self.strengths) + self.rater_shift

    @property
    def cause(self) -> str:
        """`blur + noise`, or `none`."""
        return " + ".join(self.strengths) or "none"


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """The source of one drawn image."""

    number: int

    @property
    def name(self) -> str:
        """`built-in sample-017`."""
        return f"built-in {recipes()[self.number - 1].id}"

    def read(self) -> bytes:
        """Return a PNG of 256 x 256 pixels."""
        return _png(self.number)

    def stamp(self) -> str:
        """The version of the drawing program and the image's number."""
        return f"built-in {_VERSION}:{self.number}"


def sample_rows(data: DataSettings) -> tuple[Row, ...]:
    """The whole sample, as if read from a table; raises `DataError` for settings that need columns."""
    if isinstance(data.split, SplitColumn):
        raise DataError(f"data.split: the built-in sample has no column {data.split.column!r}; give shares")
    return tuple(
        Row(Sample(recipe.id, (DrawnImage(recipe.number),), recipe.rating), None, f"built-in {recipe.id}")
        for recipe in recipes()
    )


@cache
def recipes() -> tuple[Recipe, ...]:
    """All recipes by number, from 1. Before the raters stray, each rating is that of a fifth of them."""
    rng = default_rng(_SEED)
    made = [recipe for count in range(5) for recipe in _balanced(count, rng)]
    shuffled = (made[i] for i in rng.permutation(len(made)))
    return tuple(
        Recipe(number, content, {cause: _strength(cause, rng) for cause in causes}, _shift(5 - len(causes), rng))
        for number, (content, causes) in enumerate(shuffled, start=1)
    )


def _balanced(count: int, rng: Generator) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A fifth of the sample: every choice of so many causes, and every content, as often as the other."""
    choices = list(combinations(CAUSES, count))
    fifth = SIZE // 5
    for content, choice in zip(rng.permutation(fifth), rng.permutation(fifth), strict=True):
        yield _CONTENTS[content % len(_CONTENTS)], choices[choice % len(choices)]


def _strength(cause: str, rng: Generator) -> float:
    return round(float(rng.uniform(*_STRENGTHS[cause])), 2)


def _shift(rating: int, rng: Generator) -> int:
    strays, up = rng.random() < _RATER_NOISE, rng.random() < 0.5
    if not strays:
        return 0
    return 1 if rating == 1 or (up and rating < 5) else -1


@cache
def _png(number: int) -> bytes:
    buffer = BytesIO()
    to_image(_drawn(recipes()[number - 1])).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _drawn(recipe: Recipe) -> Pixels:
    rng = default_rng((_SEED, _VERSION, recipe.number))
    content = (photograph if recipe.content in _PHOTOGRAPHS else scene)(recipe.content, rng)
    causes = recipe.strengths
    grade = _fitted(drawn_grade(rng), content, causes.get("noise", 0.0) / 255, causes.get("clipping", 0.0))
    pixels = graded(content, grade)
    if "blur" in causes:
        pixels = blurred(pixels, causes["blur"])
    if "blockiness" in causes:
        pixels = blocky(pixels, round(causes["blockiness"]))
    if "noise" in causes:
        pixels = noisy(pixels, causes["noise"], rng)
    return clipped(pixels, causes["clipping"]) if "clipping" in causes else pixels


def _fitted(grade: Grade, content: Pixels, noise: float, share: float) -> Grade:
    """The grade that gives the brightness and contrast drawn once noise and clipping have added theirs."""
    wanted = sqrt(max(grade.contrast**2 - noise**2, 0.01))
    some = content[::4, ::4]
    asked = replace(grade, contrast=wanted)
    for _ in range(4):
        toned = graded(some, asked)
        mean, deviation = tone(clipped(toned, share) if share else toned)
        brightness = asked.brightness + grade.brightness - mean
        asked = replace(asked, brightness=brightness, contrast=asked.contrast * wanted / deviation)
    return asked
