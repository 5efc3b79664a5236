"""Images in chat messages, as the embedded models see images. A known image is not decoded again."""

import base64
import binascii
import math
import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from langchain_core.messages import BaseMessage
from PIL import Image

MAX_IMAGES = 20_000
"""Images with facts in memory, about 0.3 kB for an image."""

_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
_LAST_URLS, _LAST_SMALL_URLS = 8, 256
_SMALL_URL = 300_000
"""Characters of a data URL: the images in memory stay below about 80 MB."""
_PIXELS_PER_TOKEN = 784
_MAX_IMAGE_TOKENS = 1536


@dataclass(frozen=True, slots=True)
class MessageImage:
    """Encoded image of a message."""

    url: str
    """Data URL."""
    digest: bytes
    """SHA-256 of the encoded bytes."""
    tokens: int
    """Input tokens of the image; 0 for bytes that are no image."""

    @property
    def data(self) -> bytes:
        """Encoded bytes."""
        return base64.b64decode(self.url.partition(",")[2])


def images(messages: Sequence[BaseMessage]) -> list[MessageImage]:
    """Return all images, in order. Parts without a base64 data URL of an image are left out."""
    return [image for part in parts(messages) if (image := part_image(part)) is not None]


def parts(messages: Sequence[BaseMessage]) -> Iterator[str | dict[str, Any]]:
    """Yield the parts of all messages, in order."""
    for message in messages:
        yield from [message.content] if isinstance(message.content, str) else message.content


def part_image(part: str | dict[str, Any]) -> MessageImage | None:
    """Return the image of a part of a message; None for any other part."""
    image = part.get("image_url") if isinstance(part, dict) and part.get("type") == "image_url" else None
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str):
        return None
    return (_small_images if len(url) <= _SMALL_URL else _large_images).of(url)


def _url_image(url: str) -> MessageImage | None:
    head = _DATA_URL.match(url)
    facts = _facts(url[head.end() :]) if head is not None else None
    return MessageImage(url, *facts) if facts is not None else None


class _LastImages:
    """Images of the last `most` data URLs. A call looks at an image several times, and a run sends a URL many times.

    A URL is known by the object: comparing the characters takes longer than all other work on a known image.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._images: OrderedDict[int, tuple[str, MessageImage | None]] = OrderedDict()
        """By the id of the URL. The URL is kept, so no other object gets the id."""

    def of(self, url: str) -> MessageImage | None:
        """Return the image of a data URL; None for another text."""
        known, image = self._images.get(id(url), (None, None))
        if known is not url:
            image = _url_image(url)
            self._images[id(url)] = url, image
            if len(self._images) > self._most:
                self._images.popitem(last=False)
        return image


_small_images, _large_images = _LastImages(_LAST_SMALL_URLS), _LastImages(_LAST_URLS)


_facts_by_text: OrderedDict[bytes, tuple[bytes, int]] = OrderedDict()
"""Digest and tokens by the SHA-256 of the base64 text: hashing a text takes a quarter of the time of decoding."""


def _facts(text: str) -> tuple[bytes, int] | None:
    """Return digest and tokens of an image; None for a text that is not base64."""
    try:
        key = sha256(text.encode("ascii")).digest()
        if (facts := _facts_by_text.get(key)) is not None:
            return facts
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    facts = _facts_by_text[key] = sha256(data).digest(), _tokens(data)
    if len(_facts_by_text) > MAX_IMAGES:
        _facts_by_text.popitem(last=False)
    return facts


def _tokens(data: bytes) -> int:
    try:
        with Image.open(BytesIO(data)) as image:  # reads the header only
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return 0
    return min(math.ceil(width * height / _PIXELS_PER_TOKEN), _MAX_IMAGE_TOKENS)
