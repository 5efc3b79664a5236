"""Messy labels: spellings, words for missing labels, rows without a label."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from blpo.config.config_hash import config_hash
from blpo.data.label_proposal import propose_labels
from blpo.data.label_warnings import label_warnings
from state.settings import DataSettings, Settings, SplitColumn, TaskSettings
from tests.blpo.data.dataset_folders import HALVES, ORDINAL, labels, load, png, problems, rows, write

KINDS = TaskSettings(kind="categorical", labels=("not safe", "safe"))


def labelled(values: list[str]) -> list[dict[str, Any]]:
    return [{"image": f"images/{i}.png", "label": value} for i, value in enumerate(values)]


@pytest.mark.parametrize("spelling", ["Safe", "SAFE ", "s\u00adafe", "ｓａｆｅ", "\ufeffsafe"])
def test_a_label_that_looks_equal_is_read_with_a_warning(tmp_path: Path, spelling: str) -> None:
    folder = write(tmp_path, labelled(["safe", "not safe"] * 5 + [spelling, "not\u00a0 Safe"]))
    dataset = load(folder, KINDS)
    assert list(labels(dataset).values()).count("safe") == list(labels(dataset).values()).count("not safe") == 6
    (warning,) = dataset.warnings
    assert warning.startswith("labels that look alike are read as one label: ") and " as safe in 1 row" in warning


def test_similar_labels_of_the_task_are_told_apart_with_a_warning(tmp_path: Path) -> None:
    task = TaskSettings(kind="categorical", labels=("Safe", "safe", "n/a"))
    dataset = load(write(tmp_path, labelled(["safe", "Safe", "n/a"] * 4)), task)
    assert set(labels(dataset).values()) == {"Safe", "safe", "n/a"}
    assert dataset.warnings == (
        "task.labels Safe and safe look alike; if they mean one label, keep one: all its spellings are read",
        "task.labels n/a may stand for a missing label; if so, take it out of task.labels, and set "
        "data.unlabelled: skip",
    )
    unclear = write(tmp_path / "b", labelled(["safe", "Safe", "SAFE"] * 4))
    assert problems(unclear, task)[0].startswith("labels.csv:4: label SAFE is not one of Safe, safe, n/a")


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("safe", "'Safe'", "unsafe"), "safe and 'Safe'"),
        (("safe.", "safe", "unsafe"), "safe. and safe"),
        (("not_safe", "not safe", "safe"), "not_safe and not safe"),
        (("not-safe", "not safe", "safe"), "not-safe and not safe"),
        (("+1", "-1", "a-1", "a 1", "3.5", "35"), None),
    ],
)
def test_labels_that_differ_in_marks_alone_are_named(labels: tuple[str, ...], names: str | None) -> None:
    lines = [line for line in label_warnings(TaskSettings(kind="categorical", labels=labels), ()) if "nearly" in line]
    assert [line.startswith(f"labels {names} are nearly alike") for line in lines] == [True] * (names is not None)


@pytest.mark.parametrize(
    "word", ["", " ", "NA", "NaN", "None", "null", "n/a", "-", "–", "?", "#N/A", "Unlabeled", "TBD"]
)
def test_rows_without_a_label_are_refused_or_skipped(tmp_path: Path, word: str) -> None:
    folder = write(tmp_path, labelled(["1", "2", "3"] * 3 + [word, "1", word]))
    (first, second) = problems(folder)
    assert first.startswith("labels.csv:11: label ") and "data.unlabelled: skip" in first
    assert second.startswith("labels.csv:13: label ")
    dataset = load(folder, unlabelled="skip")
    assert len(dataset.by_id) == 10
    assert dataset.warnings == ("2 rows without a label are left out (labels.csv:11, labels.csv:13)",)


def test_a_word_that_is_a_label_of_the_task_is_no_missing_label(tmp_path: Path) -> None:
    task = TaskSettings(kind="categorical", labels=("none", "mild"))
    assert len(load(write(tmp_path, labelled(["none", "mild", "None"] * 4)), task, unlabelled="skip").by_id) == 12


def test_a_faulty_label_is_no_missing_label(tmp_path: Path) -> None:
    folder = write(tmp_path, labelled(["1", "2", "3"] * 3 + ["7", "1", "two"]))
    assert len(problems(folder, unlabelled="skip")) == 2
    nothing = write(tmp_path / "b", labelled(["NA"] * 12))
    assert problems(nothing, unlabelled="skip") == ("labels.csv: no row has a label of the task",)


def test_skipping_changes_no_hash_of_old_runs() -> None:
    refuse, skip = (Settings(data=DataSettings(unlabelled=choice)) for choice in ("refuse", "skip"))
    assert config_hash(refuse) == config_hash(skip)


def test_proposals_join_spellings_and_name_words_for_missing_labels() -> None:
    joined = propose_labels(["safe", "Safe", "safe", "unsafe", "UNSAFE ", "unsafe"], "labels.csv")
    assert joined.task.labels == ("safe", "unsafe")
    assert joined.warnings == (
        "labels that look alike are taken as one label (Safe = safe, UNSAFE = unsafe); --labels tells them apart",
    )
    assert propose_labels(["a", "A"], "labels.csv").task.labels == ("A", "a")
    words = propose_labels(["safe", "unsafe", "NA"], "labels.csv")
    assert words.task.labels == ("NA", "safe", "unsafe") and "labels NA may stand for missing" in words.warnings[0]
    numbers = propose_labels(["1", "NA", "5", "3"], "labels.csv")
    assert (numbers.task.min, numbers.task.max) == (1, 5) and "1 labels are words such as NA" in numbers.warnings[0]
    assert propose_labels(["1,5", "2,25", "3,5", "?"], "labels.csv").task == TaskSettings(min=1, max=5)


def test_names_of_classes_in_a_parquet_file_are_the_labels(tmp_path: Path) -> None:
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=["low", "high"])})
    cells = [{"bytes": png(i), "path": None} for i in range(12)]
    columns = {"image": cells, "label": [*(i % 2 for i in range(11)), -1]}
    datasets.Dataset.from_dict(columns, features=features).to_parquet(str(tmp_path / "labels.parquet"))
    assert "label is missing" in problems(tmp_path, HALVES)[0]
    dataset = load(tmp_path, HALVES, unlabelled="skip")
    assert [dataset.by_id[f"row-{i}"].label for i in (1, 2, 3)] == ["low", "high", "low"]
    numbers = TaskSettings(kind="categorical", labels=("0", "1"))
    assert load(tmp_path, numbers, unlabelled="skip").by_id["row-2"].label == "1"
    assert load(tmp_path, TaskSettings(min=0, max=1), unlabelled="skip").by_id["row-2"].label == 1


@pytest.mark.parametrize("metadata", [b"", b"[]", b"{", b'{"info": {"features": {"label": {"_type": "ClassLabel"}}}}'])
def test_foreign_metadata_of_a_parquet_file_is_ignored(tmp_path: Path, metadata: bytes) -> None:
    write(tmp_path, rows())
    (tmp_path / "labels.csv").unlink()
    table = pyarrow.Table.from_pylist([{**row, "label": int(row["label"])} for row in rows()])
    pyarrow.parquet.write_table(table.replace_schema_metadata({"huggingface": metadata}), tmp_path / "labels.parquet")
    assert load(tmp_path, ORDINAL).by_id["images/1.png"].label == 2


@pytest.mark.parametrize("words", [("train", "eval", "test"), ("TRAINING", "Val ", "Testing"), ("trn", "dev", "tst")])
def test_words_for_splits_are_read(tmp_path: Path, words: tuple[str, ...]) -> None:
    table = [{**row, "split": words[i // 4]} for i, row in enumerate(rows())]
    dataset = load(write(tmp_path, table), split=SplitColumn(column="split"))
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {"train": 4, "validation": 4, "test": 4}
