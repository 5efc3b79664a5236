"""Searches of a few rounds, and what is compared of their runs."""

import sqlite3
from pathlib import Path
from typing import Any

from state.result import Result
from tests.small_set import draw_dataset, edit_labels

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


def criteria_config(folder: Path, size: int = 36) -> dict[str, Any]:
    """Draw images with two criteria in `folder`, and return the settings of a short search over both.

    `grain` has ratings 1 to 3, `mood` the labels low and high. `mood` follows from `grain` in most images.
    """
    draw_dataset(folder, size)
    edit_labels(folder, lambda rows: [row.update(_labels(place)) for place, row in enumerate(rows)])
    return {
        "task": {"min": 1, "max": 3},
        "data": {"path": str(folder / "labels.csv")},
        "criteria": [
            {"name": "grain", "about": "how free of grain the image is"},
            {"name": "mood", "kind": "categorical", "labels": ["low", "high"], "positive": "high"},
        ],
        "search": {"outer_rounds": 2, "inner_steps": 1, "error_batch": 12},
        "run": {"dir": str(folder / "run")},
    }


def _labels(place: int) -> dict[str, str]:
    grain = 1 + (place % 5) // 2
    return {"grain": str(grain), "mood": "high" if (grain > 1) != (place % 7 == 0) else "low"}
