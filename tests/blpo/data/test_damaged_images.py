"""Damaged and hostile images: refused by name, never a crash."""

import struct
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from blpo.data.images import check_images
from state.errors import DataError
from state.sample import Sample
from tests.blpo.data.pictures import SEEDS, MemoryImage, encode, encoded_bytes, image_bytes, pixels, scenery


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_image_is_refused_by_name(kind: str) -> None:
    data = image_bytes(scenery(200, 200), kind)
    with pytest.raises(DataError, match=r"^labels\.csv:2: a\.png: .*"):
        encode(data[: len(data) * 2 // 3])


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP"]), grey=st.booleans(), at=st.floats(0, 1), to=st.integers(0, 255))
def test_a_damaged_image_is_refused_where_it_can_not_be_decoded(kind: str, grey: bool, at: float, to: int) -> None:
    picture = scenery(48, 40).convert("L") if grey else scenery(48, 40)
    data = bytearray(image_bytes(picture, kind))
    data[int(at * (len(data) - 1))] = to
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
        decodes = True
    except Exception:
        decodes = False
    try:
        encode(bytes(data))
        sends = True
    except DataError:
        sends = False
    assert sends <= decodes


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"not an image at all", b"\xff\xd8\xff", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="not a readable image"):
        encode(data)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs pull"),
        (b"\n<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "an SVG drawing"),
        (b"<?xml version='1.0'?><Error/>", "XML"),
        (b'{"detail": "not found"}', "JSON"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\0\0\0\x18ftypisom", "a video"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_content_in_the_place_of_an_image_is_named(data: bytes, kind: str) -> None:
    with pytest.raises(DataError, match=f"is not a readable image: it is .*{kind}"):
        encode(data)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    data = bytearray(image_bytes(Image.new("L", (1, 1)), "PNG"))
    for side in (9_500, 60_000):
        data[16:24] = struct.pack(">II", side, side)
        import zlib

        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        with pytest.raises(DataError, match="more than 80 million pixels"):
            encode(bytes(data))


@given(
    st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=4)), max_size=6), st.booleans()
)
@settings(max_examples=400, deadline=None)
def test_hostile_bytes_give_an_image_or_a_data_error(seed: bytes, edits: list[tuple[int, bytes]], cut: bool) -> None:
    data = bytearray(seed)
    for at, new in edits:
        data[at % len(data) : at % len(data) + len(new)] = new
    hostile = bytes(data[: len(data) // 2] if cut else data)
    try:
        encoded = encode(hostile, 1024, 32)
    except DataError as error:
        assert "\n" not in str(error)
    else:
        assert pixels(encoded_bytes(encoded)).shape[0] <= 32


def test_check_images_names_every_broken_one_in_order() -> None:
    good = MemoryImage(SEEDS[0])
    samples = [Sample(str(i), (MemoryImage(b"x", f"row {i}") if i % 7 == 3 else good,), 1) for i in range(60)]
    problems = list(check_images(samples))
    assert [problem.split(":")[0] for problem in problems] == [f"row {i}" for i in range(60) if i % 7 == 3]
