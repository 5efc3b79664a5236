"""Proposal of columns for the images, labels, groups and splits of a table, for a person to confirm."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from blpo.data.heif_images import HEIF_SUFFIXES
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.label_proposal import MOST_CATEGORIES, as_numbers, label_text
from blpo.data.labels import as_text, is_empty
from blpo.data.list_cells import paths_in
from blpo.data.message_text import column_hint, display_text, listed
from blpo.data.sample_images import holds_lists
from blpo.data.similar_names import read_alike
from blpo.data.split_words import SPLIT_NAMES
from blpo.data.tables import Table
from state.errors import DataError
from state.image_names import MOST_IMAGES

IMAGE_NAMES = ("image", "image_path", "path", "file", "filename", "file_name", "img", "picture")
LABEL_NAMES = ("label", "rating", "score", "class", "category", "verdict", "target", "mos")
GROUP_NAMES = ("group", "group_id", "prompt_id", "list", "list_id")
SPLIT_COLUMNS = ("split", "subset", "partition", "set")
_NUMBERED = re.compile(r"(.*?[^\d])(\d{1,2})")
"""Name of one of several columns of images, such as frame_3."""
PAIR_COLUMNS = ("image_a", "image_b")
PAIR_TEXT_COLUMNS = ("text_a", "text_b")

TEXT_NAMES = ("text", "prompt", "caption", "description", "instruction", "question")
"""Columns of texts are never proposed as labels."""

_LEAST_ROWS_A_LABEL = 2
"""A column whose texts are hardly repeated holds no labels, unless its name says so."""
_INSPECTED_ROWS = 200


@dataclass(frozen=True, slots=True)
class ProposedColumns:
    """Columns of a table by their content."""

    image: str | tuple[str, ...]
    """Column of the image, or columns of several images in order."""
    label: str
    group: str | None
    split: str | None
    """Column with the name of a row's split."""
    warnings: tuple[str, ...] = ()
    """Lines about columns that look useful and can't be used."""
    several: bool = False
    """True if a row has several images, by numbered columns or by lists."""


def propose_columns(
    table: Table, *, image: str | None = None, label: str | None = None, group: str | None = None
) -> ProposedColumns:
    """Propose columns by their names, then by their values. `image`, `label` and `group` are columns of the user.

    Raises `DataError` if a named column is missing, or if no column or several columns could be the images or labels.
    """
    for name in (image, label, group):
        if name is not None and name not in table.columns:
            raise DataError(f"{table.name}: has no column {name!r}{column_hint(name, table.columns)}")
    images = image or _image_column(table)
    groups = group or _first(table, GROUP_NAMES)
    split, warnings = _split_column(table)
    scores = _opinion_scores(table)
    column = label or _label_column(table, images)
    if len(scores) > 1 and column == scores[0] and label is None:
        others = listed(scores[1:])
        warnings = [*warnings, f"{table.name}: {column} is taken as the label; --label names another: {others}"]
    several = images != PAIR_COLUMNS and (not isinstance(images, str) or holds_lists(table, images))
    return ProposedColumns(images, column, groups, split, tuple(warnings), several)


def _image_column(table: Table) -> str | tuple[str, ...]:
    columns = image_columns(table, several=True)
    if not columns:
        raise DataError(
            f"{table.name}: no column looks like images; name the column with --image: {_listing(table.columns)}"
        )
    return columns if len(columns) > 1 else columns[0]


def image_columns(table: Table, *, several: bool = False) -> tuple[str, ...]:
    """Return the column or the two columns of images, by name, then by values. Empty if no column looks like images.

    `several`: also numbered columns, such as frame_1, frame_2 and frame_3, in the order of the numbers.
    """
    if set(PAIR_COLUMNS) <= set(table.columns):
        return PAIR_COLUMNS
    named = _first(table, IMAGE_NAMES)
    if several and named is None and (numbered := _numbered_columns(table)):
        return numbered
    column = named or next((name for name in table.columns if _holds_images(table, name)), None)
    return () if column is None else (column,)


def _numbered_columns(table: Table) -> tuple[str, ...]:
    """Return the columns with one name and consecutive numbers that hold images; empty for fewer than two columns."""
    numbers: dict[str, dict[int, str]] = {}
    for name in table.columns:
        if match := _NUMBERED.fullmatch(name.strip()):
            numbers.setdefault(match[1].casefold(), {})[int(match[2])] = name
    for columns in numbers.values():
        names = [columns[number] for number in sorted(columns)]
        is_whole = 2 <= len(names) <= MOST_IMAGES and max(columns) - min(columns) < len(columns)
        if is_whole and all(_holds_images(table, name) for name in names):
            return tuple(names)
    return ()


def has_image_column(table: Table) -> bool:
    """Return True if a column looks like images by its values."""
    return any(_holds_images(table, name) for name in table.columns)


def _holds_images(table: Table, name: str) -> bool:
    if table.cells(name) is not None or table.cell_lists(name) is not None:
        return True
    lists = [[value] if (paths := paths_in(value)) is None else paths for value in table.values(name)[:_INSPECTED_ROWS]]
    values = [value for paths in lists for value in paths if not is_empty(value)]
    return bool(values) and all(
        PurePath(str(value)).suffix.strip().lower() in IMAGE_SUFFIXES | HEIF_SUFFIXES for value in values
    )


def _label_column(table: Table, images: str | tuple[str, ...]) -> str:
    column = _first(table, LABEL_NAMES[:3]) or _only_label_name(table) or _first(table, LABEL_NAMES)
    if column is not None:
        return column
    _refuse_missing_header(table, images)
    reserved = {*TEXT_NAMES, *([images] if isinstance(images, str) else images), *GROUP_NAMES, "id", *SPLIT_COLUMNS}
    candidates = [name for name in table.columns if name not in reserved and not _is_encoded(table, name)]
    if scores := _opinion_scores(table):
        return scores[0]
    fitting = [name for name in candidates if _could_be_labels(table.values(name))]
    if not candidates:
        raise DataError(f"{table.name}: has no column of labels; columns: {_listing(table.columns)}")
    fitting = fitting or [name for name in candidates if as_numbers(table.values(name))]
    if len(fitting) != 1:
        several = f"; or name several criteria with --criteria {','.join(fitting[:2])}" if len(fitting) > 1 else ""
        raise DataError(
            f"{table.name}: the label column is unclear; name the column with --label: {_listing(candidates)}{several}"
        )
    return fitting[0]


def _opinion_scores(table: Table) -> list[str]:
    """Return the columns of mean opinion scores by their names, such as `mos`, `MOS_nat` and `mos_quality`."""
    return [name for name in table.columns if "mos" in re.split(r"[^a-z0-9]+", name.casefold())]


def _only_label_name(table: Table) -> str | None:
    """Return the only column with `label`, `rating` or `score` in its name, such as `safety_label`; else None."""
    columns = [name for name in table.columns if any(word in name.casefold() for word in LABEL_NAMES[:3])]
    return columns[0] if len(columns) == 1 else None


def _could_be_labels(values: Sequence[object]) -> bool:
    values = [value for value in values if not is_empty(value)]
    texts = set(map(label_text, values))
    is_repeated = _LEAST_ROWS_A_LABEL * len(texts) <= len(values)
    return 2 <= len(texts) <= MOST_CATEGORIES and (is_repeated or bool(as_numbers(values)))


def _is_encoded(table: Table, name: str) -> bool:
    return table.cells(name) is not None or table.cell_lists(name) is not None


def _refuse_missing_header(table: Table, images: str | tuple[str, ...]) -> None:
    """Raise `DataError` if the name of the image column is itself a path of an image."""
    if isinstance(images, str) and PurePath(images).suffix.lower() in IMAGE_SUFFIXES:
        raise DataError(
            f"{table.name}: the first line looks like a row ({display_text(images)}); put a line with the names of the "
            "columns above it, such as image,label"
        )


def _split_column(table: Table) -> tuple[str | None, list[str]]:
    """Return the column of splits, or None with a warning about a column that can't be used."""
    column = _first(table, SPLIT_COLUMNS)
    if column is None:
        return None, []
    values = {read_alike(as_text(value) or "") for value in table.values(column)}
    unknown = sorted(value for value in values if value not in SPLIT_NAMES)
    missing = sorted({"train", "test"} - {SPLIT_NAMES[value] for value in values if value in SPLIT_NAMES})
    if column.casefold() != "split" and len(unknown) == len(values):
        return None, []  # the column has another meaning
    if not unknown and not missing:
        return column, []
    reason = f"holds {listed(unknown)}" if unknown else f"names no {' and no '.join(missing)} row"
    return None, [
        f"{table.name}: column {column!r} is not used, because it {reason}; splits are drawn. To use the column, write "
        "train, validation and test, and set data.split: {column: " + column + "}"
    ]


def _first(table: Table, names: Sequence[str]) -> str | None:
    """Return the column with the first of `names`, in any case; None without such a column."""
    folded = {column.casefold(): column for column in reversed(table.columns)}
    return next((folded[name] for name in names if name in folded), None)


def _listing(columns: Sequence[str]) -> str:
    return ", ".join(map(display_text, columns)) or "none"
