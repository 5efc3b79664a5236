"""Images of the built-in sample, drawn at the first read, and then kept in memory and in the user's cache folder.

The same versions of numpy, scipy and pillow draw the same bytes.
"""

from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from math import sqrt
from pathlib import Path

from numpy.random import default_rng

from blpo.data.builtin.artefacts import blocky, blurred, clipped, noisy
from blpo.data.builtin.grading import Grade, graded, luma_statistics, random_grade
from blpo.data.builtin.photographs import REGIONS, crop
from blpo.data.builtin.pixel_arrays import Pixels, to_image
from blpo.data.builtin.recipes import SEED, VERSION, Recipe, recipes
from blpo.data.builtin.scenes import scene
from blpo.data.rows import Row
from blpo.storage.user_cache import CachedFiles
from state.errors import DataError
from state.sample import Sample
from state.settings import DataSettings, SplitColumn

_FITTING_STEPS = 4
_FILES = CachedFiles(
    "sample", tuple(sorted(Path(__file__).parent.glob("*.py"))), ("numpy", "scipy", "pillow", "scikit-learn")
)
"""Images by number."""


@dataclass(frozen=True, slots=True)
class DrawnImage:
    """Source of a drawn image."""

    number: int

    @property
    def name(self) -> str:
        """Name in messages, such as `built-in sample-017`."""
        return f"built-in {recipes()[self.number - 1].id}"

    def read(self) -> bytes:
        """Return a PNG of 256 x 256 pixels."""
        return _png(self.number)

    def stamp(self) -> str:
        """Return the version of the drawing program and the image's number."""
        return f"built-in {VERSION}:{self.number}"


def sample_rows(data: DataSettings) -> tuple[Row, ...]:
    """Return the whole sample as rows of a table. Raises `DataError` for settings that need columns."""
    if isinstance(data.split, SplitColumn):
        raise DataError(f"data.split: the built-in sample has no column {data.split.column!r}; give shares")
    return tuple(Row(_sample(recipe), None, f"built-in {recipe.id}") for recipe in recipes())


def _sample(recipe: Recipe) -> Sample:
    return Sample(recipe.id, (DrawnImage(recipe.number),), recipe.rating, group=recipe.region)


@cache
def _png(number: int) -> bytes:
    key = str(number).encode()
    data = _FILES.read(key)
    if data is None:
        data = _drawn_png(number)
        _FILES.write(key, data)
    return data


def _drawn_png(number: int) -> bytes:
    buffer = BytesIO()
    to_image(_draw(recipes()[number - 1])).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _draw(recipe: Recipe) -> Pixels:
    rng = default_rng((SEED, VERSION, recipe.number))
    content = scene(recipe.content, rng) if recipe.region is None else crop(REGIONS[recipe.region], rng)
    causes = recipe.strengths
    grade = _fitted(random_grade(rng), content, causes.get("noise", 0.0) / 255, causes.get("clipping", 0.0))
    pixels = graded(content, grade)
    if "blur" in causes:
        pixels = blurred(pixels, causes["blur"])
    if "blockiness" in causes:
        pixels = blocky(pixels, round(causes["blockiness"]))
    if "noise" in causes:
        pixels = noisy(pixels, causes["noise"], rng)
    return clipped(pixels, causes["clipping"]) if "clipping" in causes else pixels


def _fitted(grade: Grade, content: Pixels, noise: float, share: float) -> Grade:
    """Return a grade that reaches the brightness and contrast of `grade` after noise and clipping."""
    target = sqrt(max(grade.contrast**2 - noise**2, 0.01))
    thumbnail = content[::4, ::4]
    fitted = replace(grade, contrast=target)
    for _ in range(_FITTING_STEPS):
        pixels = graded(thumbnail, fitted)
        mean, deviation = luma_statistics(clipped(pixels, share) if share else pixels)
        brightness = fitted.brightness + grade.brightness - mean
        fitted = replace(fitted, brightness=brightness, contrast=fitted.contrast * target / deviation)
    return fitted
