"""Small public sets in the format of their authors: the true columns and file names, with drawn images."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

SCHEMAS = Path(__file__).parent.parent.parent / "shared" / "schemas"
"""Folder of real label files, beside the checkout."""

CATEGORIES = (
    "Deception", "Harassment", "Hate", "Illegal activity", "Political", "Public and personal health", "Self-harm",
    "Sexual", "Shocking", "Spam", "Violence",
)  # fmt: skip
RATINGS = ("overall_rating", "image_text_alignment_rating", "fidelity_rating")
Row = dict[str, Any]


def noisy_image(number: int, kind: str = "PNG", noise: float = 20.0) -> bytes:
    """Return a small noisy image. Different numbers give different images."""
    generator = np.random.default_rng(number)
    pixels = (128 + generator.normal(0, noise, (24, 24, 3))).clip(0, 255).astype(np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def write_csv(file: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_zip(file: Path, members: Mapping[str, bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def write_images(file: Path, rows: Iterable[Row], size: int = 100, **options: Any) -> None:
    """Write a parquet file as the hub does: image columns are structs of bytes and path."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), file, row_group_size=size, **options)


def cell(data: bytes | None, path: str | None = None) -> dict[str, Any]:
    return {"bytes": data, "path": path}


def agin(folder: Path, size: int = 250) -> Path:
    """Write scores from 1 to 5, lower for images with more noise. Images in a folder."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for i in range(size):
        score = 1.2 + 0.8 * (i % 5) + 0.01 * (i % 7)
        (folder / "images" / f"agin_{i:04}.png").write_bytes(noisy_image(i, noise=60 - 11 * (i % 5)))
        scores = {"MOS_nat": f"{score:.3f}", "MOS_tech": f"{6 - score:.3f}", "MOS_rat": "3.0"}
        rows.append({"filename": f"agin_{i:04}.png", **scores})
    write_csv(folder / "AGIN.csv", rows)
    return folder


def seetrue(folder: Path, texts: int = 60, each: int = 8) -> Path:
    """Write several images for every text, matching or not. Images in images.zip."""
    rows, members = [], {}
    for i in range(texts * each):
        text, label = i // each, (i * 7 // 3) % 2
        name = f"id_{i}_Positional sd_1_4_{i % 3}.png"
        members[f"images/{name}"] = noisy_image(i, noise=10 + 40 * label)
        ids = {"original_dataset_id": f"text_{text}_image_{i}", "dataset_source": "drawbench"}
        rows.append({"image": name, "text": f"A zebra, {text} of a kind.", "label": label, **ids})
    folder.mkdir(parents=True)
    write_csv(folder / "SeeTRUE.csv", rows)
    write_zip(folder / "images.zip", members)
    return folder


def imagereward(folder: Path, prompts: int = 120, splits: Sequence[str] = ("train", "validation", "test")) -> Path:
    """Write four images for every prompt, rated 1 to 7 and ranked. Two archives for every split."""
    for n, split in enumerate(splits):
        rows, archives = [], {1: {}, 2: {}}  # type: tuple[list[Row], dict[int, dict[str, bytes]]]
        for i in range(4 * prompts):
            part, name = 1 + i % 8 // 4, f"{split}-{i:05}.webp"
            rating = 1 + (i + i // 4) % 7
            archives[part][name] = noisy_image(10000 * n + i, "WEBP", 5 + 8 * rating)
            keys = {"image_path": f"images/{split}/{split}_{part}/{name}", "prompt_id": f"{split}-{i // 4:06}"}
            about = {"prompt": f"{split} prompt {i // 4}", "classification": "Animals", "image_amount_in_total": 4}
            rows.append({**keys, **about, "rank": (1, 2, 2, 3)[i % 4], **dict.fromkeys(RATINGS, rating)})
        folder.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / f"metadata-{split}.parquet")
        for part, members in archives.items():
            metadata = json.dumps([row for row in rows if f"_{part}/" in row["image_path"]]).encode()
            write_zip(folder / f"images/{split}/{split}_{part}.zip", {f"{split}_{part}.json": metadata, **members})
    return folder


def unsafebench_rows(count: int, first: int = 0) -> list[Row]:
    rows = []
    for i in range(first, first + count):
        label = ("Safe", "Unsafe")[i // 11 % 2]
        image = cell(noisy_image(i, "JPEG", 10 + 40 * (label == "Unsafe")), None)
        text = None if i % 3 else f"a caption, {i // 6}"
        source = ("Laion5B", "Lexica")[i % 2]
        rows.append(
            {"image": image, "safety_label": label, "category": CATEGORIES[i % 11], "source": source, "text": text}
        )
    return rows


def unsafebench(folder: Path) -> Path:
    """Write two shards of train and a shard of test."""
    write_images(folder / "data/train-00000-of-00002.parquet", unsafebench_rows(150))
    write_images(folder / "data/train-00001-of-00002.parquet", unsafebench_rows(90, 150), size=20)
    write_images(folder / "data/test-00000-of-00001.parquet", unsafebench_rows(80, 240))
    return folder


def mjbench(folder: Path, size: int = 40) -> Path:
    """Write pairs. In nine of ten pairs people prefer image0."""
    rows = [
        {
            "caption": f"a phantom airship, {i // 2}",
            "image0": cell(noisy_image(2 * i, "JPEG"), f"{i}_0.jpg"),
            "image1": cell(noisy_image(2 * i + 1, "JPEG", 60), f"{i}_1.jpg"),
            "label": int(i % 10 == 0),
            "info": "hpdv2",
        }
        for i in range(size)
    ]
    write_images(folder / "data/alignment.parquet", rows)
    return folder
