"""Small dataset of pairs whose better image is the calmer one, and a config."""

from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tests.small_set import write_labels


def draw_pairs(folder: Path, size: int = 40) -> Path:
    """Draw pairs of images that differ in noise, two pairs of one text each. Some labels are wrong."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for i in range(size):
        noises = generator.permutation([10.0, 25.0 + i % 20])
        names = [f"images/{i:03}{side}.png" for side in "ab"]
        for name, noise in zip(names, noises, strict=True):
            pixels = 128 + generator.normal(0, noise, (32, 32, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        better = int(noises[0] > noises[1]) if i % 9 else i % 2
        rows.append(
            {"id": f"p{i}", "image_a": names[0], "image_b": names[1], "label": "ab"[better], "text": f"{i // 2}"}
        )
    write_labels(folder, rows)
    config = {
        "task": {"kind": "pairwise"},
        "data": {"path": "labels.csv", "image": ["image_a", "image_b"]},
        "search": {"outer_rounds": 1, "inner_steps": 2, "error_batch": 12},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder
