"""Cells with several images: lists of paths, and lists of encoded images.

Lists of encoded images are read as the columns of first images, of second images and so on.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from blpo.data.image_sources import CellImage
from state.image_names import MOST_IMAGES, require_few
from state.sample import ImageSource


def paths_in(cell: object) -> list[object] | None:
    """Return the paths in a list, also in the JSON text of a list; None for any other cell."""
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    return cell if isinstance(cell, list) else None


class ListColumn(Protocol):
    """Column whose cells hold lists of encoded images: of bytes, or of mappings with `bytes` and `path`."""

    def cell(self, row: int) -> object:
        """Return a cell. Rows count from 0."""
        ...

    def list_byte_counts(self) -> Sequence[Sequence[int | None]]:
        """Return the number of bytes of every image of every cell; None for an image without bytes."""
        ...

    def stamp(self) -> str:
        """Identify the bytes of the whole column."""
        ...

    def locate(self, relative: str) -> str:
        """Return the absolute path of a path in a cell. Raises `ValueError` as `DatasetRoot.locate`."""
        ...


@dataclass(frozen=True)
class _Place:
    """Images at one place of all lists (a `blpo.data.image_sources.CellColumn`)."""

    lists: ListColumn
    place: int
    """From 0."""

    def cell(self, row: int) -> object:
        images = self.lists.cell(row)
        return images[self.place] if isinstance(images, list) and self.place < len(images) else None

    def byte_counts(self) -> Sequence[int | None]:
        counts = self.lists.list_byte_counts()
        return [row[self.place] if self.place < len(row) else None for row in counts]

    def stamp(self) -> str:
        return f"{self.lists.stamp()}:{self.place}"

    def locate(self, relative: str) -> str:
        return self.lists.locate(relative)


def list_sources(lists: ListColumn) -> Callable[[int, str], Sequence[ImageSource]]:
    """Return a maker of the sources of all images in a cell, from the row and its name.

    The maker raises `ValueError` for more images than a sample may have.
    """
    places = [_Place(lists, place) for place in range(MOST_IMAGES)]

    def sources(row: int, name: str) -> Sequence[ImageSource]:
        count = len(lists.list_byte_counts()[row])
        require_few(count)
        return [CellImage(places[place], row, f"{name}: image {place + 1}") for place in range(count)]

    return sources
