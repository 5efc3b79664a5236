"""Bytes that a superstep adds to the checkpoints, by size of the dataset.

    python -m benchmarks.checkpoints [--sizes 100 2000]

The benchmark draws a dataset for each size, runs the search with the embedded models, and prints bytes a superstep
(LangGraph's supersteps of the outer and inner loop; rows of checkpoints and writes together). Bounds: 64 kB, and the
means of all sizes within 20 %.
"""

import argparse
import asyncio
import csv
import json
import sqlite3
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import blpo


def draw_dataset(folder: Path, size: int) -> Path:
    """Write `size` noisy 96-pixel images, rated 1 to 5 by how strong their noise is; return labels.csv."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
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


async def measure(size: int) -> tuple[int, float, int]:
    """Run a search over a dataset of `size` samples, and measure the checkpoints."""
    with tempfile.TemporaryDirectory(prefix="blpo-checkpoints-") as name:
        folder = Path(name)
        labels = draw_dataset(folder / "data", size)
        await blpo.optimize(
            {"data": {"path": str(labels)}, "search": {"patience": None}, "run": {"dir": f"{name}/run"}}
        )
        return growth(folder / "checkpoints.sqlite")


def main() -> int:
    """Print a line for each size; return 1 for a broken bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 2000])
    means, largest = [], 0
    for size in parser.parse_args().sizes:
        steps, mean, most = asyncio.run(measure(size))
        print(json.dumps({"samples": size, "supersteps": steps, "mean_bytes": round(mean), "largest_bytes": most}))
        means.append(mean)
        largest = max(largest, most)
    return 0 if largest <= 64_000 and max(means) <= 1.2 * min(means) else 1


if __name__ == "__main__":
    sys.exit(main())
