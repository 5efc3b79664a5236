"""Images as they are sent to a model: decoded to prove that they are whole, and changed as little as possible.

A plain RGB or grey JPEG, PNG or WebP within the limits is sent as it is stored, less its metadata: a judge of artefacts
must see the original, and nobody must see where it was taken. Anything else is rotated as its EXIF says, put on white,
converted to 8-bit sRGB, scaled down and encoded once: as PNG, or as JPEG (quality 95, 4:4:4) where the source was lossy
and is still large.
"""

import os
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from math import sqrt

from PIL import Image, ImageCms, UnidentifiedImageError

from blpo.data.metadata import without_metadata
from state.errors import DataError
from state.sample import EncodedImage, ImageSource, Sample

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""What is decoded (MPO, several JPEGs in one file, goes with JPEG). Pillow reads more, some with outside programs."""

MAX_DECODED_PIXELS = 80_000_000
"""Images with more pixels are refused before they are decoded (a small file can hold a huge image)."""

_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "JPEG2000")
_LARGE = 512 * 512
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation; 1 is upright."""
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """The file that is sent for an image."""

    data: bytes
    kind: str
    """JPEG, PNG or WEBP."""
    is_original: bool
    """It is the stored file less its metadata, not one made anew."""

    def encoded(self, digest: str | None = None) -> EncodedImage:
        """The same as part of a message; `digest` is the SHA-256 (hex) of its data where that is known already."""
        text = b64encode(self.data).decode("ascii")
        return EncodedImage(digest or sha256(self.data).hexdigest(), _MEDIA_TYPES[self.kind], text)


def encode_image(source: ImageSource, max_pixels: int, max_side: int) -> EncodedImage:
    """Return the image as it is sent, at most `max_pixels` pixels and `max_side` on its longer side.

    Safe to call from several threads. Raises `DataError`, and nothing else, for an image that can't be decoded in full.
    """
    return sent_file(source.read(), source.name, max_pixels, max_side).encoded()


def sent_file(data: bytes, name: str, max_pixels: int, max_side: int) -> SentFile:
    """Return the file to send for a stored one; as `encode_image`. `name` is named in errors."""
    # Decoders fail on hostile bytes in every way there is (struct.error, IndexError, MemoryError ...).
    try:
        return _encode(data, max_pixels, max_side)
    except Exception as error:
        raise DataError(f"{name}: {_reason(error)}") from error


def image_size(source: ImageSource) -> tuple[int, int]:
    """Return width and height as stored, from the header alone; raises `DataError` for what is no image."""
    data = source.read()
    try:
        with _open(data) as image:
            return image.size
    except Exception as error:  # as in sent_file
        raise DataError(f"{source.name}: {_reason(error)}") from error


def fitting(width: int, height: int, max_pixels: int, max_side: int) -> tuple[int, int]:
    """Return the size that an image of this size is scaled down to, or its own where it is within the limits."""
    scale = min(1.0, max_side / max(width, height), sqrt(max_pixels / (width * height)))
    if scale == 1.0:
        return width, height
    short, long = sorted((max(1, int(width * scale)), max(1, int(height * scale))))
    long = min(long, max_pixels // short)
    return (short, long) if width <= height else (long, short)


def check_images(samples: Iterable[Sample]) -> Iterator[str]:
    """Decode every image in full and yield one line for each that can't be, in order; a few are in memory at a time."""
    workers = min(4, os.cpu_count() or 1)
    running: deque[Future[str | None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for source in (source for sample in samples for source in sample.images):
            running.append(pool.submit(_problem, source))
            if len(running) > 4 * workers and (problem := running.popleft().result()):
                yield problem
        yield from filter(None, (future.result() for future in running))


def _problem(source: ImageSource) -> str | None:
    try:
        decoded_format(source.read(), source.name)
    except DataError as error:
        return str(error)
    return None


def decoded_format(data: bytes, name: str) -> str:
    """Return the format (one of `FORMATS`, or MPO) of an image that decodes in full; raises `DataError` naming it."""
    try:
        with _open(data) as image:
            _read_to_the_end(image)
            return image.format or ""
    except Exception as error:  # as in sent_file
        raise DataError(f"{name}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return f"is not a readable image (formats: {', '.join(FORMATS)})"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | _TooLarge):
        return f"has more than {MAX_DECODED_PIXELS // 1_000_000} million pixels; scale it down"
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"can't be decoded, the file is damaged or cut off ({reason[:120]})"


class _TooLarge(Exception):
    """More than MAX_DECODED_PIXELS."""


def _open(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data), formats=FORMATS)
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise _TooLarge
    return image


def _read_to_the_end(image: Image.Image) -> None:
    """Decode an image to see that it is whole; of a JPEG all is read, and the eighth of width and height made."""
    image.draft("L", (1, 1))
    image.load()


def _encode(data: bytes, max_pixels: int, max_side: int) -> SentFile:
    with _open(data) as image:
        kind = image.format or ""
        if kind != "JPEG":
            image.load()  # first: looking for a PNG's EXIF loads it too, and passes over damage
        size = fitting(image.width, image.height, max_pixels, max_side)
        if size == image.size and _is_plain(image):
            stripped = without_metadata(data, kind)
            if stripped is not None:
                _read_to_the_end(image)
                return SentFile(stripped, kind, is_original=True)
        image.load()
        turn = _turn(image)
        flat = _flattened(image if turn is None else image.transpose(turn))
    size = fitting(flat.width, flat.height, max_pixels, max_side)
    if size != flat.size:
        flat = flat.resize(size, Image.Resampling.LANCZOS)
    lossy_and_large = kind in _LOSSY and flat.width * flat.height > _LARGE
    return _saved(flat, "JPEG" if lossy_and_large else "PNG")


def _is_plain(image: Image.Image) -> bool:
    return (
        image.format in _MEDIA_TYPES
        and image.mode in ("RGB", "L")
        and getattr(image, "n_frames", 1) == 1
        and "transparency" not in image.info
        and _turn(image) is None
    )


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn the image upright, as its EXIF says."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow fails on damaged EXIF in many ways; the pixels are none the worse for it.
        return None


def _flattened(image: Image.Image) -> Image.Image:
    """8-bit sRGB without transparency; transparent parts are white."""
    if image.mode.startswith(("I", "F")):
        image = _narrowed(image)
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        white.info.update(image.info)
        image = Image.alpha_composite(white, over)
        image.info.pop("transparency", None)
    profile = image.info.get("icc_profile")
    return _in_srgb(image.convert("RGB"), profile if image.mode.startswith(("RGB", "P")) else None)


def _narrowed(image: Image.Image) -> Image.Image:
    """Wide grey values to 8 bits: 16-bit ones by their range, others by the lowest and highest that occur."""
    import numpy  # for this rare kind alone: an exported judge works without it

    values = numpy.nan_to_num(numpy.asarray(image, dtype=numpy.float64), posinf=0.0, neginf=0.0)
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (values.min(), values.max())
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(numpy.rint(scaled).clip(0, 255).astype(numpy.uint8))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image
    try:
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # An unusable profile is as good as none.
    return converted or image


def _saved(image: Image.Image, kind: str) -> SentFile:
    image.info.clear()
    buffer = BytesIO()
    if kind == "JPEG":
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return SentFile(buffer.getvalue(), kind, is_original=False)
