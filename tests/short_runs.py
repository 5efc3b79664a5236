"""Searches of a few rounds, and what is compared of their runs."""

import sqlite3
from pathlib import Path
from typing import Any

from state.result import Result

SEARCHES: dict[str, dict[str, Any]] = {
    "pooled": {"outer_rounds": 2, "inner_steps": 2, "error_batch": 12},
    "scored": {"trials": "scored", "outer_rounds": 1, "inner_steps": 1, "error_batch": 4, "anchors": 2},
}
FREE = {"input": 0, "output": 0}
"""Price of a model that costs nothing."""


def requests(directory: Path) -> list[tuple[str, str]]:
    """Return (role, key) of every call."""
    with sqlite3.connect(directory / "responses.sqlite") as db:
        rows = db.execute("SELECT role, key FROM calls").fetchall()
    db.close()
    return rows


def comparable(result: Result) -> dict[str, Any]:
    """Return the result without the time that the run took."""
    return {**result, "seconds": None}
