"""Folders of images as a table: the name of an image's folder is its label.

The layout is `CLASS/001.png` or `SPLIT/CLASS/001.png`, below any folder that all images share.
"""

import os
from pathlib import Path, PurePosixPath

from blpo.data.dataset_root import DatasetRoot
from blpo.data.image_listing import images_below
from blpo.data.similar_names import read_alike
from blpo.data.split_words import SPLIT_NAMES
from blpo.data.text_tables import TextTable

_MOST_CLASSES = 20
_LEAST_IMAGES = 2
"""Images of a class, on average. Folders with fewer images are no classes."""


def class_table(folder: Path) -> TextTable | None:
    """Return the images with the columns image, label and perhaps split; None for folders that are no classes."""
    images = images_below(folder)
    parents = [PurePosixPath(image).parent.as_posix() for image in images]
    shared = PurePosixPath(os.path.commonpath(parents) if parents else ".")
    places = [PurePosixPath(parent).relative_to(shared).parts for parent in parents]
    has_splits = bool(places) and all(len(place) == 2 and read_alike(place[0]) in SPLIT_NAMES for place in places)
    classes = {place[-1] for place in places if place}
    if not all(len(place) == 1 + has_splits for place in places) or not 2 <= len(classes) <= _MOST_CLASSES:
        return None
    if all(read_alike(name) in SPLIT_NAMES for name in classes) or len(images) < _LEAST_IMAGES * len(classes):
        return None
    rows: list[dict[str, object]] = [
        {"image": image, "label": place[-1], **({"split": place[0]} if has_splits else {})}
        for image, place in zip(images, places, strict=True)
    ]
    lines = tuple(range(1, len(rows) + 1))
    return _ClassTable(folder.name or str(folder), tuple(rows[0]), lines, (), DatasetRoot(folder), tuple(rows))


def is_class_table(table: object) -> bool:
    """Return True for a table of `class_table`."""
    return isinstance(table, _ClassTable)


class _ClassTable(TextTable):
    """Table of images by folder."""
