"""Drawn scenes of the built-in sample. The generator in the arguments decides all draws."""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

from blpo.data.builtin.pixel_arrays import IMAGE_SIDE, Pixels, of_image

_CANVAS = 2 * IMAGE_SIDE
"""Side of the canvas. Scenes are drawn larger and scaled down, for smooth edges."""
_Colour = tuple[int, int, int]


def scene(name: str, rng: Generator) -> Pixels:
    """Draw a scene: `landscape`, `town` or `table`."""
    image = Image.new("RGB", (_CANVAS, _CANVAS))
    _SCENES[name](image, rng)
    # Real surfaces are uneven: the light varies slowly, at every scale but the finest.
    uneven = of_image(image.reduce(_CANVAS // IMAGE_SIDE)) * (1 + 0.10 * _clouds(rng))[..., None]
    return np.asarray(np.clip(uneven, 0, 1), dtype=np.float32)


def _clouds(rng: Generator) -> Pixels:
    total = np.zeros((IMAGE_SIDE, IMAGE_SIDE), dtype=np.float32)
    for cells in (4, 8, 16, 32):
        grid = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
        total += np.asarray(grid.resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BICUBIC)) * np.float32(4 / cells)
    return total / np.float32(4)


def _colour(rng: Generator, low: int = 20, high: int = 235) -> _Colour:
    red, green, blue = (int(value) for value in rng.integers(low, high, 3))
    return red, green, blue


def _shade(colour: _Colour, factor: float) -> _Colour:
    red, green, blue = (min(255, int(value * factor)) for value in colour)
    return red, green, blue


def _gradient(image: Image.Image, top: _Colour, bottom: _Colour, from_y: int, to_y: int) -> None:
    weight = np.linspace(0, 1, to_y - from_y, dtype=np.float32)[:, None, None]
    rows = np.array(top, np.float32) * (1 - weight) + np.array(bottom, np.float32) * weight
    band = Image.fromarray(rows.astype(np.uint8)).resize((image.width, to_y - from_y), Image.Resampling.NEAREST)
    image.paste(band, (0, from_y))


def _strokes(draw: ImageDraw.ImageDraw, rng: Generator, colour: _Colour, count: int, from_y: int, length: int) -> None:
    """Draw fine detail: short slanting lines, such as grass or fibres."""
    x, y = rng.integers(0, _CANVAS, count), rng.integers(from_y, _CANVAS, count)
    lean, rise = rng.integers(-length // 2, length // 2 + 1, count), rng.integers(length // 2, length, count)
    shades = np.minimum(255, np.outer(rng.uniform(0.6, 1.4, count), colour)).astype(int)
    lines = np.stack([x, y, x + lean, y - rise], axis=1)
    for line, (red, green, blue) in zip(lines.tolist(), shades.tolist(), strict=True):
        draw.line(line, fill=(red, green, blue), width=2)


def _landscape(image: Image.Image, rng: Generator) -> None:
    horizon = int(rng.integers(200, 330))
    sky = _colour(rng, 90, 230)
    _gradient(image, sky, _shade(sky, 1.25), 0, horizon)
    draw = ImageDraw.Draw(image)
    x, y, radius = (int(rng.integers(low, high)) for low, high in ((60, 450), (40, 160), (15, 40)))
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(rng, 180, 235))
    rock = _colour(rng, 40, 150)
    for ridge in range(int(rng.integers(2, 5))):
        steps = np.cumsum(rng.normal(0, 14, 65)) + horizon - 70 + 30 * ridge
        line = [(8 * i, float(height)) for i, height in enumerate(steps)]
        draw.polygon([(0, _CANVAS), *line, (_CANVAS, _CANVAS)], fill=_shade(rock, 1.5 - 0.2 * ridge))
    meadow = _colour(rng, 40, 170)
    _gradient(image, meadow, _shade(meadow, 0.7), horizon, _CANVAS)
    _strokes(draw, rng, meadow, int(rng.integers(500, 1100)), horizon + 10, 22)
    for _ in range(int(rng.integers(2, 9))):
        _tree(draw, rng, int(rng.integers(20, 490)), int(rng.integers(horizon + 10, 500)))


def _tree(draw: ImageDraw.ImageDraw, rng: Generator, x: int, y: int) -> None:
    height = int(rng.integers(50, 120))
    draw.rectangle((x - 4, y - height, x + 4, y), fill=_colour(rng, 30, 90))
    leaves = _colour(rng, 30, 170)
    spots = rng.normal(0, height / 5, (60, 2))
    for dx, dy in spots:
        size = float(rng.uniform(3, 9))
        at = (x + dx - size, y - height + dy - size, x + dx + size, y - height + dy + size)
        draw.ellipse(at, fill=_shade(leaves, float(rng.uniform(0.6, 1.4))))


def _town(image: Image.Image, rng: Generator) -> None:
    sky = _colour(rng, 80, 230)
    _gradient(image, sky, _shade(sky, 0.8), 0, _CANVAS)
    draw = ImageDraw.Draw(image)
    x = -10
    while x < _CANVAS:
        width = int(rng.integers(50, 120))
        _house(draw, rng, x, int(rng.integers(90, 320)), x + width)
        x += width
    street = _colour(rng, 50, 140)
    draw.rectangle((0, 440, _CANVAS, _CANVAS), fill=street)
    _strokes(draw, rng, street, int(rng.integers(150, 500)), 450, 10)


def _house(draw: ImageDraw.ImageDraw, rng: Generator, left: int, top: int, right: int) -> None:
    wall = _colour(rng, 50, 210)
    draw.rectangle((left, top, right, _CANVAS), fill=wall)
    roof = int(rng.integers(0, 50))
    draw.polygon([(left, top), ((left + right) // 2, top - roof), (right, top)], fill=_shade(wall, 0.6))
    for y in range(top + 8, 430, 6):
        draw.line((left, y, right, y), fill=_shade(wall, float(rng.uniform(0.82, 0.95))))
    glass, lit = _colour(rng, 20, 120), _colour(rng, 150, 235)
    across, down = int(rng.integers(16, 30)), int(rng.integers(24, 44))
    for x in range(left + 8, right - 12, across):
        for y in range(top + 14, 420, down):
            window = (x, y, x + across // 2, y + down // 2)
            draw.rectangle(window, fill=lit if rng.random() < 0.3 else glass, outline=_shade(wall, 0.5))


def _table(image: Image.Image, rng: Generator) -> None:
    edge = int(rng.integers(180, 320))
    wall, cloth = _colour(rng, 60, 220), _colour(rng, 60, 220)
    _gradient(image, wall, _shade(wall, 0.75), 0, edge)
    _gradient(image, cloth, _shade(cloth, 0.8), edge, _CANVAS)
    draw = ImageDraw.Draw(image)
    step, slant = int(rng.integers(9, 26)), int(rng.integers(-60, 60))
    for x in range(-60, _CANVAS + 60, step):
        draw.line((x, edge, x + slant, _CANVAS), fill=_shade(cloth, 0.7), width=2)
    _strokes(draw, rng, cloth, int(rng.integers(150, 700)), edge + 12, 12)
    for _ in range(int(rng.integers(3, 8))):
        x, radius = int(rng.integers(60, 450)), int(rng.integers(25, 65))
        _fruit(draw, rng, x, int(rng.integers(edge, 470)), radius)


def _fruit(draw: ImageDraw.ImageDraw, rng: Generator, x: int, y: int, radius: int) -> None:
    colour = _colour(rng, 50, 210)
    draw.ellipse((x - radius, y + radius // 2, x + radius + 14, y + radius + 12), fill=_shade(colour, 0.25))
    for ring in range(radius, 0, -3):
        factor = 0.65 + 0.55 * (1 - ring / radius)
        shift = (radius - ring) // 3
        box = (x - ring - shift, y - ring - shift, x + ring - shift, y + ring - shift)
        draw.ellipse(box, fill=_shade(colour, factor))
    for dx, dy in rng.normal(0, radius / 3, (25, 2)):
        draw.ellipse((x + dx, y + dy, x + dx + 3, y + dy + 3), fill=_shade(colour, 0.5))


_SCENES: dict[str, Callable[[Image.Image, Generator], None]] = {
    "landscape": _landscape,
    "town": _town,
    "table": _table,
}
