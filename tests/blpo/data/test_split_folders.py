"""Folders of splits with labels files (`train/metadata.csv`, `test/metadata.csv`) as one dataset."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from blpo.cli.main import main
from blpo.data.tables import open_table
from state.errors import DataError
from state.settings import SplitColumn, TaskSettings
from tests.blpo.data.dataset_folders import load, png, problems

TASK = TaskSettings(kind="categorical", labels=("bad", "good"))
BY_FOLDER: dict[str, Any] = {"image": "file_name", "split": SplitColumn(column="split")}
SIZES = {"train": 8, "validation": 4, "test": 6}


def write_part(folder: Path, rows: Sequence[Mapping[str, object]], form: str = "csv", first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i, row in enumerate(rows):
        name = Path(str(row["file_name"])).name
        (folder / name).write_bytes(png(first + i))
    if form == "csv":
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    elif form == "jsonl":
        (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), folder / "metadata.parquet")


def write_set(folder: Path, sizes: Mapping[str, int], form: str = "csv") -> Path:
    for number, (split, size) in enumerate(sizes.items()):
        rows = [{"file_name": f"{i}.png", "label": TASK.labels[i % 2]} for i in range(size)]
        write_part(folder / split, rows, form, 50 * number)
    return folder


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("inner", ["", "data"])
def test_the_folder_gives_the_split(form: str, inner: str, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_set(folder / inner, SIZES, form)
    dataset = load(folder, TASK, **BY_FOLDER)
    assert {split: len(samples) for split, samples in dataset.splits.items()} == SIZES
    prefix = f"{inner}/" if inner else ""
    assert {sample.id for sample in dataset.splits["test"]} == {f"{prefix}test/{i}.png" for i in range(6)}
    assert dataset.by_id[f"{prefix}test/3.png"].images[0].read() == png(103)


def test_a_project_of_folders_of_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_set(tmp_path / "set", SIZES)
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 0
    assert "the labels files of the splits are read as one table" in " ".join(capsys.readouterr().err.split())
    data = yaml.safe_load((tmp_path / "judge" / "config.yaml").read_text())["data"]
    assert data == {"path": str(tmp_path / "set"), "image": "file_name", "split": {"column": "split"}}
    assert main(["check", str(tmp_path / "judge" / "config.yaml")]) == 0
    assert "18 samples, train 8, validation 4, test 6" in capsys.readouterr().out


def test_problems_name_file_and_row(tmp_path: Path) -> None:
    write_set(tmp_path, SIZES)
    rows = [{"file_name": f"{i}.png", "label": "good", "split": split} for i, split in enumerate(["test", "train", ""])]
    rows[1]["label"] = "god"
    write_part(tmp_path / "test", rows)
    (tmp_path / "train" / "metadata.csv").write_text("file_name,label\ngone.png,good\n0.png,bad,more\n")
    assert problems(tmp_path, TASK, **BY_FOLDER) == (
        "test/metadata.csv:3: split train is not the split of the folder, test; correct the row, or move it",
        "train/metadata.csv:3: has 3 fields, the header has 2",
        "train/metadata.csv:2: image train/gone.png does not exist in the dataset's folder",
    )


def test_paths_may_begin_with_the_folder(tmp_path: Path) -> None:
    write_set(tmp_path, SIZES)
    rows = [{"file_name": f"test/{i}.png", "label": TASK.labels[i % 2]} for i in range(6)]
    write_part(tmp_path / "test", rows)
    assert {s.id for s in load(tmp_path, TASK, **BY_FOLDER).splits["test"]} == {f"test/{i}.png" for i in range(6)}


def test_a_labels_file_above_the_folders_wins(tmp_path: Path) -> None:
    write_set(tmp_path, SIZES)
    (tmp_path / "labels.csv").write_text("image,label\ntrain/0.png,good\n")
    assert open_table(str(tmp_path)).name == "labels.csv"


def test_a_single_folder_of_a_split_is_no_set(tmp_path: Path) -> None:
    write_set(tmp_path, {"train": 8})
    with pytest.raises(DataError, match=r"holds no labels\.csv"):
        open_table(str(tmp_path))
    (tmp_path / "train" / "metadata.jsonl").write_text("")
    write_set(tmp_path, {"test": 6})
    with pytest.raises(DataError, match=r"has metadata\.csv and metadata\.jsonl; name the file"):
        open_table(str(tmp_path))
    (tmp_path / "train" / "metadata.jsonl").unlink()
    table = pyarrow.table({"image": [png(i) for i in range(6)], "label": ["good"] * 6})
    pyarrow.parquet.write_table(table, tmp_path / "test" / "labels.parquet")
    with pytest.raises(DataError, match=r"test/labels.parquet: column 'image' holds images; join the tables"):
        (tmp_path / "test" / "metadata.csv").unlink()
        open_table(str(tmp_path))
