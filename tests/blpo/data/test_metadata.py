"""Metadata: removed from files, without a change of pixels."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from blpo.data.metadata import without_metadata
from tests.blpo.data.pictures import SECRET, SEEDS, encode, encoded_bytes, exif, image_bytes, pixels, scenery


@pytest.mark.parametrize("progressive", [False, True])
def test_metadata_is_cut_out_of_a_jpeg_and_its_pixels_stay(progressive: bool) -> None:
    picture = scenery(300, 200)
    clean = image_bytes(picture, "JPEG", progressive=progressive)
    data = image_bytes(picture, "JPEG", progressive=progressive, exif=exif(), comment=SECRET, xmp=SECRET) + SECRET
    assert SECRET in data
    assert encoded_bytes(encode(data)) == clean


def test_a_profile_stays_in_a_jpeg() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = image_bytes(scenery(), "JPEG", icc_profile=profile, exif=exif())
    stripped = encoded_bytes(encode(data))
    assert SECRET not in stripped
    assert profile in stripped


def test_metadata_is_cut_out_of_a_png() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("parameters", SECRET.decode())
    notes.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    data = image_bytes(scenery(), "PNG", pnginfo=notes, exif=exif()) + SECRET
    assert SECRET in data
    assert encoded_bytes(encode(data)) == image_bytes(scenery(), "PNG")


@pytest.mark.parametrize("lossless", [False, True])
def test_metadata_is_cut_out_of_a_webp(lossless: bool) -> None:
    data = image_bytes(scenery(), "WEBP", lossless=lossless, exif=exif(), xmp=SECRET) + SECRET
    stripped = encoded_bytes(encode(data))
    assert SECRET not in stripped
    assert (pixels(stripped) == pixels(data)).all()
    with Image.open(BytesIO(stripped)) as image:
        assert not image.getexif()


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_stripping_never_raises(data: bytes, kind: str) -> None:
    start = {"JPEG": b"\xff\xd8", "PNG": SEEDS[1][:33], "WEBP": SEEDS[3][:12]}[kind]
    without_metadata(start + data, kind)
