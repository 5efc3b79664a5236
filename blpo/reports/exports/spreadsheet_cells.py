"""Cells of CSV files that no spreadsheet takes for a formula."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters of a formula in a spreadsheet, also in full width. After spaces too."""


def spreadsheet_cell(value: object) -> object:
    """Return the value of a cell, with an apostrophe in front of a text that begins like a formula."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return value
