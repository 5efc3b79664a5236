"""Data of a new project: a labels file, a folder of images, or nothing yet."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from blpo.data.class_folders import is_class_table
from blpo.data.column_proposal import TEXT_NAMES, ProposedColumns, has_image_column, propose_columns
from blpo.data.columns import require_column
from blpo.data.foreign_labels import foreign_labels
from blpo.data.image_listing import image_suffixes, images_below, left_out_below, sidecar_warnings
from blpo.data.labels import as_number, is_empty
from blpo.data.message_text import listed
from blpo.data.ranking_proposal import ranked_lists
from blpo.data.ratings import rater_column, wide_rating_columns
from blpo.data.similar_names import read_alike
from blpo.data.split_words import SPLIT_NAMES
from blpo.data.tables import (
    LABEL_SUFFIXES,
    Table,
    is_dataset_folder,
    is_divided,
    is_in_parts,
    label_files,
    open_table,
)
from state.errors import DataError

TEXT_COLUMN = "text"
LABELS_FILE = Path("labels.csv")
"""Labels file of a project without one."""
_MOST_FRACTIONS = 3


@dataclass(frozen=True, slots=True)
class ProjectData:
    """Place of the data, with the section `data` of the config."""

    section: Mapping[str, object]
    values: tuple[object, ...] = ()
    """Values of the label column; empty if nothing is labelled yet."""
    fractions: tuple[str, ...] = ()
    """Places of the first labels that are numbers with a fraction, as `labels.csv:17`."""
    column: str = ""
    """Table and label column in words."""
    text_note: str = ""
    """Line about the column of texts: if the judge reads the column."""
    warnings: tuple[str, ...] = ()
    """Lines about data that is left out or not used."""
    lists: int = 0
    """Number of lists, if the labels are ranks of images in lists; else 0."""
    criteria: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Values of each named column of a criterion; empty for one column of labels."""
    images: tuple[str, ...] | None = None
    """Images without labels, relative to the folder of the labels file to be written; None if there are labels."""


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Columns that the user named; None: propose one."""

    image: str | None = None
    label: str | None = None
    group: str | None = None
    criteria: tuple[str, ...] = ()
    """Columns of the labels of several criteria."""


def data_here(folder: Path, columns: ColumnNames) -> tuple[str, ProjectData]:
    """Return the data in the project's folder, and its place in words; without data, a labels file to be written."""
    files = label_files(folder)
    if files or (folder.is_dir() and (images_below(folder) or left_out_below(folder))):
        path = files[0] if files else folder
        return str(path), data_at(folder, path, columns)
    return "none yet", ProjectData({"path": str(LABELS_FILE)}, images=())


def data_at(folder: Path, path: Path, columns: ColumnNames) -> ProjectData:
    """Return the data at `path` for the project in `folder`; raises `DataError` if there is no label and no image."""
    left_out = left_out_below(path) if path.is_dir() else []
    has_layout = path.is_dir() and (label_files(path) or is_divided(path) or is_in_parts(path))
    if path.is_dir() and not has_layout and (other := _other_labels(path)) is not None:
        path = other
    elif path.is_dir() and not is_dataset_folder(path):
        images = images_below(path)
        if not images:
            suffixes = ", ".join(sorted(image_suffixes()))
            raise DataError(". ".join([f"{path}: holds no image ({suffixes}) and no labels file", *left_out]))
        section = {"path": _config_path(folder, path / LABELS_FILE)}
        left_out += sidecar_warnings(path, images)
        return ProjectData(section, warnings=tuple(left_out), images=tuple(images))
    table = open_table(str(path))
    data = _labelled(table, _config_path(folder, path), columns)
    by_folder = [f"{path}: the names of the folders are the labels"] if is_class_table(table) else []
    if path.is_dir() and not label_files(path) and is_divided(path):
        by_folder = [f"{path}: the labels files of the splits are read as one table"]
    if path.is_dir() and not is_divided(path) and is_in_parts(path):
        by_folder = [f"{path}: {table.name} is read from all its parts"]
    return replace(data, warnings=(*by_folder, *left_out, *data.warnings))


def _other_labels(folder: Path) -> Path | None:
    """Return the only table with a column of images, in the folder or in a folder of a split under any name.

    In other folders directly below, only labels and metadata are tables.

    Raises `DataError` for several tables, and without a table for labels in a form that is not read.
    """
    of_splits = (place for place in folder.glob("*") if read_alike(place.name) in SPLIT_NAMES)
    places = sorted(
        {
            *(path for pattern in ("*", "*/labels.*", "*/metadata.*") for path in folder.glob(pattern)),
            *(path for place in of_splits for path in place.glob("*") if path.suffix.lower() in LABEL_SUFFIXES),
        }
    )
    tables = [path for path in places if path.suffix.lower() in LABEL_SUFFIXES and _names_images(path)]
    if len(tables) > 1:
        names = listed([table.relative_to(folder).as_posix() for table in tables])
        raise DataError(
            f"{folder}: holds several tables with images ({names}); name the labels file with --data, or join the "
            "files into labels.csv with a column split"
        )
    if not tables and not is_dataset_folder(folder) and (problem := next(foreign_labels(folder), "")):
        raise DataError(problem)
    return tables[0] if tables else None


def _names_images(path: Path) -> bool:
    try:
        return path.is_file() and has_image_column(open_table(str(path)))
    except DataError:  # another kind of file
        return False


def _labelled(table: Table, path: str, names: ColumnNames) -> ProjectData:
    if names.criteria:
        return _with_criteria(table, path, names)
    wide = wide_rating_columns(table)
    if len(wide) > 1 and names.label is None and "label" not in table.columns:
        return _wide(table, path, names, wide)
    columns = propose_columns(table, image=names.image, label=names.label, group=names.group)
    raters = _repeated_raters(table, columns.image)
    section = {**_section(table, path, columns, columns.label), **({"raters": {"by": raters}} if raters else {})}
    labels = table.values(columns.label)
    return ProjectData(
        section,
        values=tuple(value for value in labels if not is_empty(value)),
        fractions=tuple(islice(_fractions(table, labels), _MOST_FRACTIONS)),
        column=f"{table.name}: column {columns.label!r}",
        text_note=_text_note(table, columns.label),
        lists=0 if columns.group is None else ranked_lists(columns.label, labels, table.values(columns.group)),
        warnings=(*columns.warnings, *([f"{table.name}: column {raters!r} names the raters"] if raters else [])),
    )


def _with_criteria(table: Table, path: str, names: ColumnNames) -> ProjectData:
    """Return the data of a table with a column of labels for each criterion."""
    for name in names.criteria:
        require_column(table, name, "label")
    columns = propose_columns(table, image=names.image, label=names.criteria[0], group=names.group)
    values = {name: tuple(v for v in table.values(name) if not is_empty(v)) for name in names.criteria}
    return ProjectData(
        _section(table, path, columns, None),
        column=table.name,
        text_note=_text_note(table, names.criteria[0]),
        criteria=values,
        warnings=columns.warnings,
    )


def _wide(table: Table, path: str, names: ColumnNames, wide: Sequence[str]) -> ProjectData:
    """Return the data of a table with a column of ratings for each rater."""
    columns = propose_columns(table, image=names.image, label=wide[0], group=names.group)
    section = {**_section(table, path, columns, None), "raters": {"columns": list(wide)}}
    values = [value for name in wide for value in table.values(name) if not is_empty(value)]
    note = f"{table.name}: columns {listed(wide)} are the ratings of {len(wide)} raters"
    return ProjectData(
        section,
        values=tuple(values),
        column=f"{table.name}: columns {listed(wide)}",
        text_note=_text_note(table, wide[0]),
        warnings=(*columns.warnings, note),
    )


def _section(table: Table, path: str, columns: ProposedColumns, label: str | None) -> dict[str, object]:
    """Return the section `data`, without columns of their usual names; `label` is None if no column holds labels."""
    images = columns.image if isinstance(columns.image, str) else list(columns.image)
    return {
        "path": path,
        **({"image": images} if images != "image" else {}),
        **({"image_names": []} if columns.several else {}),
        **({"label": label} if label not in (None, "label") else {}),
        **({"text": TEXT_COLUMN} if _has_text(table, columns.label) else {}),
        **({"group": columns.group} if columns.group else {}),
        **({"split": {"column": columns.split}} if columns.split else {}),
    }


def _repeated_raters(table: Table, images: str | tuple[str, ...]) -> str | None:
    """Return the column of raters if the table has several rows of one image; else None."""
    raters = rater_column(table)
    if raters is None or not isinstance(images, str) or table.cells(images) or table.cell_lists(images):
        return None
    keys = table.values("id" if "id" in table.columns else images)
    return raters if len(set(map(str, keys))) < len(keys) else None


def _fractions(table: Table, values: Sequence[object]) -> Iterator[str]:
    for line, value in zip(table.lines, values, strict=True):
        number = as_number(value)
        if number is not None and not number.is_integer():
            yield f"{table.name}:{line}"


def _has_text(table: Table, label: str) -> bool:
    return TEXT_COLUMN in table.columns and label != TEXT_COLUMN


def _text_note(table: Table, label: str) -> str:
    """Return a line about the column of texts; empty for a table without such a column."""
    if _has_text(table, label):
        return (
            f"{table.name}: column {TEXT_COLUMN!r} reaches the judge: the judge reads the text with the image; to hide"
            " the column from the judge, rename the column and take data.text out"
        )
    similar = [name for name in table.columns if name.casefold() in TEXT_NAMES and name != label]
    if not similar:
        return ""
    return f"{table.name}: column {similar[0]!r} does not reach the judge; to show it, set data.text: {similar[0]}"


def _config_path(folder: Path, path: Path) -> str:
    """Return the path as the config names it: relative for a path inside the folder, else absolute."""
    if str(path).startswith("hub:"):
        return str(path)
    relative = os.path.relpath(path.absolute(), folder.absolute())
    return str(path.absolute()) if relative.startswith(os.pardir) else relative
