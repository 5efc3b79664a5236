"""Images for a model: unchanged if possible, otherwise upright, in sRGB and within the limits."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from blpo.data.image_encoding import FORMATS
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.images import encode_image
from state.errors import DataError
from tests.blpo.data.pictures import (
    SECRET,
    SEEDS,
    MemoryImage,
    encode,
    encoded_bytes,
    exif,
    image_bytes,
    pixels,
    scenery,
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_plain_file_is_sent_unchanged(kind: str, mode: str) -> None:
    data = image_bytes(scenery(mode=mode), kind)
    encoded = encode(data)
    assert encoded_bytes(encoded) == data
    assert encoded.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_image_is_turned_upright(orientation: int) -> None:
    data = image_bytes(scenery(60, 20), "PNG", exif=exif(orientation))
    upright = pixels(encoded_bytes(encode(data)))
    assert upright.shape == ((20, 60, 3) if orientation <= 4 else (60, 20, 3))
    assert SECRET not in encoded_bytes(encode(data))
    inverse = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    back = image_bytes(Image.fromarray(upright), "PNG", exif=exif(inverse))
    assert (pixels(encoded_bytes(encode(back))) == np.asarray(scenery(60, 20))).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(mode: str) -> None:
    image = scenery(mode="RGBA")
    image.putalpha(0)
    white = pixels(encoded_bytes(encode(image_bytes(image.convert(mode), "PNG"))))
    assert white.shape == (30, 40, 3)
    assert (white == 255).all()


def test_a_transparent_colour_is_white() -> None:
    data = image_bytes(Image.new("RGB", (8, 8), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert (pixels(encoded_bytes(encode(data))) == 255).all()


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = scenery(mode="L").convert("I").convert("I;16") if mode == "I;16" else scenery(mode=mode)
    data = image_bytes(image, "TIFF")
    if mode == "YCbCr" and int(PIL.__version__.partition(".")[0]) < 13:  # such a TIFF is unreadable for older versions
        with pytest.raises(DataError, match="can't be decoded"):
            encode(data)
        return
    encoded = encode(data)
    assert encoded.media_type == "image/png"
    assert pixels(encoded_bytes(encoded)).shape == (30, 40, 3)


def test_sixteen_bits_keep_their_range() -> None:
    grey = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    narrowed = pixels(encoded_bytes(encode(image_bytes(Image.fromarray(grey), "PNG"))))[..., 0]
    assert abs(narrowed.astype(int) - grey / 257).max() <= 1


def test_only_the_first_frame_of_an_animation_is_sent() -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = image_bytes(
            frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
        )
        encoded = encode(data)
        assert encoded.media_type == "image/png"
        assert (pixels(encoded_bytes(encoded)) == (255, 0, 0)).all()


def test_a_foreign_profile_is_converted_before_encoding() -> None:
    # A Lab profile is refused, and must not change the image.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = image_bytes(scenery(), "TIFF", icc_profile=profile)
    assert (pixels(encoded_bytes(encode(data))) == np.asarray(scenery())).all()


def test_a_large_lossy_image_is_sent_as_a_fine_jpeg_and_a_lossless_one_as_png() -> None:
    large = scenery(1600, 900)
    lossy, lossless = (
        encode(image_bytes(large, "JPEG"), max_side=1200),
        encode(image_bytes(large, "PNG"), max_side=1200),
    )
    assert (lossy.media_type, lossless.media_type) == ("image/jpeg", "image/png")
    with Image.open(BytesIO(encoded_bytes(lossy))) as image:
        assert image.size == (1200, 675)
    assert encode(image_bytes(large, "JPEG"), max_side=100).media_type == "image/png"


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1024, 200_000), st.integers(32, 500))
@settings(max_examples=40, deadline=None)
def test_both_limits_hold_and_the_shape_stays(width: int, height: int, max_pixels: int, max_side: int) -> None:
    with Image.open(
        BytesIO(encoded_bytes(encode(image_bytes(scenery(width, height), "PNG"), max_pixels, max_side)))
    ) as image:
        assert image.width * image.height <= max_pixels
        assert max(image.size) <= max_side
        if width * height <= max_pixels and max(width, height) <= max_side:
            assert image.size == (width, height)
        assert abs(image.width / width - image.height / height) <= 1 / min(width, height) + 1e-9


def test_an_extreme_shape_stays_within_the_limits() -> None:
    with Image.open(BytesIO(encoded_bytes(encode(image_bytes(scenery(30_000, 1), "PNG"), 1024, 2048)))) as image:
        assert image.size == (1024, 1)


def test_encoding_in_many_threads_gives_the_same_bytes() -> None:
    sources = [MemoryImage(seed) for seed in SEEDS * 8]
    with ThreadPoolExecutor(8) as pool:
        hashes = list(pool.map(lambda source: encode_image(source, 1024, 32).sha256, sources))
    assert hashes == [encode_image(source, 1024, 32).sha256 for source in sources]


def test_folders_are_searched_for_every_format_that_is_decoded() -> None:
    Image.init()
    ends = {end for end, kind in Image.registered_extensions().items() if kind in (*FORMATS, "MPO")}
    assert ends == IMAGE_SUFFIXES
