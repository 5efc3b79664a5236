import struct
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from blpo.data.image_encoding import FORMATS
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.images import check_images, encode_image
from blpo.data.metadata import without_metadata
from state.errors import DataError
from state.sample import EncodedImage, Sample

SECRET = b"48.137N 11.575E"
LIMITS = (1_048_576, 2048)


@dataclass(frozen=True)
class MemoryImage:
    """Image source over bytes in memory."""

    data: bytes
    name: str = "labels.csv:2: a.png"

    def read(self) -> bytes:
        return self.data


def scenery(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // width, y * 255 // height, (x * 7 + y * 13) % 256], axis=-1).astype(np.uint8)
    return Image.fromarray(rgb).convert(mode)


def stored(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    return tags


def sent(encoded: EncodedImage) -> bytes:
    data = b64decode(encoded.base64)
    assert sha256(data).hexdigest() == encoded.sha256
    return data


def pixels(data: bytes) -> Any:
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def encode(data: bytes, max_pixels: int = LIMITS[0], max_side: int = LIMITS[1]) -> EncodedImage:
    return encode_image(MemoryImage(data), max_pixels, max_side)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_plain_file_is_sent_unchanged(kind: str, mode: str) -> None:
    data = stored(scenery(mode=mode), kind)
    encoded = encode(data)
    assert sent(encoded) == data
    assert encoded.media_type == f"image/{kind.lower()}"


@pytest.mark.parametrize("progressive", [False, True])
def test_metadata_is_cut_out_of_a_jpeg_and_its_pixels_stay(progressive: bool) -> None:
    picture = scenery(300, 200)
    clean = stored(picture, "JPEG", progressive=progressive)
    data = stored(picture, "JPEG", progressive=progressive, exif=exif(), comment=SECRET, xmp=SECRET) + SECRET
    assert SECRET in data
    assert sent(encode(data)) == clean


def test_a_profile_stays_in_a_jpeg() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = stored(scenery(), "JPEG", icc_profile=profile, exif=exif())
    stripped = sent(encode(data))
    assert SECRET not in stripped
    assert profile in stripped


def test_metadata_is_cut_out_of_a_png() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("parameters", SECRET.decode())
    notes.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    data = stored(scenery(), "PNG", pnginfo=notes, exif=exif()) + SECRET
    assert SECRET in data
    assert sent(encode(data)) == stored(scenery(), "PNG")


@pytest.mark.parametrize("lossless", [False, True])
def test_metadata_is_cut_out_of_a_webp(lossless: bool) -> None:
    data = stored(scenery(), "WEBP", lossless=lossless, exif=exif(), xmp=SECRET) + SECRET
    stripped = sent(encode(data))
    assert SECRET not in stripped
    assert (pixels(stripped) == pixels(data)).all()
    with Image.open(BytesIO(stripped)) as image:
        assert not image.getexif()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_image_is_turned_upright(orientation: int) -> None:
    data = stored(scenery(60, 20), "PNG", exif=exif(orientation))
    upright = pixels(sent(encode(data)))
    assert upright.shape == ((20, 60, 3) if orientation <= 4 else (60, 20, 3))
    assert SECRET not in sent(encode(data))
    inverse = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    back = stored(Image.fromarray(upright), "PNG", exif=exif(inverse))
    assert (pixels(sent(encode(back))) == np.asarray(scenery(60, 20))).all()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(mode: str) -> None:
    image = scenery(mode="RGBA")
    image.putalpha(0)
    white = pixels(sent(encode(stored(image.convert(mode), "PNG"))))
    assert white.shape == (30, 40, 3)
    assert (white == 255).all()


def test_a_transparent_colour_is_white() -> None:
    data = stored(Image.new("RGB", (8, 8), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert (pixels(sent(encode(data))) == 255).all()


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = scenery(mode="L").convert("I").convert("I;16") if mode == "I;16" else scenery(mode=mode)
    encoded = encode(stored(image, "TIFF"))
    assert encoded.media_type == "image/png"
    assert pixels(sent(encoded)).shape == (30, 40, 3)


def test_sixteen_bits_keep_their_range() -> None:
    grey = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    narrowed = pixels(sent(encode(stored(Image.fromarray(grey), "PNG"))))[..., 0]
    assert abs(narrowed.astype(int) - grey / 257).max() <= 1


def test_only_the_first_frame_of_an_animation_is_sent() -> None:
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        data = stored(
            frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
        )
        encoded = encode(data)
        assert encoded.media_type == "image/png"
        assert (pixels(sent(encoded)) == (255, 0, 0)).all()


def test_a_foreign_profile_is_converted_before_encoding() -> None:
    # A Lab profile is refused, and must not change the image.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = stored(scenery(), "TIFF", icc_profile=profile)
    assert (pixels(sent(encode(data))) == np.asarray(scenery())).all()


def test_a_large_lossy_image_is_sent_as_a_fine_jpeg_and_a_lossless_one_as_png() -> None:
    large = scenery(1600, 900)
    lossy, lossless = encode(stored(large, "JPEG"), max_side=1200), encode(stored(large, "PNG"), max_side=1200)
    assert (lossy.media_type, lossless.media_type) == ("image/jpeg", "image/png")
    with Image.open(BytesIO(sent(lossy))) as image:
        assert image.size == (1200, 675)
    assert encode(stored(large, "JPEG"), max_side=100).media_type == "image/png"


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1024, 200_000), st.integers(32, 500))
@settings(max_examples=40, deadline=None)
def test_both_limits_hold_and_the_shape_stays(width: int, height: int, max_pixels: int, max_side: int) -> None:
    with Image.open(BytesIO(sent(encode(stored(scenery(width, height), "PNG"), max_pixels, max_side)))) as image:
        assert image.width * image.height <= max_pixels
        assert max(image.size) <= max_side
        if width * height <= max_pixels and max(width, height) <= max_side:
            assert image.size == (width, height)
        assert abs(image.width / width - image.height / height) <= 1 / min(width, height) + 1e-9


def test_an_extreme_shape_stays_within_the_limits() -> None:
    with Image.open(BytesIO(sent(encode(stored(scenery(30_000, 1), "PNG"), 1024, 2048)))) as image:
        assert image.size == (1024, 1)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_image_is_refused_by_name(kind: str) -> None:
    data = stored(scenery(200, 200), kind)
    with pytest.raises(DataError, match=r"^labels\.csv:2: a\.png: .*"):
        encode(data[: len(data) * 2 // 3])


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP"]), grey=st.booleans(), at=st.floats(0, 1), to=st.integers(0, 255))
def test_a_damaged_image_is_refused_where_it_can_not_be_decoded(kind: str, grey: bool, at: float, to: int) -> None:
    picture = scenery(48, 40).convert("L") if grey else scenery(48, 40)
    data = bytearray(stored(picture, kind))
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


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    data = bytearray(stored(Image.new("L", (1, 1)), "PNG"))
    for side in (9_500, 60_000):
        data[16:24] = struct.pack(">II", side, side)
        import zlib

        data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
        with pytest.raises(DataError, match="more than 80 million pixels"):
            encode(bytes(data))


SEEDS = [
    stored(scenery(24, 16), "JPEG", exif=exif(6)),
    stored(scenery(24, 16), "PNG", exif=exif()),
    stored(scenery(24, 16, "P"), "PNG"),
    stored(scenery(24, 16), "WEBP", exif=exif()),
    stored(scenery(24, 16), "GIF"),
    stored(scenery(24, 16), "TIFF"),
    stored(scenery(24, 16), "BMP"),
]


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
        assert pixels(sent(encoded)).shape[0] <= 32


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_stripping_never_raises(data: bytes, kind: str) -> None:
    start = {"JPEG": b"\xff\xd8", "PNG": SEEDS[1][:33], "WEBP": SEEDS[3][:12]}[kind]
    without_metadata(start + data, kind)


def test_encoding_in_many_threads_gives_the_same_bytes() -> None:
    sources = [MemoryImage(seed) for seed in SEEDS * 8]
    with ThreadPoolExecutor(8) as pool:
        hashes = list(pool.map(lambda source: encode_image(source, 1024, 32).sha256, sources))
    assert hashes == [encode_image(source, 1024, 32).sha256 for source in sources]


def test_check_images_names_every_broken_one_in_order() -> None:
    good = MemoryImage(SEEDS[0])
    samples = [Sample(str(i), (MemoryImage(b"x", f"row {i}") if i % 7 == 3 else good,), 1) for i in range(60)]
    problems = list(check_images(samples))
    assert [problem.split(":")[0] for problem in problems] == [f"row {i}" for i in range(60) if i % 7 == 3]


def test_folders_are_searched_for_every_format_that_is_decoded() -> None:
    Image.init()
    ends = {end for end, kind in Image.registered_extensions().items() if kind in (*FORMATS, "MPO")}
    assert ends == IMAGE_SUFFIXES
