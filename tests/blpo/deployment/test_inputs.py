"""Inputs of a judge: the folders and tables that a run reads too."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import count_of, inputs_of, samples_of
from blpo.deployment.table_input import InputColumns
from state.errors import DataError
from state.sample import Sample
from state.settings import TaskSettings
from tests.blpo.data.dataset_folders import png

TASK = TaskSettings(kind="categorical", labels=("bad", "good"))


def read(path: Path, task: TaskSettings = TASK, columns: InputColumns | None = None) -> list[Sample]:
    inputs = inputs_of([str(path)], columns or InputColumns(), InputLabels(task, required=False))
    samples = list(samples_of(inputs))
    assert count_of(inputs) == len(samples)
    assert any(each.may_be_labelled for each in inputs) == any(sample.label is not None for sample in samples)
    return samples


def facts(samples: Sequence[Sample]) -> list[tuple[str, object, bytes]]:
    return [(sample.id, sample.label, sample.images[0].read()) for sample in samples]


def images(folder: Path, first: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(3):
        (folder / f"{i}.png").write_bytes(png(first + i))
    return folder


ROWS = [{"file_name": f"{i}.png", "label": TASK.labels[i % 2]} for i in range(3)]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet", "labels.json", "labels.tsv"])
def test_tables_of_a_folder(name: str, tmp_path: Path) -> None:
    file = images(tmp_path / "set") / name
    rows: list[dict[str, Any]] = ROWS
    if name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    elif name.endswith(".json"):
        file.write_text(json.dumps(rows))
    elif name.endswith(".jsonl"):
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        separator = "\t" if name.endswith(".tsv") else ","
        file.write_text("\n".join([separator.join(rows[0]), *(separator.join(row.values()) for row in rows)]) + "\n")
    expected = [(f"{i}.png", TASK.labels[i % 2], png(i)) for i in range(3)]
    assert facts(read(tmp_path / "set")) == facts(read(file)) == expected


def test_labels_files_in_folders_of_splits(tmp_path: Path) -> None:
    for number, split in enumerate(("test", "train")):
        folder = images(tmp_path / split, 10 * number)
        (folder / "metadata.csv").write_text("file_name,label\n0.png,good\n1.png,\n")
    assert facts(read(tmp_path)) == [
        ("test/0.png", "good", png(0)),
        ("test/1.png", None, png(1)),
        ("train/0.png", "good", png(10)),
        ("train/1.png", None, png(11)),
    ]


def test_names_of_folders_are_labels_of_the_judge(tmp_path: Path) -> None:
    images(tmp_path / "test" / "Good")
    images(tmp_path / "test" / "bad", 10)
    labels = {sample.id.removeprefix(f"{tmp_path}/"): sample.label for sample in read(tmp_path)}
    assert set(labels.values()) == {"good", "bad"}
    assert labels["test/Good/0.png"] == "good"
    images(tmp_path / "unsure", 20)
    assert {sample.label for sample in read(tmp_path)} == {None}
    assert {sample.label for sample in read(tmp_path / "test" / "bad")} == {None}  # a single label says nothing


def test_metadata_of_another_kind_is_no_table(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "metadata.csv").write_text("seed,steps\n1,20\n")
    assert [Path(sample.id).name for sample in read(tmp_path)] == ["0.png", "1.png", "2.png"]


def test_numbers_of_folders_are_no_ratings(tmp_path: Path) -> None:
    images(tmp_path / "1")
    images(tmp_path / "2", 10)
    assert {sample.label for sample in read(tmp_path, TaskSettings())} == {None}


def test_a_column_that_looks_like_images_is_found(tmp_path: Path) -> None:
    images(tmp_path)
    (tmp_path / "sheet.csv").write_text("what;shot\na;0.png\nb;2.PNG\n")
    assert [sample.images[0].read() for sample in read(tmp_path / "sheet.csv")] == [png(0), png(2)]
    (tmp_path / "sheet.csv").write_text("what;which\na;b\n")
    with pytest.raises(DataError, match=r"sheet\.csv: has no column 'image'.*olumns: what, which"):
        read(tmp_path / "sheet.csv")


PAIR = TaskSettings(kind="pairwise", ties=True)


def write_table(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    images(folder)
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "labels.jsonl"


def test_pairs_of_a_table_that_share_an_image_or_a_text_are_one_group(tmp_path: Path) -> None:
    names = [("0", "1"), ("1", "2"), ("3", "4"), ("5", "6"), ("7", "8")]
    texts = ["s", "t", "u", "u", "v"]
    rows = [
        {"image_a": f"{a}.png", "image_b": f"{b}.png", "text": text, "label": label}
        for (a, b), text, label in zip(names, texts, ["a", "Image_B", "tie", "0", ""], strict=True)
    ]
    samples = read(write_table(tmp_path / "set", rows), PAIR)
    groups = [sample.group for sample in samples]
    assert groups[0] == groups[1] and groups[2] == groups[3] and groups[4] is None
    assert len(set(groups)) == 3
    assert [sample.label for sample in samples] == ["a", "b", "tie", None, None]
    assert [source.name for source in samples[1].images] == ["labels.jsonl:2", "labels.jsonl:2"]


@pytest.mark.parametrize("named", [True, False])
def test_two_texts_of_a_table_are_a_pair_for_a_judge_of_pairs(tmp_path: Path, named: bool) -> None:
    one, two = ("left", "right") if named else ("text_a", "text_b")
    rows = [{"image": f"{i}.png", "question": "What?", one: f"a {i}", two: "b" if i < 2 else ""} for i in range(3)]
    table = write_table(tmp_path / "set", [{**row, "label": one} for row in rows])
    inputs = inputs_of([str(table)], *columns_and_labels(("left", "right") if named else None))
    samples = list(samples_of(inputs))
    assert [(sample.text, sample.texts) for sample in samples[:2]] == [("What?", ("a 0", "b")), ("What?", ("a 1", "b"))]
    assert (samples[0].label == "a") == named
    with pytest.raises(DataError, match="has one text; a pair needs both"):
        samples[2].images[0].read()
    assert all(sample.texts is None for sample in read(table))


def columns_and_labels(texts: tuple[str, str] | None) -> tuple[InputColumns, InputLabels]:
    columns = InputColumns(text=texts)
    return columns, InputLabels(PAIR, required=False, pair=columns.pair)
