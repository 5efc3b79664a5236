"""Columns of two texts about one image, and of images that explain a sample."""

from collections.abc import Callable, Sequence

from blpo.data.columns import optional_column, require_column
from blpo.data.image_columns import ImageReader, image_reader
from blpo.data.labels import as_text
from blpo.data.tables import Table
from state.sample import ContextName
from state.settings import DataSettings


def text_column(table: Table, data: DataSettings) -> Sequence[object] | None:
    """Return the texts that belong to samples: for pairs of texts the questions; None for samples without a text."""
    if isinstance(data.text, tuple):
        return optional_column(table, data.question, "question")
    return optional_column(table, data.text, "text", default="text")


def two_texts_reader(table: Table, data: DataSettings) -> Callable[[int], tuple[str, str] | None]:
    """Return a reader of the two texts of a row; None for data without such texts.

    The reader raises `ValueError` for a missing text.
    """
    if not isinstance(data.text, tuple):
        return lambda index: None
    names = data.text
    columns = [table.values(require_column(table, name, "text")) for name in names]

    def read(index: int) -> tuple[str, str]:
        first, second = (as_text(column[index]) for column in columns)
        if first is None or second is None:
            raise ValueError(f"text {names[0] if first is None else names[1]} is missing; a pair needs both texts")
        return first, second

    return read


def context_readers(table: Table, data: DataSettings) -> list[tuple[ContextName, ImageReader]]:
    """Return the readers of images that explain a sample, by meaning."""
    names: dict[ContextName, str | None] = {"reference": data.reference, "before": data.before}
    return [
        (name, image_reader(table, require_column(table, column, name))) for name, column in names.items() if column
    ]
