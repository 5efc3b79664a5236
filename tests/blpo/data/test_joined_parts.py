"""Tables in several files: parquet and Arrow parts of the hub, of the `datasets` library and of other writers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
import yaml

from blpo.cli.main import main
from blpo.data.tables import is_dataset_folder, open_table
from state.errors import DataError
from state.settings import SplitColumn, TaskSettings
from tests.blpo.data.dataset_folders import load, png, problems

TASK = TaskSettings(kind="categorical", labels=("bad", "good"))
BY_SPLIT: dict[str, Any] = {"split": SplitColumn(column="split")}
HUB = {
    "train-00000-of-00002.parquet": 6,
    "train-00001-of-00002.parquet": 4,
    "validation-00000-of-00001.parquet": 4,
    "test-00000-of-00001-0123456789abcdef.parquet": 6,
}


def rows(first: int, count: int) -> list[dict[str, object]]:
    numbers = range(first, first + count)
    return [{"image": {"bytes": png(i), "path": f"{i}.png"}, "label": TASK.labels[i % 2]} for i in numbers]


def write_parquet(file: Path, content: Sequence[Mapping[str, object]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in content]), file)
    return file


def write_hub(folder: Path, sizes: Mapping[str, int] = HUB) -> Path:
    first = 0
    for name, size in sizes.items():
        write_parquet(folder / name, rows(first, size))
        first += size
    return folder


@pytest.mark.parametrize("inner", ["", "data"])
def test_parts_of_the_hub_are_one_table_with_their_splits(inner: str, tmp_path: Path) -> None:
    write_hub(tmp_path / "set" / inner)
    dataset = load(tmp_path / "set", TASK, **BY_SPLIT)
    assert {split: len(samples) for split, samples in dataset.splits.items()} == {
        "train": 10,
        "validation": 4,
        "test": 6,
    }
    table = open_table(str(tmp_path / "set"))
    assert table.place(6) == "train-00000-of-00002.parquet:1"
    images = {sample.images[0].read() for samples in dataset.splits.values() for sample in samples}
    assert images == {png(i) for i in range(20)}
    assert len({sample.id for samples in dataset.splits.values() for sample in samples}) == 20


@pytest.mark.parametrize(
    "names",
    [
        ["0000.parquet", "0001.parquet", "0002.parquet"],
        ["part-0.parquet", "part-2.parquet", "part-10.parquet"],
        ["part.0.parquet", "part.1.parquet", "part.2.parquet"],
        ["part-00000-4d2f-c000.snappy.parquet", "part-00001-4d2f-c000.snappy.parquet", "part-00002-4d2f.parquet"],
        [f"labels-0000{i}-of-00003.parquet" for i in range(3)],
    ],
)
def test_parts_without_splits_are_read_in_the_order_of_their_names(names: Sequence[str], tmp_path: Path) -> None:
    for number, name in enumerate(names):
        write_parquet(tmp_path / name, rows(10 * number, 10))
    table = open_table(str(tmp_path))
    assert table.columns == ("image", "label")
    assert [table.place(row) for row in (0, 9, 10, 29)] == [
        f"{names[i]}:{n}" for i, n in ((0, 1), (0, 10), (1, 1), (2, 10))
    ]
    cells = table.cells("image")
    assert cells is not None
    assert [cells(row, "").read() for row in (0, 19, 29)] == [png(0), png(19), png(29)]
    assert len(load(tmp_path, TASK).by_id) == 30


@pytest.mark.parametrize("inner", ["train", "default/train"])
def test_parts_in_folders_of_splits(inner: str, tmp_path: Path) -> None:
    for number, split in enumerate(("test", "train", "validation")):
        write_parquet(tmp_path / inner.replace("train", split) / "0000.parquet", rows(10 * number, 10))
    dataset = load(tmp_path, TASK, **BY_SPLIT)
    assert [len(dataset.splits[split]) for split in ("train", "validation", "test")] == [10, 10, 10]
    assert sorted(s.images[0].read() for s in dataset.splits["train"]) == sorted(png(i) for i in range(10, 20))


def test_one_file_a_split(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val", "test")):
        write_parquet(tmp_path / f"{split}.parquet", rows(10 * number, 10))
    assert {split: len(samples) for split, samples in load(tmp_path, TASK, **BY_SPLIT).splits.items()} == {
        "train": 10,
        "validation": 10,
        "test": 10,
    }


def test_a_dataset_saved_in_several_arrow_files(tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=list(TASK.labels))})
    content = [{**row, "label": TASK.labels.index(str(row["label"]))} for row in rows(0, 30)]
    datasets.Dataset.from_list(content, features=features).save_to_disk(tmp_path / "set", num_shards=3)
    assert (tmp_path / "set" / "data-00002-of-00003.arrow").is_file()
    saved = load(tmp_path / "set", TASK)
    for name in ("state.json", "dataset_info.json"):
        (tmp_path / "set" / name).unlink()
    parts = load(tmp_path / "set", TASK)
    for dataset in (saved, parts):
        samples = [dataset.by_id[f"row-{i + 1}"] for i in range(30)]
        assert [sample.images[0].read() for sample in samples] == [png(i) for i in range(30)]
        assert [sample.label for sample in samples] == [TASK.labels[i % 2] for i in range(30)]


def test_the_arrow_files_of_the_library_s_cache(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "validation", "test")):
        saved = tmp_path / split
        datasets.Dataset.from_list(rows(10 * number, 10)).save_to_disk(saved)
        (tmp_path / "set").mkdir(exist_ok=True)
        (saved / "data-00000-of-00001.arrow").rename(tmp_path / "set" / f"my_set-{split}.arrow")
    (tmp_path / "set" / "cache-0123456789abcdef.arrow").write_bytes(b"")
    dataset = load(tmp_path / "set", TASK, **BY_SPLIT)
    assert {split: len(samples) for split, samples in dataset.splits.items()} == dict.fromkeys(dataset.splits, 10)


def test_a_folder_of_the_hub_s_cache_stands_for_its_snapshot(tmp_path: Path) -> None:
    place = tmp_path / "datasets--a--b"
    for number, revision in enumerate(("aaa", "bbb")):
        blob = write_parquet(place / "blobs" / f"{number}.parquet", rows(0, 20 + number))
        part = place / "snapshots" / revision / "data" / "train-00000-of-00001.parquet"
        part.parent.mkdir(parents=True)
        part.symlink_to(blob)
    with pytest.raises(
        DataError, match=r"holds 2 snapshots; name one of them, such as \S*snapshots/bbb, in data\.path"
    ):
        open_table(str(place))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("bbb")
    assert len(open_table(str(place)).lines) == 21
    assert is_dataset_folder(place)


def test_missing_parts_are_counted(tmp_path: Path) -> None:
    write_hub(tmp_path)
    (tmp_path / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(DataError, match="has 1 of 2 parts of train; download the missing parts"):
        open_table(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"note": "x"}, r"0001\.parquet and 0000\.parquet have different columns \(note\)"),
        ({"label": 1}, r"column 'label' holds numbers in 0001\.parquet and texts in 0000\.parquet"),
        ({"image": "0.png"}, r"column 'image' holds texts in 0001\.parquet and images or bytes in 0000\.parquet"),
    ],
)
def test_parts_with_other_columns_are_named(change: dict[str, object], message: str, tmp_path: Path) -> None:
    write_parquet(tmp_path / "0000.parquet", rows(0, 4))
    write_parquet(tmp_path / "0001.parquet", [{**row, **change} for row in rows(4, 4)])
    with pytest.raises(DataError, match=message):
        open_table(str(tmp_path))


def test_a_column_without_values_fits_all_kinds(tmp_path: Path) -> None:
    write_parquet(tmp_path / "0000.parquet", [{**row, "text": None} for row in rows(0, 10)])
    write_parquet(tmp_path / "0001.parquet", [{**row, "text": "a"} for row in rows(10, 10)])
    assert list(open_table(str(tmp_path)).values("text")) == [None] * 10 + ["a"] * 10


def test_problems_name_the_part_and_its_row(tmp_path: Path) -> None:
    write_parquet(tmp_path / "0000.parquet", rows(0, 10))
    write_parquet(tmp_path / "0001.parquet", [*rows(10, 9), {"image": {"bytes": b"x", "path": None}, "label": "odd"}])
    assert any("0001.parquet:10: label" in line and "odd" in line for line in problems(tmp_path, TASK))


def test_several_configurations_are_named(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_parquet(tmp_path / name / "train" / "0000.parquet", rows(0, 4))
    with pytest.raises(DataError, match=r"holds several tables in parts \(first, second\)"):
        open_table(str(tmp_path))


def test_a_project_and_a_judge_of_parts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_hub(tmp_path / "set" / "data")
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 0
    assert "is read from all its parts" in " ".join(capsys.readouterr().err.split())
    config = yaml.safe_load((tmp_path / "judge" / "config.yaml").read_text())
    assert config["data"]["split"] == {"column": "split"}
    assert main(["check", str(tmp_path / "judge" / "config.yaml")]) == 0
    assert "20" in capsys.readouterr().out
