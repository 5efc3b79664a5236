"""Metadata: removed from files, without a change of pixels."""

import struct
import zlib
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


def chunk(name: bytes, content: bytes, *, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(name + content) if checksum is None else checksum
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


LARGE = zlib.compress(b"a" * 1_200_000)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"workflow\0\0" + LARGE),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + LARGE),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"a" * 70_000_000),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + LARGE),
        chunk(b"tEXt", b"prompt\0" + b"a" * 70_000_000),
        chunk(b"iCCP", b"wide\0\0" + LARGE),
        chunk(b"iCCP", b"wide\0\7" + LARGE),
        chunk(b"zTXt", b"note\0\7" + LARGE),
        chunk(b"tEXt", b"note\0text", checksum=1),
        chunk(b"tEXt", b"transparency\0text"),
        chunk(b"eXIf", b"II", checksum=1),
        chunk(b"pHYs", b""),
        chunk(b"gAMA", b""),
        chunk(b"caBX", b"c2pa" * 100_000),
    ],
)
@pytest.mark.parametrize("after_pixels", [False, True])
def test_a_png_is_read_whatever_its_metadata(extra: bytes, after_pixels: bool) -> None:
    clean = image_bytes(scenery(), "PNG")
    at = len(clean) - 12 if after_pixels else 33
    assert encoded_bytes(encode(clean[:at] + extra + clean[at:])) == clean


def test_the_rotation_in_the_texts_of_a_png_counts() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta tiff:Orientation="6"></x:xmpmeta>', zip=True)
    notes.add_text("note", "a" * 10)
    turned = encode(image_bytes(scenery(60, 40), "PNG", pnginfo=notes))
    with Image.open(BytesIO(encoded_bytes(turned))) as image:
        assert image.size == (40, 60)


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
