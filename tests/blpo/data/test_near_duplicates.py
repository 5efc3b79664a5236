"""Near-duplicates: copies of an image in another format, size or quality, and no other image."""

from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from blpo.data.near_duplicates import are_near, signature_of
from state.errors import DataError
from tests.blpo.data.pictures import MemoryImage, image_bytes

GENERATOR = np.random.default_rng(3)
PICTURES = [
    Image.fromarray(GENERATOR.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((120, 90), Image.Resampling.BICUBIC)
    for _ in range(20)
]


def test_copies_are_near_duplicates() -> None:
    for picture in PICTURES:
        stored = signature_of(MemoryImage(image_bytes(picture, "PNG")))
        smaller = picture.resize((60, 45))
        copies = [(picture, "JPEG", {"quality": 60}), (smaller, "PNG", {}), (smaller, "WEBP", {"quality": 70})]
        for image, kind, options in copies:
            assert are_near([stored], [signature_of(MemoryImage(image_bytes(image, kind, **options)))]), kind


def test_other_images_are_no_near_duplicates() -> None:
    signatures = [signature_of(MemoryImage(image_bytes(picture, "PNG"))) for picture in PICTURES]
    assert not any(one.is_near(other) for one, other in combinations(signatures, 2))
    assert not are_near(signatures[:1], signatures[:1] * 2)
    plain = [
        signature_of(MemoryImage(image_bytes(Image.new("RGB", (40, 40), each), "PNG"))) for each in ("red", "blue")
    ]
    assert not plain[0].is_near(plain[1])  # the signs of plain images are equal, the colours are not


def test_a_damaged_image_has_no_signature() -> None:
    with pytest.raises(DataError, match=r"a\.png: is not a readable image"):
        signature_of(MemoryImage(b"no image"))
