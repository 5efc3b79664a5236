"""Folders of images that are one sample, such as the frames of a video."""

import os
import re
from collections.abc import Iterable

from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_listing import image_suffixes
from blpo.data.message_text import display_text

_DIGITS = re.compile(r"([0-9]{1,18})")


def images_in(root: DatasetRoot, relative: str) -> list[object] | None:
    """Return the paths of the images directly in a folder, from the root and in order; None without such a folder.

    Raises `ValueError` for a folder outside the root, and for a folder without images.
    """
    folder = root.folder_at(relative)
    if folder is None:
        return None
    images = in_order(name for name in os.listdir(folder[0]) if is_image(name))
    if not images:
        raise ValueError(f"folder {display_text(relative)} holds no image")
    return [os.path.join(folder[1], name) for name in images]


def is_image(name: str) -> bool:
    """Return True for the name of an image file that is not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in image_suffixes()


def in_order(names: Iterable[str]) -> list[str]:
    """Return names in order, with the numbers in names by value: frame-9 before frame-10."""
    return sorted(names, key=_order)


def _order(name: str) -> tuple[list[tuple[int, str]], str]:
    pieces = _DIGITS.split(name)
    return [(int(piece), "") if place % 2 else (0, piece) for place, piece in enumerate(pieces)], name
