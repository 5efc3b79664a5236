"""Small images with independent cues of known strength.

A cue is a property of an image with a strength from 0 to 1. All cues vary in every image, independently of each other.
`IN_CAPTION` names the cues that a general caption of the embedded verbalizer mentions; the caption is silent about the
cues of `BESIDE_CAPTION`.
"""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
from numpy.random import Generator

from blpo.data.builtin.artefacts import blocky, blurred, clipped, noisy
from blpo.data.builtin.grading import Grade, graded
from blpo.data.builtin.pixel_arrays import Pixels, float32, luma_channel, of_image, to_image
from blpo.data.builtin.scenes import scene

IN_CAPTION = ("brightness", "contrast", "colour", "warmth")
"""Cues in the general caption."""
BESIDE_CAPTION = ("blur", "blocks", "noise", "glare", "symmetry", "light", "tint")
"""Cues outside the general caption: lens, JPEG, grain, blown highlights, mirror symmetry, light from above, green."""
CUES = (*IN_CAPTION, *BESIDE_CAPTION)
SIDE = 128
"""Width and height of an image, in pixels."""
VERSION = 1
"""Version of the drawing program. Raise the version with every change of an image or a label."""

_SCENES = ("landscape", "town", "table")
_SHRINK = 2
"""Side of a scene of the built-in sample over SIDE."""


def draw_image(cues: Mapping[str, float], rng: Generator) -> bytes:
    """Return a PNG of SIDE x SIDE pixels. `cues` has the strength of every cue; `rng` draws the content."""
    content = of_image(to_image(scene(_SCENES[int(rng.integers(len(_SCENES)))], rng)).reduce(_SHRINK))
    pixels = graded(_composed(content, cues["symmetry"], cues["light"]), _grade(cues))
    pixels = blurred(pixels, 0.2 + 1.6 * cues["blur"])
    pixels = _tinted(pixels, 0.2 * (cues["tint"] - 0.5))
    pixels = blocky(pixels, round(90 - 65 * cues["blocks"]))
    pixels = noisy(pixels, 1 + 5 * cues["noise"], rng)
    buffer = BytesIO()
    to_image(clipped(pixels, 0.06 * cues["glare"])).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _composed(pixels: Pixels, symmetry: float, light: float) -> Pixels:
    mirrored = pixels + (pixels[:, ::-1] - pixels) * np.float32(0.6 * symmetry)
    slope = np.linspace(0.5, -0.5, SIDE, dtype=np.float32)[:, None, None]
    return float32(mirrored + slope * np.float32(0.5 * (light - 0.5)))


def _grade(cues: Mapping[str, float]) -> Grade:
    return Grade(
        brightness=0.38 + 0.24 * cues["brightness"],
        contrast=0.10 + 0.18 * cues["contrast"],
        saturation=0.4 + 1.2 * cues["colour"],
        warmth=0.2 * (cues["warmth"] - 0.5),
    )


def _tinted(pixels: Pixels, green: float) -> Pixels:
    """Add green. The luma stays."""
    shift = np.array([0, green, 0], dtype=np.float32)
    return float32(pixels + shift - luma_channel(shift[None, None]))
