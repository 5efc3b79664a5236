"""Small set of images with two labels each: a rating by noise, and light or dark by brightness."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.small_set import write_labels

SEARCH: dict[str, Any] = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 24}


def draw_criteria(folder: Path, size: int = 40) -> Path:
    """Draw images and write labels.csv with the columns quality (1 to 5) and light (light or dark)."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for i in range(size):
        level = 90 if i % 3 else 190
        pixels = level + generator.normal(0, 4 + 12 * (i % 5), (32, 32, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{i:03}.png")
        light = "light" if (level > 120) == (i % 11 > 0) else "dark"
        quality = str(5 - i % 5 if i % 7 else 1 + i % 5)
        rows.append({"id": f"s{i}", "image": f"images/{i:03}.png", "quality": quality, "light": light})
    write_labels(folder, rows)
    return folder


def criteria_config(folder: Path, directory: Path, **sections: Any) -> dict[str, Any]:
    """Return the settings of a run by both criteria."""
    return {
        "data": {"path": str(folder / "labels.csv")},
        "criteria": [
            {"name": "quality", "about": "how good the image looks"},
            {"name": "light", "kind": "categorical", "labels": ["dark", "light"], "positive": "light"},
        ],
        "search": SEARCH,
        "run": {"dir": str(directory)},
        **sections,
    }


def tasks_config(folder: Path, directory: Path, **sections: Any) -> dict[str, Any]:
    """Return the settings of a run by two tasks over the same images, each with its own requests."""
    path = str(folder / "labels.csv")
    light = {"kind": "categorical", "labels": ["dark", "light"], "positive": "light"}
    return {
        "tasks": [
            {"name": "quality", "data": {"path": path, "label": "quality"}},
            {"name": "light", "task": light, "data": {"path": path, "label": "light"}, "metric": "accuracy"},
        ],
        "search": SEARCH,
        "run": {"dir": str(directory)},
        **sections,
    }
