"""The built-in sample: 240 images that this module draws, rated 1 to 5 for how natural they look.

A PROGRAM MADE THESE LABELS; no person saw the images. The rule: an image starts at 5 and loses one point for each cause
that is visible and two for each that is strong. The causes are blur, noise, blockiness (JPEG at a low quality) and
clipping (blown highlights); an image has at most two of them. About one rating in ten is then moved by one point, as
human raters would. What the image shows, its brightness, contrast and colours are drawn independently of the rating,
so that they do not predict it.

Half of the images are crops of the two photographs packaged with scikit-learn, half are drawn scenes. The same versions
of numpy, scipy and pillow draw the same bytes. Images are drawn when first read, and kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from itertools import combinations, permutations
from math import sqrt

from numpy.random import Generator, default_rng

from data.artefacts import Grade, blocky, blurred, clipped, drawn_grade, graded, noisy, to_image, tone
from data.rows import Row
from data.scenes import Pixels, photograph, scene
from state.errors import DataError
from state.sample import Sample
from state.settings import DataSettings, SplitColumn

SIZE = 240
CAUSES = ("blur", "noise", "blockiness", "clipping")

_VERSION = 1
"""Raise it with every change to what is drawn: fingerprints of datasets depend on it."""
_SEED = 2602
_RATER_NOISE = 0.1
_CONTENTS = ("china", "landscape", "flower", "town", "china", "table", "flower", "landscape")
_PHOTOGRAPHS = ("china", "flower")
_STRENGTHS = {"blur": (1.0, 2.2), "noise": (9.0, 22.0), "blockiness": (20, 8), "clipping": (0.04, 0.12)}
"""Visible and strong: sigma in pixels, sigma in grey levels, JPEG quality, share of pixels."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one image shows, what is wrong with it, and the label that follows."""

    number: int
    content: str
    levels: tuple[int, ...]
    """For each of CAUSES: 0 absent, 1 visible, 2 strong."""
    rater_shift: int
    """-1, 0 or 1: how far the rater strays from the rule."""

    @property
    def id(self) -> str:
        """`sample-017`."""
        return f"sample-{self.number:03}"

    @property
    def rating(self) -> int:
        """The label: 5 less one point a level, moved by the rater."""
        return 5 - sum(self.levels) + self.rater_shift

    @property
    def cause(self) -> str:
        """`strong blur + visible noise`, or `none`."""
        words = [f"{('visible', 'strong')[n - 1]} {c}" for c, n in zip(CAUSES, self.levels, strict=True) if n]
        return " + ".join(words) or "none"


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
    made = [(content, levels) for lost in range(5) for content, levels in _balanced(lost, rng)]
    shuffled = (made[i] for i in rng.permutation(len(made)))
    return tuple(
        Recipe(number, content, levels, _shift(5 - sum(levels), rng))
        for number, (content, levels) in enumerate(shuffled, start=1)
    )


def _balanced(lost: int, rng: Generator) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A fifth of the sample: every way to lose so many points, and every content, as often as the other."""
    ways = _ways(lost)
    count = SIZE // 5
    for content, way in zip(rng.permutation(count), rng.permutation(count), strict=True):
        yield _CONTENTS[content % len(_CONTENTS)], ways[way % len(ways)]


def _ways(lost: int) -> list[tuple[int, ...]]:
    """All levels of at most two causes that lose so many points."""
    alone = [{cause: lost} for cause in CAUSES] if lost <= 2 else []
    pairs = {1: [], 2: [(1, 1)], 3: [(2, 1)], 4: [(2, 2)]}.get(lost, [])
    both = [
        dict(zip(causes, levels, strict=True))
        for levels in pairs
        for causes in (permutations(CAUSES, 2) if levels[0] != levels[1] else combinations(CAUSES, 2))
    ]
    return [tuple(way.get(cause, 0) for cause in CAUSES) for way in alone + both]


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
    """The image, spoilt where it would be: in the lens, in the sensor, in the file, by a correction of the light."""
    rng = default_rng((_SEED, _VERSION, recipe.number))
    content = (photograph if recipe.content in _PHOTOGRAPHS else scene)(recipe.content, rng)
    strength = {c: _STRENGTHS[c][level - 1] for c, level in zip(CAUSES, recipe.levels, strict=True) if level}
    share = strength.get("clipping", 0.0)
    pixels = graded(content, _fitted(drawn_grade(rng), content, strength.get("noise", 0.0) / 255, share))
    if "blur" in strength:
        pixels = blurred(pixels, strength["blur"])
    if "noise" in strength:
        pixels = noisy(pixels, strength["noise"], rng)
    if "blockiness" in strength:
        pixels = blocky(pixels, int(strength["blockiness"]))
    return clipped(pixels, share) if share else pixels


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
