"""Images for a model: decoded to prove that an image is whole, and changed as little as possible.

A plain RGB or grey JPEG, PNG or WebP within the limits is sent as stored, without metadata: a judge of artefacts must
see the original, and no model must see the place of a photograph. Any other image is rotated as its EXIF says, put on
white, converted to 8-bit sRGB, scaled down and encoded once: as PNG, or as JPEG (quality 95, 4:4:4) if the source was
lossy and the image is still large.

Standard library and Pillow alone: `blpo export` puts this file into an exported judge unchanged.
"""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from math import sqrt

from PIL import Image, UnidentifiedImageError

from blpo.data.heif_images import is_heif, register_heif
from blpo.data.image_conversion import transposition, upright_srgb
from blpo.data.metadata import without_metadata
from blpo.data.other_content import other_content
from blpo.data.png_chunks import readable_png

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")
"""Formats that are decoded; JPEG includes MPO (several JPEGs in a file). Pillow reads more, some by other programs.

HEIC is decoded too if pillow-heif is installed.
"""

MAX_DECODED_PIXELS = 80_000_000
"""Images with more pixels are refused before decoding (a small file can hold a huge image)."""

_LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "JPEG2000", "HEIF")
_LARGE = 512 * 512
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class ImageError(ValueError):
    """Error of an image that can't be decoded in full."""


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """File that is sent for an image."""

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
        """File as a `data:` URL."""
        return f"data:{self.media_type};base64,{b64encode(self.data).decode('ascii')}"


def encode_file(data: bytes, max_pixels: int, max_side: int) -> EncodedFile:
    """Return the file to send for a stored image: at most `max_pixels` pixels and `max_side` on the longer side.

    Safe to call from several threads. Raises only `ImageError`, for an image that can't be decoded in full.
    """
    # Decoders fail on hostile bytes in every possible way (struct.error, IndexError, MemoryError ...).
    try:
        return _encode(data, max_pixels, max_side)
    except Exception as error:
        raise image_error(error) from error


def fitted_size(width: int, height: int, max_pixels: int, max_side: int) -> tuple[int, int]:
    """Return the size after scaling down to the limits; the same size for an image within the limits."""
    scale = min(1.0, max_side / max(width, height), sqrt(max_pixels / (width * height)))
    if scale == 1.0:
        return width, height
    short, long = sorted((max(1, int(width * scale)), max(1, int(height * scale))))
    long = min(long, max_pixels // short)
    return (short, long) if width <= height else (long, short)


def image_error(error: Exception) -> ImageError:
    """Return a decoder's exception as an `ImageError` in words."""
    if isinstance(error, ImportError):
        return ImageError(f"can't be decoded: {error}")
    if isinstance(error, UnidentifiedImageError):
        detail = f": it is {error}" if isinstance(error, _OtherContent) else f" (formats: {', '.join(FORMATS)})"
        return ImageError(f"is not a readable image{detail}")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | _TooLarge):
        return ImageError(f"has more than {MAX_DECODED_PIXELS // 1_000_000} million pixels; scale the image down")
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"can't be decoded, the file is damaged or cut off ({reason[:120]})")


class _OtherContent(UnidentifiedImageError):
    """Error of a file with content that is no image; the text names the content."""


class _TooLarge(Exception):
    """Error of an image with more than MAX_DECODED_PIXELS."""


def open_image(data: bytes) -> Image.Image:
    """Open an image of `FORMATS`, or HEIC, within `MAX_DECODED_PIXELS`. Raises the exceptions of the decoder."""
    if is_heif(data):
        register_heif()
        image = Image.open(BytesIO(data), formats=("HEIF",))
    else:
        try:
            image = Image.open(BytesIO(readable_png(data)), formats=FORMATS)
        except UnidentifiedImageError as error:
            if content := other_content(data):
                raise _OtherContent(content) from error
            raise
    if image.width * image.height > MAX_DECODED_PIXELS:
        raise _TooLarge
    return image


def read_to_the_end(image: Image.Image) -> None:
    """Decode an image to prove that the file is whole. A JPEG is read in full, but decoded at an eighth of the size."""
    image.draft("L", (1, 1))
    image.load()


def _encode(data: bytes, max_pixels: int, max_side: int) -> EncodedFile:
    with open_image(data) as image:
        kind = image.format or ""
        if kind != "JPEG":
            image.load()  # first: reading the EXIF of a PNG loads the image too, and ignores damage
        size = fitted_size(image.width, image.height, max_pixels, max_side)
        if size == image.size and _is_plain(image):
            stripped = without_metadata(data, kind)
            if stripped is not None:
                read_to_the_end(image)
                return EncodedFile(stripped, kind, is_original=True)
        image.load()
        flat = upright_srgb(image)
    size = fitted_size(flat.width, flat.height, max_pixels, max_side)
    if size != flat.size:
        flat = flat.resize(size, Image.Resampling.LANCZOS)
    lossy_and_large = kind in _LOSSY and flat.width * flat.height > _LARGE
    return _new_file(flat, "JPEG" if lossy_and_large else "PNG")


def _is_plain(image: Image.Image) -> bool:
    return (
        image.format in _MEDIA_TYPES
        and image.mode in ("RGB", "L")
        and getattr(image, "n_frames", 1) == 1
        and "transparency" not in image.info
        and transposition(image) is None
    )


def _new_file(image: Image.Image, kind: str) -> EncodedFile:
    image.info.clear()
    buffer = BytesIO()
    if kind == "JPEG":
        image.save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        image.save(buffer, "PNG")
    return EncodedFile(buffer.getvalue(), kind, is_original=False)
