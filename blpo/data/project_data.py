"""Data of a new project: a labels file, a folder of images, or nothing yet."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from blpo.data.column_proposal import propose_columns
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.labels import is_empty
from blpo.data.tables import LABEL_FILES, Table, label_files, open_table
from state.errors import DataError

TEXT_COLUMN = "text"
_SIMILAR_TEXT_COLUMNS = ("prompt", "caption", "description", "instruction", "question")
LABELS_FILE = Path("labels.csv")
"""Labels file of a project without one."""


@dataclass(frozen=True, slots=True)
class ProjectData:
    """Place of the data, with the section `data` of the config."""

    section: Mapping[str, object]
    values: tuple[object, ...] = ()
    """Values of the label column; empty if nothing is labelled yet."""
    column: str = ""
    """Table and label column in words."""
    text_note: str = ""
    """Line about the column of texts: if the judge reads the column."""
    warnings: tuple[str, ...] = ()
    """Lines about data that is left out or not used."""
    images: tuple[str, ...] | None = None
    """Images without labels, relative to the folder of the labels file to be written; None if there are labels."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Columns that the user named; None: propose one."""

    image: str | None = None
    label: str | None = None


def data_here(folder: Path, columns: ColumnNames) -> tuple[str, ProjectData]:
    """Return the data in the project's folder, and its place in words; without data, a labels file to be written."""
    files = label_files(folder)
    if files or (folder.is_dir() and _images_below(folder)):
        path = files[0] if files else folder
        return str(path), data_at(folder, path, columns)
    return "none yet", ProjectData({"path": str(LABELS_FILE)}, images=())


def data_at(folder: Path, path: Path, columns: ColumnNames) -> ProjectData:
    """Return the data at `path` for the project in `folder`; raises `DataError` if there is no label and no image."""
    if path.is_dir() and not any((path / name).exists() for name in (*LABEL_FILES, "dataset_dict.json", "state.json")):
        images = _images_below(path)
        if not images:
            raise DataError(f"{path}: holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}) and no labels file")
        return ProjectData({"path": _config_path(folder, path / LABELS_FILE)}, images=tuple(images))
    return _labelled(open_table(str(path)), _config_path(folder, path), columns)


def _labelled(table: Table, path: str, names: ColumnNames) -> ProjectData:
    columns = propose_columns(table, image=names.image, label=names.label)
    images = columns.image if isinstance(columns.image, str) else list(columns.image)
    section = {
        "path": path,
        **({"image": images} if images != "image" else {}),
        **({"label": columns.label} if columns.label != "label" else {}),
        **({"text": TEXT_COLUMN} if _has_text(table, columns.label) else {}),
        **({"group": columns.group} if columns.group else {}),
        **({"split": {"column": columns.split}} if columns.split else {}),
    }
    values = tuple(value for value in table.values(columns.label) if not is_empty(value))
    note = _text_note(table, columns.label)
    return ProjectData(section, values, f"{table.name}: column {columns.label!r}", note, columns.warnings)


def _has_text(table: Table, label: str) -> bool:
    return TEXT_COLUMN in table.columns and label != TEXT_COLUMN


def _text_note(table: Table, label: str) -> str:
    """Return a line about the column of texts; empty for a table without such a column."""
    if _has_text(table, label):
        return (
            f"{table.name}: column {TEXT_COLUMN!r} reaches the judge: the judge reads the text with the image; to hide"
            " the column from the judge, rename the column and take data.text out"
        )
    similar = [name for name in table.columns if name.casefold() in _SIMILAR_TEXT_COLUMNS and name != label]
    if not similar:
        return ""
    return f"{table.name}: column {similar[0]!r} does not reach the judge; to show it, set data.text: {similar[0]}"


def _images_below(folder: Path) -> list[str]:
    """Return paths of images from the folder, in order, without hidden files and images of runs."""
    images = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "runs")
        names = sorted(name for name in files if Path(name).suffix.lower() in IMAGE_SUFFIXES and name[0] != ".")
        images += [Path(place, name).relative_to(folder).as_posix() for name in names]
    return images


def _config_path(folder: Path, path: Path) -> str:
    """Return the path as the config names it: relative for a path inside the folder, else absolute."""
    if str(path).startswith("hub:"):
        return str(path)
    relative = os.path.relpath(path.absolute(), folder.absolute())
    return str(path.absolute()) if relative.startswith(os.pardir) else relative
