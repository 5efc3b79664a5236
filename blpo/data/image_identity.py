"""Identity of images: one file under several paths, or several files with the same bytes, are one image.

Large datasets stay quick: contents are compared only if sizes are equal, files first by both ends.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from blpo.data.image_sources import CellImage, FileImage, file_stamp
from state.errors import DataError
from state.sample import ImageSource, Sample

Images = frozenset[Hashable]
"""Identities of a sample's images."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Stored image: a file, or a cell."""

    key: Hashable
    """Device and number of the file, or column and row of the cell. Links to one file have one key."""
    byte_count: int
    ends: Callable[[], str]
    """Cheap text that is equal for equal bytes."""
    read: Callable[[], bytes]


def image_identities(samples: Sequence[Sample], *, with_context: bool = True) -> list[Images]:
    """Return the identities of every sample's images, context included unless `with_context` is False.

    An image that can't be read differs from all other images.
    """
    images = [sample.all_images if with_context else sample.images for sample in samples]
    places = {id(source): _place(source) for sources in images for source in sources}
    stored = {place.key: place for place in places.values() if place is not None}
    copies = _first_copies(stored.values())

    def identity(source: ImageSource) -> Hashable:
        place = places[id(source)]
        return id(source) if place is None else copies.get(place.key, place.key)

    return [frozenset(map(identity, sources)) for sources in images]


def _place(source: ImageSource) -> _Place | None:
    """Return the place of an image; None for an image that is not stored, or can't be read."""
    try:
        if isinstance(source, CellImage):
            count = source.byte_count()
            if count:
                return _Place((id(source.column), source.row), count, str, source.read)
            source = source.file()
        if not isinstance(source, FileImage):
            return None
        status = os.stat(source.path)
    except (DataError, OSError, ValueError):
        return None
    path, name = source.path, source.name
    return _Place((status.st_dev, status.st_ino), status.st_size, lambda: file_stamp(path, name), source.read)


def _first_copies(places: Iterable[_Place]) -> Mapping[Hashable, Hashable]:
    """Return the key of the first place with the same bytes, by key, for all bytes in several places."""
    copies: dict[Hashable, Hashable] = {}
    for alike in _repeated(places, lambda place: place.byte_count):
        for similar in _repeated(alike, lambda place: place.ends()):
            for same in _repeated(similar, lambda place: sha256(place.read()).hexdigest()):
                copies |= {place.key: same[0].key for place in same}
    return copies


def _repeated(places: Iterable[_Place], value: Callable[[_Place], Hashable]) -> list[list[_Place]]:
    """Return lists of at least two places with an equal value, in order. A place that can't be read is left out."""
    by_value: dict[Hashable, list[_Place]] = defaultdict(list)
    for place in places:
        try:
            by_value[value(place)].append(place)
        except DataError:  # the check of images names the file
            continue
    return [group for group in by_value.values() if len(group) > 1]
