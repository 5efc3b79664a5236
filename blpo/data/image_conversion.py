"""Conversion of a decoded image to upright 8-bit sRGB without transparency.

Standard library and Pillow alone: `blpo export` puts this file into an exported judge unchanged.
"""

from io import BytesIO

from PIL import Image, ImageCms

_ORIENTATION = 0x0112
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF orientation; 1 is upright."""


def transposition(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition to upright, by the image's EXIF; None for an upright image."""
    try:
        return _TRANSPOSITIONS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # Pillow fails on damaged EXIF in many ways. Damaged EXIF leaves the pixels intact.
        return None


def upright_srgb(image: Image.Image) -> Image.Image:
    """Return the image upright, in 8-bit sRGB. Transparent parts are white."""
    turn = transposition(image)
    image = image if turn is None else image.transpose(turn)
    if image.mode.startswith(("I", "F")):
        image = _eight_bits(image)
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        white.info.update(image.info)
        image = Image.alpha_composite(white, over)
        image.info.pop("transparency", None)
    profile = image.info.get("icc_profile")
    return _in_srgb(image.convert("RGB"), profile if image.mode.startswith(("RGB", "P")) else None)


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale wide grey values to 8 bits: 16-bit values by their range, other values by the lowest and the highest."""
    import numpy  # only here: an exported judge runs without numpy

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
        return image  # an unusable profile counts as no profile
    return converted or image
