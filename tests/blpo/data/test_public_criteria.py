"""Public sets with several criteria: columns, splits and configs of prepared folders, and errors of sources."""

import csv
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.config.settings_file import load_settings
from blpo.data.public import Options, load_public, prepare
from blpo.data.public.tf_records import masked_checksum, read_examples
from blpo.data.run_dataset import dataset_of
from state.errors import ConfigError, DataError
from tests import criteria_sources, pair_sources
from tests.criteria_sources import tf_record

SETS = ("agiqa3k", "evalmuse", "richhf18k")


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the sets as downloaded."""
    folder = tmp_path_factory.mktemp("criteria")
    for name in SETS:
        getattr(criteria_sources, name)(folder / name)
    pair_sources.multicrit(folder / "multicrit", prompts=10)
    return folder


def labels(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def prepared(name: str, downloads: Path, out: Path, **options: Any) -> Any:
    prepare(name, downloads / name, out, Options(**options))
    return load_settings(out / "config.yaml")


def test_agiqa3k_has_two_criteria_of_mean_scores(downloads: Path, tmp_path: Path) -> None:
    settings = prepared("agiqa3k", downloads, tmp_path / "set")
    assert settings.task_names == ("quality", "alignment")
    own = settings.of_task("alignment")
    assert (own.data.label, own.task.min, own.task.max, own.task.round) == ("mos_align", 0, 5, "none")
    splits = dataset_of(settings).splits
    rated = {sample.id: sample for samples in splits.values() for sample in samples}
    first = labels(tmp_path / "set")[0]
    assert rated[f"alignment/{first['id']}"].rating == pytest.approx(float(first["mos_align"]))
    assert len(rated) == 2 * 60
    groups = [{sample.text for sample in samples} for samples in splits.values()]
    assert not groups[0] & groups[1] and not groups[1] & groups[2]
    notes = json.loads((tmp_path / "set" / "source.json").read_text())["notes"]
    assert any("no sample of this set" in note for note in notes)


def test_a_single_criterion_is_a_task_of_its_own(downloads: Path, tmp_path: Path) -> None:
    settings = prepared("agiqa3k", downloads, tmp_path / "set", criterion="alignment")
    assert (settings.task_names, settings.data.label) == ((), "mos_align")
    assert "how well the image matches its text" in str(settings.prompts.judge)
    assert len(dataset_of(settings).by_id) == 60
    with pytest.raises(ConfigError, match="--criterion beauty: AGIQA-3K has quality, alignment"):
        load_public("agiqa3k", downloads / "agiqa3k", Options(criterion="beauty"))


def test_evalmuse_keeps_the_ratings_and_the_elements(downloads: Path, tmp_path: Path) -> None:
    settings = prepared("evalmuse", downloads, tmp_path / "set")
    assert (settings.data.label, settings.data.raters.file is not None) == ("mean_score", True)
    row = labels(tmp_path / "set")[1]
    assert (row["mean_score"], row["label"], row["type"]) == ("3.6667", "4", "real")
    assert json.loads(row["elements"]) == {"a lady (human)": 0.6667, "0 (counting)": 0.3333}
    with (tmp_path / "set" / "ratings.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 3 * 60
    assert len(dataset_of(settings).by_id) == 60


def test_richhf18k_takes_scores_from_records_and_images_from_pick_a_pic(downloads: Path, tmp_path: Path) -> None:
    settings = prepared("richhf18k", downloads, tmp_path / "set")
    assert settings.task_names == ("overall", "plausibility", "alignment", "aesthetics")
    rows = labels(tmp_path / "set")
    assert {row["split"] for row in rows} == {"train", "validation", "test"}
    first = next(row for row in rows if row["id"].startswith("00000000"))
    scores = [first[f"{name}_score"] for name in ("aesthetics", "artifact", "misalignment", "overall")]
    assert [float(score) for score in scores] == pytest.approx([1, 1.3333, 1.6667, 2])
    assert (first["text"], first["label"]) == ("caption 0", "2")
    notes = json.loads((tmp_path / "set" / "source.json").read_text())["notes"]
    assert "left out: 6 of 60 images, which are not in the shards" in notes
    assert len(dataset_of(settings).splits["train"]) == 4 * 40


def test_the_criteria_of_multicrit_are_columns_of_one_pair(downloads: Path, tmp_path: Path) -> None:
    settings = prepared("multicrit", downloads, tmp_path / "set", criterion="all", form="reasoning")
    assert settings.task_names == ("grounding", "logic", "hallucination", "exploration", "efficiency")
    assert {settings.of_task(name).task.kind for name in settings.task_names} == {"pairwise"}
    rows = labels(tmp_path / "set")
    assert len(rows) == 10 and len({row["swapped"] for row in rows}) == 2
    for row in rows:
        for name in settings.task_names:
            assert name in row[f"text_{row[name]}"] and name not in row[f"text_{'ab'[row[name] == 'a']}"]
        assert row["label"] == row["grounding"]
    assert len(dataset_of(settings).by_id) == 5 * 10


@pytest.mark.parametrize(
    ("name", "column", "value", "words"),
    [
        ("agiqa3k", "mos_align", "5.2", "data.csv:2: mos_align 5.2 is not a number from 0 to 5"),
        ("evalmuse", "total_score", [3, 6], "train_list.json:1: total_score [3, 6] is no list of integers from 1 to 5"),
        ("evalmuse", "element_score", {"a": 1}, "train_list.json:1: element_score of a is no list of 0 and 1"),
    ],
)
def test_a_faulty_value_is_named_with_its_row(name: str, column: str, value: Any, words: str, tmp_path: Path) -> None:
    folder = getattr(criteria_sources, name)(tmp_path / name, 4)
    if name == "evalmuse":
        rows = json.loads((folder / "train_list.json").read_text())
        rows[0][column] = value
        (folder / "train_list.json").write_text(json.dumps(rows))
    else:
        lines = (folder / "data.csv").read_text().splitlines()
        cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True)) | {column: value}
        (folder / "data.csv").write_text("\n".join([lines[0], ",".join(cells.values()), *lines[2:]]))
    assert [problem.text for problem in load_public(name, folder, Options()).problems] == [words]


def test_richhf18k_names_the_missing_download(downloads: Path, tmp_path: Path) -> None:
    (tmp_path / "train.tfrecord").write_bytes(tf_record({"filename": b"train/x.png"}))
    with pytest.raises(DataError, match="has no parquet shard of Pick-a-Pic v1"):
        load_public("richhf18k", tmp_path, Options())


features = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.one_of(st.binary(max_size=300), st.floats(width=32, allow_nan=False), st.integers(0, 2**63 - 1)),
    max_size=5,
)


@given(st.lists(features, max_size=4))
def test_a_reader_returns_what_was_written(tmp_path_factory: pytest.TempPathFactory, records: list[Any]) -> None:
    file = tmp_path_factory.mktemp("records") / "x.tfrecord"
    file.write_bytes(b"".join(map(tf_record, records)))
    assert list(read_examples(file)) == records


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-9], lambda data: b"\x01" + data[1:], lambda data: b"PK\x03\x04" + data]
)
def test_a_damaged_file_is_named(damage: Any, tmp_path: Path) -> None:
    file = tmp_path / "x.tfrecord"
    file.write_bytes(damage(tf_record({"a": b"text" * 9})))
    with pytest.raises(DataError, match=r"x\.tfrecord: can't be read as a TFRecord file after 0 records"):
        list(read_examples(file))


def test_the_checksum_is_that_of_the_format() -> None:
    """The check value of CRC-32C, and its masked form for eight zero bytes (a known file of TensorFlow)."""
    crc = (masked_checksum(b"123456789") - 0xA282EAD8) & 0xFFFFFFFF
    assert (crc << 15 | crc >> 17) & 0xFFFFFFFF == 0xE3069283
    assert struct.pack("<I", masked_checksum(bytes(8))) != bytes(4)
