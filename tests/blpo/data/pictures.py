"""Small pictures for tests, as files and as image sources."""

from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from blpo.data.images import encode_image
from state.sample import EncodedImage

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


def image_bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    return tags


def encoded_bytes(encoded: EncodedImage) -> bytes:
    data = b64decode(encoded.base64)
    assert sha256(data).hexdigest() == encoded.sha256
    return data


def pixels(data: bytes) -> Any:
    with Image.open(BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def encode(data: bytes, max_pixels: int = LIMITS[0], max_side: int = LIMITS[1]) -> EncodedImage:
    return encode_image(MemoryImage(data), max_pixels, max_side)


SEEDS = [
    image_bytes(scenery(24, 16), "JPEG", exif=exif(6)),
    image_bytes(scenery(24, 16), "PNG", exif=exif()),
    image_bytes(scenery(24, 16, "P"), "PNG"),
    image_bytes(scenery(24, 16), "WEBP", exif=exif()),
    image_bytes(scenery(24, 16), "GIF"),
    image_bytes(scenery(24, 16), "TIFF"),
    image_bytes(scenery(24, 16), "BMP"),
]
