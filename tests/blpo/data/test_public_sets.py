"""Loaders of the public sets: counts of the real label files, and results for files of the true schema."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from blpo.data.public import Options, load_public
from blpo.data.public.agin import score_class
from blpo.data.public.public_set import PublicSet
from state.errors import ConfigError, DataError
from tests import public_sources as sources

real = pytest.mark.skipif(not sources.SCHEMAS.is_dir(), reason="the real label files are not beside this checkout")


def load(name: str, folder: Path, **options: Any) -> PublicSet:
    return load_public(name, folder, Options(**options))


def problems(loaded: PublicSet) -> list[str]:
    return [problem.text for problem in loaded.problems]


def change_parquet(file: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = pyarrow.parquet.read_table(file).to_pylist()
    change(rows)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)


@real
def test_the_real_seetrue(tmp_path: Path) -> None:
    shutil.copy(sources.SCHEMAS / "seetrue" / "SeeTRUE.csv", tmp_path)
    with (tmp_path / "SeeTRUE.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sources.write_zip(tmp_path / "images.zip", {f"images/{row['image']}": b"" for row in rows})
    loaded = load("seetrue", tmp_path)
    assert not loaded.problems
    assert Counter(record.label for record in loaded.records) == {"match": 3784, "mismatch": 3146}
    assert len({record.group for record in loaded.records}) == len({record.text for record in loaded.records}) == 602
    assert loaded.records[1].label == "match" and loaded.records[1].place == "SeeTRUE.csv:3"


@real
def test_the_real_rankings_of_imagereward(tmp_path: Path) -> None:
    shutil.copy(sources.SCHEMAS / "imagereward" / "test.json", tmp_path)
    rows = json.loads((tmp_path / "test.json").read_text())
    images = [path for row in rows for path in row["generations"]]
    assert (len(rows), len(images)) == (466, 2720)
    sources.write_zip(tmp_path / "test_1.zip", dict.fromkeys(images, b""))
    loaded = load("imagereward", tmp_path, form="pairs")
    assert not loaded.problems
    assert len(loaded.records) == 6399  # pairs of images with different ranks
    assert len({record.extra["prompt_id"] for record in loaded.records}) == 466
    labels = Counter(record.label for record in loaded.records)
    assert abs(labels["a"] - labels["b"]) < 300


@real
def test_the_real_pairs_of_mjbench(tmp_path: Path) -> None:
    rows = []
    for file in (sources.SCHEMAS / "mjbench").glob("*.json"):
        shutil.copy(file, tmp_path)
        rows += json.loads(file.read_text())
    sources.write_zip(tmp_path / "images.zip", {row[name]: b"" for row in rows for name in ("image0", "image1")})
    loaded = load("mjbench", tmp_path)
    assert not loaded.problems
    assert Counter(r.extra["subset"] for r in loaded.records) == {
        "attributes_test": 229,
        "imagereward_actions_test": 20,
    }
    original = Counter("ab".index(str(r.label)) ^ int(str(r.extra["swapped"])) for r in loaded.records)
    assert original == {0: 227, 1: 22}
    assert 100 < Counter(r.label for r in loaded.records)["a"] < 150


@pytest.mark.parametrize(("score", "label"), [(1, 1), (1.79, 1), (1.8, 2), (3, 3), (4.2, 5), ("4.99", 5), (5, 5)])
def test_scores_are_cut_into_classes_of_equal_width(score: object, label: int) -> None:
    assert score_class(score, "MOS_nat", 1, 5) == label


def test_agin_needs_its_scale(tmp_path: Path) -> None:
    folder = sources.agin(tmp_path / "agin", size=10)
    with pytest.raises(ConfigError, match="--scale LOW HIGH is missing"):
        load("agin", folder)
    with pytest.raises(ConfigError, match="below the highest"):
        load("agin", folder, scale=(5, 1))
    labels = [record.label for record in load("agin", folder, scale=(1, 5)).records]
    assert labels == [1, 2, 3, 4, 5] * 2
    assert [r.label for r in load("agin", folder, scale=(1, 5), criterion="technical").records] == [5, 4, 3, 2, 1] * 2
    outside = load("agin", folder, scale=(0, 4))
    assert problems(outside)[0] == "AGIN.csv:6: MOS_nat 4.440 is not a number from 0 to 4 (--scale)"
    with pytest.raises(ConfigError, match=r"--criterion natural: AGIN has naturalness.*did you mean 'naturalness'"):
        load("agin", folder, scale=(1, 5), criterion="natural")


def test_seetrue_names_every_bad_row(tmp_path: Path) -> None:
    folder = sources.seetrue(tmp_path / "set", texts=3, each=4)
    with (folder / "SeeTRUE.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1]["label"] = "2"
    rows[2]["image"] = "../../secret.png"
    rows[3]["image"] = "gone.png"
    rows[4]["image"] = rows[5]["image"]
    rows[6]["text"] = " "
    sources.write_csv(folder / "SeeTRUE.csv", rows)
    loaded = load("seetrue", folder)
    assert problems(loaded) == [
        "SeeTRUE.csv:3: label 2 is not an integer from 0 to 1",
        "SeeTRUE.csv:4: image path ../../secret.png leads outside the dataset's folder; write the path without '..'",
        "SeeTRUE.csv:5: image gone.png does not exist in the dataset's folder (nor in images.zip)",
        "SeeTRUE.csv:8: text is missing",
        "SeeTRUE.csv:7: id id_5_Positional sd_1_4_2.png is also the id of SeeTRUE.csv:6",
    ]
    assert len(loaded.records) == 7
    text = (folder / "SeeTRUE.csv").read_text()
    (folder / "SeeTRUE.csv").write_text(text.replace("original_dataset_id", "dataset_id", 1))
    with pytest.raises(DataError, match=r"SeeTRUE.csv: has no column 'original_dataset_id'.*Columns: image, text"):
        load("seetrue", folder)


def test_unsafebench_is_read_from_all_shards(tmp_path: Path) -> None:
    folder = sources.unsafebench(tmp_path / "set")
    loaded = load("unsafebench", folder)
    assert not loaded.problems
    assert Counter(record.shipped for record in loaded.records) == {"train": 240, "test": 80}
    assert len({record.stratum for record in loaded.records}) == 22
    by_id = {record.id: record for record in loaded.records}
    assert by_id["train-00151"].place == "train-00001-of-00002.parquet:1"
    # Rows are read in any order and from any row group.
    for name in ("train-00240", "train-00151", "test-00080", "train-00190"):
        number = int(name[-5:]) - 1 + (240 if name.startswith("test") else 0)
        label = ("Safe", "Unsafe")[number // 11 % 2]
        assert by_id[name].images[0].read() == sources.noisy_image(number, "JPEG", 10 + 40 * (label == "Unsafe"))
        assert by_id[name].text is None  # people labelled the image alone
    os_file = folder / "data/train-00001-of-00002.parquet"
    os_file.unlink()
    with pytest.raises(DataError, match="has 1 of 2 shards of train"):
        load("unsafebench", folder)


def test_unsafebench_names_bad_rows_and_columns(tmp_path: Path) -> None:
    file = tmp_path / "train.parquet"
    sources.write_images(file, sources.unsafebench_rows(20))
    change_parquet(file, lambda rows: rows[4].update(safety_label="unsafe", category=None))
    assert problems(load("unsafebench", tmp_path)) == ["train.parquet:5: safety_label unsafe is not Safe or Unsafe"]
    change_parquet(file, lambda rows: [row.update(image="a.png") for row in rows])
    with pytest.raises(DataError, match="column 'image' holds string, expected images as bytes"):
        load("unsafebench", tmp_path)
    change_parquet(file, lambda rows: [row.pop("image") for row in rows])
    with pytest.raises(DataError, match=r"train.parquet: has no column 'image'"):
        load("unsafebench", tmp_path)


def test_imagereward_reports_ratings_out_of_range(tmp_path: Path) -> None:
    folder = sources.imagereward(tmp_path / "set", prompts=6, splits=["test"])
    change_parquet(folder / "metadata-test.parquet", lambda rows: rows[5].update(overall_rating=0, fidelity_rating=9))
    loaded = load("imagereward", folder)
    assert problems(loaded) == ["metadata-test.parquet:6: overall_rating 0 is not an integer from 1 to 7"]
    assert "fidelity_rating 9" in problems(load("imagereward", folder, criterion="fidelity"))[0]
    assert not load("imagereward", folder, criterion="alignment").problems
    record = loaded.records[0]
    assert (record.id, record.label, record.text, record.shipped) == ("test-00000", 1, "test prompt 0", "test")
    assert record.images[0].read() == sources.noisy_image(0, "WEBP", 13)


def test_imagereward_tells_missing_archives_once(tmp_path: Path) -> None:
    folder = sources.imagereward(tmp_path / "set", prompts=6, splits=["train", "test"])
    (folder / "images/train/train_2.zip").unlink()
    loaded = load("imagereward", folder)
    assert problems(loaded) == [
        "metadata-train.parquet: 12 rows name images of train_2.zip, which is missing; download the archive"
    ]
    assert (loaded.problems[0].rows, len(loaded.records)) == (12, 36)
    archive = folder / "images/train/train_1.zip"  # unpacked instead
    shutil.unpack_archive(archive, folder / "images/train/train_1")
    archive.unlink()
    assert len(load("imagereward", folder).records) == 36


def test_the_smallest_scale_of_imagereward(tmp_path: Path) -> None:
    folder = sources.imagereward(tmp_path / "set", prompts=6)
    move = lambda rows: [row.update(image_path=row["image_path"].replace("train_2", "train_5")) for row in rows]  # noqa: E731
    change_parquet(folder / "metadata-train.parquet", move)
    loaded = load("imagereward", folder, sample="mt-rl-judge")
    assert not loaded.problems
    assert Counter(record.shipped for record in loaded.records) == {"train": 12, "validation": 24, "test": 24}
    assert loaded.notes[0] == "metadata-train.parquet: 12 rows of 1 other archives belong to larger scales"


def test_pairs_of_imagereward_prefer_the_better_rank(tmp_path: Path) -> None:
    folder = sources.imagereward(tmp_path / "set", prompts=6, splits=["test"])
    loaded = load("imagereward", folder, form="pairs")
    assert len(loaded.records) == 6 * 5  # four images ranked 1, 2, 2, 3: a pair is tied
    rows = pyarrow.parquet.read_table(folder / "metadata-test.parquet").to_pylist()
    rank = {sources.noisy_image(i, "WEBP", 5 + 8 * row["overall_rating"]): row["rank"] for i, row in enumerate(rows)}
    for record in loaded.records:
        first, second = (rank[image.read()] for image in record.images)
        assert record.label == ("a" if first < second else "b")
    assert len({record.label for record in loaded.records}) == 2
    with pytest.raises(ConfigError, match="--criterion does not apply to ImageRewardDB's pairs"):
        load("imagereward", folder, form="pairs", criterion="overall")


def test_rankings_hold_no_ratings(tmp_path: Path) -> None:
    row = {"id": "1-2", "prompt": "a cat", "generations": ["part/images/a.webp", "b.webp"], "ranking": [2, 1]}
    (tmp_path / "test.json").write_text(json.dumps([row, {**row, "id": "3", "ranking": [1]}, 7]))
    sources.write_zip(tmp_path / "test.zip", {"a.webp": b"A", "b.webp": b"B"})
    with pytest.raises(DataError, match=r"test.json holds rankings alone, which --form pairs reads"):
        load("imagereward", tmp_path)
    loaded = load("imagereward", tmp_path, form="pairs")
    assert problems(loaded) == [
        "test.json:3: is not a JSON object (7)",
        "test.json:2: generations and ranking are not two lists of one length",
    ]
    preferred = loaded.records[0].images["ab".index(str(loaded.records[0].label))]
    assert preferred.read() == b"B"


def test_mjbench_keeps_who_is_preferred(tmp_path: Path) -> None:
    folder = sources.mjbench(tmp_path / "set")
    loaded = load("mjbench", folder)
    for i, record in enumerate(loaded.records):
        preferred = record.images["ab".index(str(record.label))].read()
        better = 2 * i + int(i % 10 == 0)
        assert preferred == sources.noisy_image(better, "JPEG", 60 if better % 2 else 20)
    assert 10 < Counter(record.label for record in loaded.records)["a"] < 30
    orders = {tuple(str(r.label) for r in load("mjbench", folder, seed=seed).records) for seed in (0, 0, 1)}
    assert len(orders) == 2
    change_parquet(folder / "data/alignment.parquet", lambda rows: rows[3].update(label=2))
    assert problems(load("mjbench", folder)) == ["alignment.parquet:4: label 2 is not an integer from 0 to 1"]
    about = {"category": "quality", "subcategory": "lighting", "model": "flux"}
    change_parquet(folder / "data/alignment.parquet", lambda rows: [row.update(about, label=0) for row in rows])
    newer = load("mjbench", folder).records[3]  # the columns of a newer version of the set
    assert {name: newer.extra[name] for name in about} == about
    with pytest.raises(ConfigError, match="--subset alignmnt: there are alignment; did you mean 'alignment'"):
        load("mjbench", folder, subsets=("alignmnt",))


@pytest.mark.parametrize(
    ("name", "options"),
    [("seetrue", {"scale": (1, 5)}), ("unsafebench", {"criterion": "x"}), ("mjbench", {"form": "ratings"})],
)
def test_choices_that_do_not_apply_are_refused(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not apply to \w+.*; leave the option out"):
        load(name, tmp_path, **options)


@pytest.mark.parametrize("name", ["agin", "seetrue", "imagereward", "unsafebench", "mjbench"])
def test_an_empty_or_missing_source_is_told(name: str, tmp_path: Path) -> None:
    options = {"scale": (1, 5)} if name == "agin" else {}
    with pytest.raises(DataError, match="has no"):
        load(name, tmp_path, **options)
    with pytest.raises(DataError, match="--source names the folder"):
        load(name, tmp_path / "nowhere", **options)


def test_an_unknown_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"agni: is no public set; the sets are agin, .*did you mean 'agin'"):
        load("agni", tmp_path)
