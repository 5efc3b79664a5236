"""Images as they are sent to a model: decoded to prove that they are whole, and changed as little as possible.

A plain RGB or grey JPEG, PNG or WebP within the limits is sent as stored, without metadata: a judge of artefacts must
see the original, and nobody must see where the image was taken. Any other image is rotated as its EXIF says, put on
white, converted to 8-bit sRGB, scaled down and encoded once: as PNG, or as JPEG (quality 95, 4:4:4) if the source was
lossy and the image is still large.

Standard library and Pillow alone: `blpo export` puts this file into an exported judge as it stands.
"""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from math import sqrt

from PIL import Image, ImageCms, UnidentifiedImageError

from blpo.data.metadata import without_metadata

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""Formats that are decoded; JPEG includes MPO (several JPEGs in a file). Pillow reads more, some by other programs."""

MAX_DECODED_PIXELS = 80_000_000
"""Images with more pixels are refused before decoding (a small file can hold a huge image)."""

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


class ImageError(ValueError):
    """An image can't be decoded in full."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """The file that is sent for an image."""

    data: bytes
    kind: str
    """JPEG, PNG or WEBP."""
    is_original: bool
    """True for the stored file without metadata, False for a file that was encoded anew."""

    @property
    def media_type(self) -> str:
        """`image/jpeg`, `image/png` or `image/webp`."""
        return _MEDIA_TYPES[self.kind]

    @property
    def data_url(self) -> str:
        """The file as a `data:` URL."""
        return f"data:{self.media_type};base64,{b64encode(self.data).decode('ascii')}"


def encode_file(data: bytes, max_pixels: int, max_side: int) -> SentFile:
    """Return the file to send for a stored image, at most `max_pixels` pixels and `max_side` on the longer side.

    Safe to call from several threads. Raises only `ImageError`, for an image that can't be decoded in full.
    """
    # Decoders fail on hostile bytes in every way there is (struct.error, IndexError, MemoryError ...).
    try:
        return _encode(data, max_pixels, max_side)
    except Exception as error:
        raise image_error(error) from error


def fitting(width: int, height: int, max_pixels: int, max_side: int) -> tuple[int, int]:
    """Return the size to which an image is scaled down; the same size if the image is within the limits."""
    scale = min(1.0, max_side / max(width, height), sqrt(max_pixels / (width * height)))
    if scale == 1.0:
        return width, height
    short, long = sorted((max(1, int(width * scale)), max(1, int(height * scale))))
    long = min(long, max_pixels // short)
    return (short, long) if width <= height else (long, short)


def image_error(error: Exception) -> ImageError:
    """Return an `ImageError` that says in words what a decoder's exception means."""
    if isinstance(error, UnidentifiedImageError):
        return ImageError(f"is not a readable image (formats: {', '.join(FORMATS)})")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | _TooLarge):
        return ImageError(f"has more than {MAX_DECODED_PIXELS // 1_000_000} million pixels; scale it down")
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"can't be decoded, the file is damaged or cut off ({reason[:120]})")


class _TooLarge(Exception):
    """More than MAX_DECODED_PIXELS."""


def open_image(data: bytes) -> Image.Image:
    """Open an image of one of `FORMATS` within `MAX_DECODED_PIXELS`; raises whatever the decoder raises."""
    image = Image.open(BytesIO(data), formats=FORMATS)
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise _TooLarge
    return image


def read_to_the_end(image: Image.Image) -> None:
    """Decode an image to see that the file is whole; a JPEG is read in full but decoded at an eighth of its size."""
    image.draft("L", (1, 1))
    image.load()


def _encode(data: bytes, max_pixels: int, max_side: int) -> SentFile:
    with open_image(data) as image:
        kind = image.format or ""
        if kind != "JPEG":
            image.load()  # first: reading the EXIF of a PNG loads the image too, and ignores damage
        size = fitting(image.width, image.height, max_pixels, max_side)
        if size == image.size and _is_plain(image):
            stripped = without_metadata(data, kind)
            if stripped is not None:
                read_to_the_end(image)
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
    """Return the turn that puts the image upright, read from the EXIF."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow fails on damaged EXIF in many ways; the pixels are whole.
        return None


def _flattened(image: Image.Image) -> Image.Image:
    """Convert to 8-bit sRGB without transparency; transparent parts become white."""
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
    """Scale wide grey values to 8 bits: 16-bit values by their range, other values by the lowest and highest value."""
    import numpy  # only for this rare kind: an exported judge works without numpy

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
        return image  # an unusable profile is ignored
    return converted or image


def _saved(image: Image.Image, kind: str) -> SentFile:
    image.info.clear()
    buffer = BytesIO()
    if kind == "JPEG":
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return SentFile(buffer.getvalue(), kind, is_original=False)
