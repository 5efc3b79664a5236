"""Small images in Parquet files, and a judge of a loopback server or of the embedded model."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from blpo.runs.judge_file import JudgeFile
from state.settings import ModelSettings, TaskSettings

PROMPT = "Rate the image from 1 to 5.\nStart from a rating of 5.\nLower the rating strongly when noise is above 90."


def png(number: int, side: int = 8) -> bytes:
    """Return an image of noise; every number is another image."""
    noise = np.random.default_rng(number).normal(128, 5 + 12 * (number % 5), (side, side, 3))
    buffer = BytesIO()
    Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def rows(start: int, count: int) -> dict[str, list[Any]]:
    """Return rows with ids, images and labels."""
    numbers = range(start, start + count)
    labels = [5 - number % 5 for number in numbers]
    return {"id": [f"p{number}" for number in numbers], "image": list(map(png, numbers)), "label": labels}


def draw_shards(folder: Path, files: int = 2, count: int = 20, group: int = 8) -> Path:
    """Write Parquet files of `count` rows in row groups of `group` rows."""
    folder.mkdir(parents=True)
    for number in range(files):
        table = pyarrow.table(rows(number * count, count))
        pyarrow.parquet.write_table(table, folder / f"photos-{number}.parquet", row_group_size=group)
    return folder


def write_judge(file: Path, **model: Any) -> Path:
    """Write the judge.yaml of a judge of ratings."""
    settings = ModelSettings(**{"name": "embedded:judge", "max_concurrency": 2, **model})
    file.write_text(JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), images=1, model=settings).dump())
    return file


def verdicts_in(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of all Parquet files of a folder, in the order of the inputs."""
    tables = [pyarrow.parquet.read_table(file) for file in sorted(folder.glob("*.parquet"))]
    return sorted((row for table in tables for row in table.to_pylist()), key=lambda row: (row["file"], row["row"]))
