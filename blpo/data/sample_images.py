"""Images of a sample with one label: of one column, of several columns, or of a cell that holds several images.

A cell holds several images as a list of paths or of encoded images, as the JSON text of a list of paths, or as the path
of a folder.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from os.path import splitext
from typing import TypeVar

from blpo.data.columns import require_column
from blpo.data.image_columns import image_at, image_reader
from blpo.data.image_folders import images_in
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.list_cells import paths_in
from blpo.data.message_text import display_text
from blpo.data.tables import Table
from state.image_names import require_few
from state.sample import ImageSource

_T = TypeVar("_T")

SampleImages = tuple[tuple[ImageSource, ...], str]
"""Images in order, and a text for the id of a row without an id."""
SampleImagesReader = Callable[[int, str], SampleImages]
"""From a row's number (from 0) and place to all images of the row; raises `ValueError`."""
_LONGEST_ID = 200


def columns_reader(table: Table, columns: Sequence[str]) -> SampleImagesReader:
    """Return a reader of one image in each of the columns. Raises `DataError` for a missing column."""
    readers = [image_reader(table, require_column(table, name, "image")) for name in columns]

    def read(index: int, place: str) -> SampleImages:
        images = [read_image(index, place) for read_image in readers]
        return tuple(source for source, _ in images), id_from_images([text for _, text in images])

    return read


def cell_reader(table: Table, column: str) -> SampleImagesReader:
    """Return a reader of one or several images in the cells of a column. Raises `DataError` for a missing column."""
    name = require_column(table, column, "image")
    lists, cells = table.cell_lists(name), table.cells(name)
    if lists is not None:
        return lambda index, place: (tuple(_some(lists(index, place))), f"row-{index + 1}")
    if cells is not None:
        return lambda index, place: ((cells(index, place),), f"row-{index + 1}")
    values = table.values(name)

    def read(index: int, place: str) -> SampleImages:
        cell = values[index]
        paths = paths_in(cell)
        text = ""
        if paths is None and isinstance(cell, str) and _may_be_folder(cell):
            paths, text = images_in(table.root, cell), cell
        if paths is None:
            source, text = image_at(table, cell, place)
            return (source,), text
        images = [image_at(table, path, place) for path in _some(paths)]
        return tuple(source for source, _ in images), text or id_from_images([path for _, path in images])

    return read


def holds_lists(table: Table, column: str) -> bool:
    """Return True if a cell of the column holds a list, or names a folder."""
    if table.cell_lists(column) is not None:
        return True
    return table.cells(column) is None and any(_is_list(table, cell) for cell in table.values(column))


def _is_list(table: Table, cell: object) -> bool:
    if paths_in(cell) is not None:
        return True
    try:
        return isinstance(cell, str) and _may_be_folder(cell) and table.root.folder_at(cell) is not None
    except ValueError:  # a folder outside the root
        return False


def _may_be_folder(path: str) -> bool:
    return splitext(path)[1].lower() not in IMAGE_SUFFIXES


def id_from_images(images: Sequence[str]) -> str:
    """Return an id made of a row's image names, for a table without ids. A long id ends in a hash."""
    if len(images) < 3:
        return "|".join(dict.fromkeys(images))
    name = "|".join(images)
    if len(name) <= _LONGEST_ID:
        return name
    return f"{display_text(images[0])}|{len(images) - 1} more|{sha256(name.encode()).hexdigest()[:12]}"


def _some(images: Sequence[_T]) -> Sequence[_T]:
    """Return the images of a cell; raises `ValueError` for no image, and for too many."""
    if not images:
        raise ValueError("image is an empty list; name at least one image")
    require_few(len(images))
    return images
