"""Columns of images: paths, or encoded images in cells."""

from collections.abc import Callable

from blpo.data.message_text import display_text
from blpo.data.tables import Table
from state.sample import ImageSource

ImageReader = Callable[[int, str], tuple[ImageSource, str]]
"""From a row's number (from 0) and place to an image and a text for the row's id; raises `ValueError`."""


def image_reader(table: Table, column: str) -> ImageReader:
    """Return a reader of the images in a column of `table`."""
    cells = table.cells(column)
    if cells is not None:
        return lambda index, place: (cells(index, place), f"row-{index + 1}")
    paths = table.values(column)
    return lambda index, place: image_at(table, paths[index], place)


def image_at(table: Table, path: object, place: str) -> tuple[ImageSource, str]:
    """Return the image at a path in a cell of the row `place`, and the path; raises `ValueError`."""
    if not isinstance(path, str) or not path.strip():
        raise ValueError(f"image {display_text(path)} is no path")
    return table.root.image(path, f"{place}: {display_text(path)}"), path
