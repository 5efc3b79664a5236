"""Small dataset of clips: several frames with one label, which follows from the mean noise of the frames."""

import json
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from tests.small_set import write_labels


def draw_clips(folder: Path, size: int = 30) -> Path:
    """Draw clips of two to four frames, a folder each, rated 1 to 5 by the mean noise, and write a config.

    The first frame of a clip tells nothing. Some ratings are wrong, so that errors remain.
    """
    generator = np.random.default_rng(0)
    rows = []
    for n in range(size):
        names = [f"clips/{n:02}/frame-{place}.png" for place in range(9, 11 + n % 3)]
        (folder / names[0]).parent.mkdir(parents=True)
        noise = 5 + 12 * (n % 5)
        for place, name in enumerate(names):
            pixels = 128 + generator.normal(0, generator.uniform(5, 50) if place == 0 else noise, (32, 32, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
        label = str(5 - n % 5 if n % 7 else 1 + n % 5)
        rows.append({"id": f"clip {n}", "frames": json.dumps(names), "folder": f"clips/{n:02}", "label": label})
    write_labels(folder, rows)
    config = {
        "data": {"path": "labels.csv", "image": "frames"},
        "search": {"outer_rounds": 1, "inner_steps": 2, "error_batch": 12},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder
