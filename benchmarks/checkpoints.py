"""Bytes that a superstep adds to the checkpoints, by size of the dataset; and memory of a run.

    python -m benchmarks.checkpoints [--sizes 100 2000] [--tasks 12]

The benchmark draws a dataset for each size, runs the search with the embedded models, and prints bytes a superstep
(LangGraph's supersteps of the outer and inner loop; rows of checkpoints and writes together) and the peak of the
resident memory. A size is one of samples; with `--tasks` of samples of each task, where all tasks have images of their
own. Bounds: 64 kB, and the means of all sizes within 20 %. A size runs in a process of its own.
"""

import argparse
import asyncio
import csv
import json
import resource
import sqlite3
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import blpo


def draw_dataset(folder: Path, size: int, seed: int = 0) -> Path:
    """Write `size` noisy 96-pixel images, rated 1 to 5 by how strong their noise is; return labels.csv."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(seed)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("image", "label"))
        for number in range(size):
            label = number % 5 + 1
            base = np.linspace(60, 190, 96)[:, None, None] + generator.uniform(-30, 30, 3)
            pixels = base + generator.normal(0, 4 * (5 - label) + 1, (96, 96, 3))
            name = f"images/{number:05d}.png"
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / name)
            writer.writerow((name, label))
    return folder / "labels.csv"


def growth(checkpoints: Path) -> tuple[int, float, int]:
    """Return (supersteps, mean bytes a superstep, bytes of the largest superstep)."""
    with sqlite3.connect(checkpoints) as database:
        sizes = dict(
            database.execute(
                "SELECT checkpoint_ns || checkpoint_id, length(checkpoint) + length(metadata) FROM checkpoints"
            ).fetchall()
        )
        for key, size in database.execute(
            "SELECT checkpoint_ns || checkpoint_id, sum(length(value)) FROM writes GROUP BY 1"
        ):
            sizes[key] = sizes.get(key, 0) + size
    database.close()
    return len(sizes), sum(sizes.values()) / len(sizes), max(sizes.values())


def measure(size: int, tasks: int) -> tuple[int, float, int, float]:
    """Run a search over `size` samples (of each of several tasks); return `growth`, and the peak of memory in MB."""
    with tempfile.TemporaryDirectory(prefix="blpo-checkpoints-") as name:
        folder = Path(name)
        labels = [str(draw_dataset(folder / f"data{task}", size, task)) for task in range(tasks)]
        data: dict[str, Any] = {"data": {"path": labels[0]}}
        if tasks > 1:
            data = {"tasks": [{"name": f"task {n}", "data": {"path": path}} for n, path in enumerate(labels)]}
        asyncio.run(blpo.optimize({**data, "search": {"patience": None}, "run": {"dir": f"{name}/run"}}))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return *growth(folder / "checkpoints.sqlite"), peak


def main() -> int:
    """Print a line for each size; return 1 for a broken bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 2000])
    parser.add_argument("--tasks", type=int, default=1)
    options = parser.parse_args()
    means, largest = [], 0
    for size in options.sizes:
        with get_context("spawn").Pool(1) as pool:
            steps, mean, most, peak = pool.apply(measure, (size, options.tasks))
        facts = {"samples": size, "tasks": options.tasks, "supersteps": steps, "peak_mb": round(peak)}
        print(json.dumps({**facts, "mean_bytes": round(mean), "largest_bytes": most}), flush=True)
        means.append(mean)
        largest = max(largest, most)
    return 0 if largest <= 64_000 and max(means) <= 1.2 * min(means) else 1


if __name__ == "__main__":
    sys.exit(main())
