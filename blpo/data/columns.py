"""Columns of a table by the names in the settings."""

from collections.abc import Sequence

from blpo.data.message_text import column_hint
from blpo.data.tables import Table
from state.errors import DataError


def require_column(table: Table, name: str, setting: str) -> str:
    """Return the column `name`, also without spaces at the ends. Otherwise raise `DataError` with all columns."""
    for column in (name, name.strip()):
        if column in table.columns:
            return column
    raise DataError(f"{table.name}: has no column {name!r} (data.{setting}){column_hint(name, table.columns)}")


def optional_column(
    table: Table, name: str | None, setting: str, default: str | None = None
) -> Sequence[object] | None:
    """Return the values of the column `name`, else of the column `default`; None for a table without `default`.

    Raises `DataError` for a missing column `name`.
    """
    if name is not None:
        return table.values(require_column(table, name, setting))
    return table.values(default) if default in table.columns else None
