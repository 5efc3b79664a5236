"""Tables: text files, parquet files and saved datasets."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from blpo.data.csv_tables import read_csv
from blpo.data.dataset import load_dataset
from blpo.data.dataset_check import check_dataset
from state.errors import DataError
from state.settings import DataSettings, Settings, SplitColumn
from tests.blpo.data.dataset_folders import HALVES, ORDINAL, labels, load, png, problems, rows, write


def test_all_sources_give_the_same_labels(tmp_path: Path) -> None:
    folder = write(tmp_path / "csv", rows())
    expected = labels(load(folder))
    typed = [{"image": row["image"], "label": int(row["label"])} for row in rows()]
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, typed)) + "\n\n")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(typed), folder / "set.parquet")
    assert labels(load(folder / "labels.csv")) == expected
    assert labels(load(folder / "set.jsonl")) == expected
    assert labels(load(folder / "set.parquet")) == expected
    assert load(folder / "set.jsonl").splits["test"][0].id == load(folder).splits["test"][0].id


@pytest.mark.parametrize("form", ["bytes", "struct", "path"])
def test_parquet_cells_hold_images(tmp_path: Path, form: str) -> None:
    write(tmp_path / "set", rows())
    os.remove(tmp_path / "set" / "labels.csv")
    cells: dict[str, Any] = {
        "bytes": [png(i) for i in range(12)],
        "struct": [{"bytes": png(i), "path": f"{i}.png"} for i in range(12)],
        "path": [{"bytes": None, "path": f"images/{i}.png"} for i in range(12)],
    }
    table = pyarrow.table({"image": cells[form], "label": [i % 3 + 1 for i in range(12)]})
    pyarrow.parquet.write_table(table, tmp_path / "set" / "labels.parquet", row_group_size=5)
    dataset = load(tmp_path / "set")
    assert sorted(dataset.by_id, key=lambda name: int(name[4:])) == [f"row-{i}" for i in range(1, 13)]
    for name, sample in dataset.by_id.items():
        assert sample.images[0].read() == png(int(name[4:]) - 1)
    assert len(dataset.fingerprint) == 64


def test_a_cell_may_not_name_a_file_outside(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(png(0))
    cells = [{"bytes": None, "path": "../secret.png"}, *({"bytes": png(i), "path": None} for i in range(11))]
    (tmp_path / "set").mkdir()
    table = pyarrow.table({"image": cells, "label": [i % 3 + 1 for i in range(12)]})
    pyarrow.parquet.write_table(table, tmp_path / "set" / "labels.parquet")
    lines = check_dataset(Settings(task=ORDINAL, data=DataSettings(path=str(tmp_path / "set"))))
    assert len(lines) == 1 and lines[0].startswith("labels.parquet:1: image path ../secret.png leads outside")


def saved(split: str | None) -> Any:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["low", "high"])})
    columns = {"image": [{"bytes": png(i), "path": None} for i in range(12)], "label": [i % 2 for i in range(12)]}
    dataset = datasets.Dataset.from_dict(columns, features=features)
    return dataset if split is None else datasets.DatasetDict({split: dataset, "test": dataset})


def test_a_saved_dataset_is_read_without_decoding(tmp_path: Path) -> None:
    saved(None).save_to_disk(tmp_path / "one")
    dataset = load(tmp_path / "one", HALVES)
    assert Counter(labels(dataset).values()) == {"low": 6, "high": 6}
    assert dataset.by_id["row-3"].images[0].read() == png(2)
    assert dataset.fingerprint == load(tmp_path / "one", HALVES).fingerprint


def test_the_splits_of_a_saved_dataset_are_a_column(tmp_path: Path) -> None:
    saved("train").save_to_disk(tmp_path / "two")
    dataset = load(tmp_path / "two", HALVES, split=SplitColumn(column="split", validation_share=0.5))
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {"train": 6, "validation": 6, "test": 12}
    assert {int(sample.id[4:]) for sample in dataset.splits["test"]} == set(range(13, 25))


def test_a_hub_dataset_without_network_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match=r"^hub:nobody/nothing-there: can't be loaded; loading needs the network"):
        load_dataset(DataSettings(path="hub:nobody/nothing-there"), ORDINAL, 0)


def test_a_row_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    table = [
        {"image": "images/0.png", "label": 1, "text": "two\nlines"},
        {"image": "images/1.png", "label": 9, "text": ""},
    ]
    assert problems(write(tmp_path, table)) == ("labels.csv:4: label 9 is not an integer from 1 to 3",)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("labels.csv", b"image,label\nimages/0.png\n", "labels.csv:2: has 1 fields, the header has 2"),
        ("labels.csv", b"image,image\n", "has the column 'image' twice"),
        ("labels.csv", b"", "is empty"),
        ("labels.csv", b"image;label\nimages/0.png\n", "labels.csv:2: has 1 fields, the header has 2"),
        ("labels.csv", b"image,label,\nimages/0.png,1,,note\n", "labels.csv:2: has 4 fields, the header has 2"),
        ("labels.csv", b",,\nimages/0.png,1,\n", "has no names of columns in the first line"),
        (
            "labels.csv",
            "image,label\nimages/café.png,1\n".encode("cp1252"),
            "(line 2, byte 22, perhaps Windows-1252: '",
        ),
        ("labels.csv", "image,label\n".encode("utf-16") + b"\x00", "is not UTF-16"),
        ("labels.csv", b"image,label\n", "labels.csv: has no rows"),
        ("labels.csv", b'image,label\n"images/0.png,1\n', "is not valid CSV"),
        ("labels.csv", b"image,label\nimages/\xff.png,1\n", "is not UTF-8"),
        ("labels.jsonl", b'{"image": "images/0.png", "label": 1}\n[1]\n', "labels.jsonl:2: is not a JSON object ([1])"),
        ("labels.jsonl", b"{" * 100_000, "labels.jsonl:1: is not a JSON object"),
        ("labels.parquet", b"PAR1 no", "can't be read as a table"),
    ],
)
def test_broken_tables_are_refused(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    write(tmp_path, rows())
    os.remove(tmp_path / "labels.csv")
    (tmp_path / name).write_bytes(content)
    assert complaint in problems(tmp_path)[0]


EXPORTED = "image,label\n" + "".join(f"images/{i}.png,{i % 3 + 1}\n" for i in range(12))


@pytest.mark.parametrize(
    "content",
    [
        EXPORTED.replace(",", ";").encode(),
        EXPORTED.replace(",", "\t").encode("utf-16"),
        EXPORTED.encode("utf-16-le"),
        EXPORTED.encode("utf-16-be"),
        EXPORTED.encode("utf-32"),
        b"\xef\xbb\xbfsep=;\r\n" + EXPORTED.replace(",", ";").replace("\n", "\r\n").encode(),
        EXPORTED.replace("\n", ",,,\n").encode() + b",,,,\n" * 3 + b" ,\n",
        EXPORTED.replace("image,label", " image , label ,, ").encode(),
        b"\r\n \n" + EXPORTED.encode(),
        b"My labels,\n\n" + EXPORTED.encode(),
        b"# exported in 2026\n# by me, and others, again\n" + EXPORTED.encode(),
        b"," + EXPORTED.replace("\n", "\n,").encode(),
        EXPORTED.replace("\n", "," + "x" * 140_000 + "\n").replace("label," + "x" * 140_000, "label,pixels").encode(),
    ],
    ids=[
        "semicolons",
        "utf-16",
        "le",
        "be",
        "utf-32",
        "sep",
        "blank ends",
        "spaced header",
        "blank start",
        "title",
        "comments",
        "index",
        "long fields",
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path: Path, content: bytes) -> None:
    folder = write(tmp_path, rows())
    expected = labels(load(folder))
    (folder / "labels.csv").write_bytes(content)
    assert labels(load(folder)) == expected


def test_lines_are_counted_below_a_line_that_names_the_separator(tmp_path: Path) -> None:
    folder = write(tmp_path, rows())
    (folder / "labels.csv").write_text("sep=;\nimage;label\nimages/0.png;1\n;\nimages/1.png;9\n")
    assert problems(folder) == ("labels.csv:5: label 9 is not an integer from 1 to 3",)


def test_lines_are_counted_below_a_title(tmp_path: Path) -> None:
    folder = write(tmp_path, rows())
    (folder / "labels.csv").write_text("Labels\n\n# 2026\nimage,label\nimages/0.png,1\n\nimages/1.png,9\n")
    assert problems(folder) == ("labels.csv:7: label 9 is not an integer from 1 to 3",)


def test_a_header_may_begin_as_a_comment_and_stand_above_a_blank_line() -> None:
    for text in ("#image,label\na.png,1\n", "#image,label\n\na.png,1\n"):
        assert read_csv("t.csv", "t.csv", iter(text.splitlines(keepends=True))).columns == ("#image", "label")
    assert read_csv("t.csv", "t.csv", iter(["image\n", "\n", "a.png\n"])).columns == ("image",)


def test_a_tsv_file_is_read(tmp_path: Path) -> None:
    folder = write(tmp_path, rows())
    (folder / "set.tsv").write_text(EXPORTED.replace(",", "\t"))
    assert labels(load(folder / "set.tsv")) == labels(load(folder))


def test_a_missing_or_foreign_path_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path / "nothing")[0]
    assert "holds no labels.csv" in problems(tmp_path)[0]
    (tmp_path / "labels.txt").write_text("")
    assert "is no labels file" in problems(tmp_path / "labels.txt")[0]
    (tmp_path / "labels.csv").write_text("image,label\n")
    (tmp_path / "labels.jsonl").write_text("")
    assert "name the file to read" in problems(tmp_path)[0]
