"""Small dataset of lists whose better images are the calmer ones, and a config."""

from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tests.small_set import write_labels


def draw_lists(folder: Path, size: int = 36) -> Path:
    """Draw lists of two to five images that differ in noise, with ratings. Some ratings are wrong or equal."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for n in range(size):
        for i, noise in enumerate(generator.permutation([6.0, 14.0, 24.0, 36.0, 50.0])[: 2 + n % 4]):
            name = f"images/{n:02}-{i}.png"
            pixels = 128 + generator.normal(0, noise, (32, 32, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
            rating = round(5 - noise / 12 + (generator.normal(0, 1.5) if n % 6 == 0 else 0))
            rows.append(
                {"list": f"list {n}", "image": name, "label": str(rating), "text": f"a field of grain, take {n}"}
            )
    write_labels(folder, rows)
    config = {
        "task": {"kind": "ranking", "best": "highest"},
        "data": {"path": "labels.csv", "group": "list"},
        "search": {"outer_rounds": 2, "inner_steps": 2, "error_batch": 12},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder
