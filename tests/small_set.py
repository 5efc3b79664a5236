"""Small dataset whose labels follow from the images, and `blpo` as a process."""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tests.forked_blpo import ForkedBlpo

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-c", "import sys; from blpo.cli.main import main; sys.exit(main())"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def draw_dataset(folder: Path, size: int = 30) -> Path:
    """Draw images, rated 1 to 5 by noise, and write a config. Some ratings are wrong, so that errors remain."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for i in range(size):
        pixels = 128 + generator.normal(0, 5 + 12 * (i % 5), (32, 32, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{i:03}.png")
        rows.append({"id": f"s{i}", "image": f"images/{i:03}.png", "label": str(5 - i % 5 if i % 7 else 1 + i % 5)})
    write_labels(folder, rows)
    config = {"data": {"path": "labels.csv"}, "search": {"outer_rounds": 1, "inner_steps": 2, "error_batch": 24}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def write_labels(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edit_labels(folder: Path, change: Callable[[list[dict[str, str]]], object]) -> None:
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    write_labels(folder, rows)


def blpo(*arguments: str | Path, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end in a process of its own, forked after the imports."""
    with ForkedBlpo(*arguments, folder=cwd) as process:
        code = process.wait()
        return subprocess.CompletedProcess(arguments, code, process.stdout, process.stderr)
