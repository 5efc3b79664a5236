"""Perception: attributes follow known changes of an image."""

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

from blpo.models.embedded.perception import perceive
from blpo.models.embedded.vocabulary import ATTRIBUTES
from state.errors import DataError
from tests.blpo.models.embedded.photographs import SIDE, encoded, photograph, png

NAMES = [attribute.name for attribute in ATTRIBUTES]

Pixels = npt.NDArray[np.float64]

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK")


def edited(change: Callable[[Pixels, float], Pixels], amount: float, photo: str) -> bytes:
    """Return a photograph after a change of the pixel values (0 to 255)."""
    pixels = change(np.asarray(photograph(photo), dtype=np.float64), amount)
    return png(Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)))


def assert_valid(values: dict[str, float]) -> None:
    assert list(values) == NAMES
    assert all(0 <= value <= 100 for value in values.values()), values


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.sampled_from(MODES), st.integers(0, 2**32 - 1), st.booleans())
def test_every_size_and_mode_has_values_for_all_attributes(
    width: int, height: int, mode: str, seed: int, blank: bool
) -> None:
    rng = np.random.default_rng(seed)
    rgba = rng.integers(0, 256, (1, 1, 4) if blank else (height, width, 4), dtype=np.uint8)
    image = Image.fromarray(np.broadcast_to(rgba, (height, width, 4)).copy())
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    assert_valid(perceive(encoded(image, "TIFF" if mode == "CMYK" else "PNG")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (700, 3), (513, 511), (509, 509), (1600, 200)])
def test_formats_and_odd_shapes(kind: str, size: tuple[int, int]) -> None:
    assert_valid(perceive(encoded(photograph().resize(size), kind)))


def test_a_large_photograph() -> None:
    data = encoded(photograph().resize((4000, 3000), Image.Resampling.BICUBIC), "JPEG", quality=90)
    values = perceive(data)
    assert_valid(values)
    assert values["blur"] > 90  # enlarged tenfold
    assert values["brightness"] == pytest.approx(perceive(png(photograph()))["brightness"], abs=2)


@pytest.mark.parametrize("data", [b"", b"no image", encoded(Image.new("RGB", (99, 99)), "JPEG")[:300]])
def test_bytes_that_are_no_image_are_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(DataError) as caught:
        perceive(data)
    assert "\n" not in str(caught.value)


def test_the_same_bytes_give_the_same_values() -> None:
    data = png(photograph("flower.jpg"))
    assert perceive(data) == perceive(bytes(bytearray(data)))


def test_greyscale_has_no_colour_and_transparency_is_white() -> None:
    grey = perceive(png(photograph().convert("L")))
    assert max(grey[name] for name in ("colourfulness", "saturation", "hue variety", "share of blue")) < 20
    assert perceive(png(Image.new("RGBA", (50, 50)))) == perceive(png(Image.new("RGB", (50, 50), "white")))


def noisy(pixels: Pixels, sigma: float) -> Pixels:
    return pixels + sigma * np.random.default_rng(0).standard_normal((SIDE, SIDE, 1))


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    return gaussian_filter(pixels, (sigma, sigma, 0)) if sigma else pixels


def saturated(pixels: Pixels, factor: float) -> Pixels:
    grey: Pixels = pixels.mean(axis=2, keepdims=True)
    return grey + (pixels - grey) * factor


def warmed(pixels: Pixels, by: float) -> Pixels:
    return np.stack([pixels[..., 0] + by, pixels[..., 1], pixels[..., 2] - by], axis=2)


def greened(pixels: Pixels, by: float) -> Pixels:
    return np.stack([pixels[..., 0], pixels[..., 1] + by, pixels[..., 2]], axis=2)


def lit_from_above(pixels: Pixels, by: float) -> Pixels:
    return pixels + np.linspace(by, -by, SIDE)[:, None, None]


RISING: list[tuple[str, Callable[[Pixels, float], Pixels], tuple[float, ...]]] = [
    ("noise", noisy, (0, 4, 10, 25)),
    ("blur", blurred, (0, 1, 2, 4)),
    ("sharpness", blurred, (4, 1, 0)),
    ("brightness", lambda p, factor: p * factor, (0.4, 0.7, 1)),
    ("contrast", lambda p, factor: 128 + (p - 128) * factor, (0.3, 0.6, 1)),
    ("local contrast", lambda p, factor: 128 + (p - 128) * factor, (0.3, 0.6, 1)),
    ("highlight clipping", lambda p, by: p + by, (0, 130)),
    ("shadow clipping", lambda p, by: p - by, (-60, 90)),
    ("colourfulness", saturated, (0.1, 0.4, 0.8)),
    ("saturation", saturated, (0.1, 0.4, 0.8)),
    ("colour clipping", saturated, (0.8, 1.5, 3)),
    ("warmth", warmed, (-30, 0, 30)),
    ("green tint", greened, (-30, 0, 30)),
    ("light from above", lit_from_above, (-90, -60, -30)),
    ("flat area", blurred, (0, 4, 16)),
    ("edge density", blurred, (4, 1, 0)),
    ("texture smoothness", blurred, (0, 1)),
]


@pytest.mark.parametrize("photo", ["china.jpg", "flower.jpg"])
@pytest.mark.parametrize(("attribute", "change", "amounts"), RISING, ids=[row[0] for row in RISING])
def test_attributes_follow_what_is_done_to_a_photograph(
    attribute: str, change: Callable[[Pixels, float], Pixels], amounts: tuple[float, ...], photo: str
) -> None:
    values = [perceive(edited(change, amount, photo))[attribute] for amount in amounts]
    assert all(after > before + 1 for before, after in pairwise(values)), values


@pytest.mark.parametrize("photo", ["china.jpg", "flower.jpg"])
class TestFindings:
    def test_blockiness_follows_compression(self, photo: str) -> None:
        image = photograph(photo)
        values = [perceive(encoded(image, "JPEG", quality=quality))["blockiness"] for quality in (95, 30, 12, 5)]
        assert all(after > before + 3 for before, after in pairwise(values)), values

    def test_blur_is_seen_through_noise(self, photo: str) -> None:
        sharp, soft = (perceive(edited(lambda p, s: noisy(blurred(p, s), 10), s, photo)) for s in (0, 2.5))
        assert soft["blur"] > sharp["blur"] + 15
        assert soft["sharpness"] > 50  # noise deceives this measure

    def test_fine_detail_is_lost_by_enlarging(self, photo: str) -> None:
        image = photograph(photo)
        for small in (128, 64):
            reduced = image.resize((small, small), Image.Resampling.LANCZOS)
            enlarged = reduced.resize(image.size, Image.Resampling.BICUBIC)
            assert perceive(png(enlarged))["fine detail"] < perceive(png(image))["fine detail"] - 10

    def test_a_mirrored_half_is_symmetric(self, photo: str) -> None:
        whole = photograph(photo).copy()
        half = whole.crop((0, 0, SIDE // 2, SIDE))
        whole.paste(ImageOps.mirror(half), (SIDE // 2, 0))
        assert perceive(png(whole))["symmetry"] > 95


def test_focus_on_the_centre() -> None:
    image = photograph()
    soft = Image.fromarray(gaussian_filter(np.asarray(image), (6, 6, 0)))
    middle = (64, 64, 192, 192)
    centre_sharp, border_sharp = soft.copy(), image.copy()
    centre_sharp.paste(image.crop(middle), middle)
    border_sharp.paste(soft.crop(middle), middle)
    assert perceive(png(centre_sharp))["focus on the centre"] > perceive(png(border_sharp))["focus on the centre"] + 40


def test_perceiving_an_image_takes_less_time_than_two_filters_of_it() -> None:
    image = photograph().resize((512, 512), Image.Resampling.LANCZOS)
    data, pixels = encoded(image, "JPEG", quality=92), np.asarray(image, dtype=np.float64)

    def spent(work: Callable[[], object]) -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    both = [(spent(lambda: perceive(data)), spent(lambda: gaussian_filter(pixels, (6, 6, 0)))) for _ in range(10)]
    assert min(own for own, _ in both) < 2 * min(filtering for _, filtering in both)
