"""Small dataset folders for tests: images, and a table of labels."""

import csv
import json
import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blpo.data.dataset import Dataset, load_dataset
from state.errors import DataError
from state.settings import DataSettings, TaskSettings

ORDINAL = TaskSettings(kind="ordinal", min=1, max=3)

HALVES = TaskSettings(kind="categorical", labels=("low", "high"))


def png(shade: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 4), (shade % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def rows(count: int = 12) -> list[dict[str, Any]]:
    return [{"image": f"images/{i}.png", "label": str(i % 3 + 1)} for i in range(count)]


def write(folder: Path, table: Iterable[Mapping[str, Any]], images: int = 12) -> Path:
    """Write a dataset folder with a labels.csv."""
    table = list(table)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for i in range(images):
        (folder / "images" / f"{i}.png").write_bytes(png(i))
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]) if table else ["image", "label"])
        writer.writeheader()
        writer.writerows(table)
    return folder


def load(path: Path, task: TaskSettings = ORDINAL, seed: int = 0, **data: Any) -> Dataset:
    return load_dataset(DataSettings(path=str(path), **data), task, seed)


def labels(dataset: Dataset) -> dict[str, Any]:
    return {name: sample.label for name, sample in sorted(dataset.by_id.items())}


def problems(path: Path, task: TaskSettings = ORDINAL, **data: Any) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        load(path, task, **data)
    assert "\n" not in str(caught.value)
    return caught.value.problems


def jsonl(folder: Path, table: list[dict[str, Any]]) -> Path:
    write(folder, rows())
    os.remove(folder / "labels.csv")
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, table)))
    return folder
