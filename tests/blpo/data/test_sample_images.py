"""Several images with one label: columns, lists and folders in cells, groups, fingerprints, and settings."""

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from blpo.config.config_hash import config_hash
from blpo.config.settings_file import load_settings
from blpo.costs.call_sizes import long_replies
from blpo.costs.workload import workload_of
from blpo.data.dataset import Dataset, most_images_of
from blpo.data.image_folders import in_order
from state.errors import ConfigError
from state.settings import SplitColumn
from tests.blpo.data.dataset_folders import load, png, problems, write

NUMBERED = ("Image 1", "Image 2", "Image 3")


def triples(**further: Any) -> list[dict[str, Any]]:
    """Return rows of three images each, in three columns."""
    return [
        {"a": f"{3 * i}.png", "b": f"{3 * i + 1}.png", "c": f"{3 * i + 2}.png", "label": i % 3 + 1, **further}
        for i in range(12)
    ]


def shades(dataset: Dataset) -> dict[str, list[bytes]]:
    return {sample.id: [source.read() for source in sample.images] for sample in dataset.by_id.values()}


def as_lists(count: int = 12) -> list[dict[str, Any]]:
    """Return rows of one to three images in a list."""
    return [
        {"id": f"s{i}", "frames": [f"{3 * i + n}.png" for n in range(1 + i % 3)], "label": i // 4 % 3 + 1}
        for i in range(count)
    ]


def encoded(row: dict[str, Any]) -> list[bytes]:
    return [png(int(name.removesuffix(".png"))) for name in row["frames"]]


def test_columns_are_one_sample_in_order(tmp_path: Path) -> None:
    folder = write(tmp_path, triples(), 36)
    dataset = load(folder, image=("c", "a", "b"))
    sample = dataset.by_id["11.png|9.png|10.png"]
    assert [source.read() for source in sample.images] == [png(11), png(9), png(10)]
    assert sample.image_names == NUMBERED
    named = load(folder, image=("a", "b", "c"), image_names=("front", "side", "top"))
    assert named.by_id["9.png|10.png|11.png"].image_names == ("front", "side", "top")


@pytest.mark.parametrize(("names", "shown"), [(None, ()), ((), NUMBERED[:2]), (("front", "side"), ("front", "side"))])
def test_two_columns_have_names_if_the_config_says_so(tmp_path: Path, names: Any, shown: tuple[str, ...]) -> None:
    dataset = load(write(tmp_path, triples(), 36), image=("a", "b"), image_names=names)
    assert {sample.image_names for sample in dataset.by_id.values()} == {shown}


@pytest.mark.parametrize("form", ["json", "jsonl", "paths", "bytes", "structs", "saved"])
def test_a_cell_holds_a_list_of_differing_length(tmp_path: Path, form: str) -> None:
    table, folder = as_lists(), write(tmp_path / "set", triples(), 36)
    if form == "json":
        write(folder, [row | {"frames": json.dumps(row["frames"])} for row in table], 36)
    elif form == "jsonl":
        (folder / "labels.csv").unlink()
        (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, table)))
    else:
        (folder / "labels.csv").unlink()
        frames: dict[str, list[Any]] = {
            "paths": [row["frames"] for row in table],
            "bytes": [encoded(row) for row in table],
            "structs": [[{"bytes": data, "path": None} for data in encoded(row)] for row in table],
        }
        columns = {name: [row[name] for row in table] for name in ("id", "label")}
        if form == "saved":
            images = datasets.Features(
                {
                    "frames": datasets.List(datasets.Image()),
                    "id": datasets.Value("string"),
                    "label": datasets.Value("int64"),
                }
            )
            rows = {**columns, "frames": frames["structs"]}
            datasets.Dataset.from_dict(rows, features=images).save_to_disk(tmp_path / "saved")
            folder = tmp_path / "saved"
        else:
            content = pyarrow.table({**columns, "frames": frames[form]})
            pyarrow.parquet.write_table(content, folder / "labels.parquet", row_group_size=5)
    dataset = load(folder, image="frames")
    assert shades(dataset) == {row["id"]: encoded(row) for row in table}
    assert {len(sample.images): sample.image_names for sample in dataset.by_id.values()} == {
        1: (),
        2: NUMBERED[:2],
        3: NUMBERED,
    }
    assert {sample.group for sample in dataset.by_id.values()} == {None}


def test_a_cell_names_a_folder_whose_images_stand_in_order(tmp_path: Path) -> None:
    table = []
    for i in range(12):
        place = tmp_path / "images" / f"clip {i}"
        place.mkdir(parents=True)
        for n in range(9, 9 + 2 + i % 3):
            (place / f"frame{n}.png").write_bytes(png(10 * i + n))
        (place / "notes.txt").write_text("no image")
        table.append({"image": f"clip {i}", "label": i % 3 + 1})
    dataset = load(write(tmp_path, table, 0))
    assert shades(dataset)["clip 4"] == [png(49), png(50), png(51)]
    table[3]["image"] = ".."
    table[5]["image"] = "empty"
    (tmp_path / "empty").mkdir()
    assert problems(write(tmp_path, table, 0)) == (
        "labels.csv:5: image path .. leads outside the dataset's folder; write the path without '..'",
        "labels.csv:7: folder empty holds no image",
    )
    assert in_order(["b", "a10", "a9", "a"]) == ["a", "a9", "a10", "b"]


def test_a_faulty_list_is_a_problem_with_its_row(tmp_path: Path) -> None:
    table = [row | {"frames": json.dumps(row["frames"])} for row in as_lists()]
    faulty = ["[]", json.dumps(["0.png"] * 17), '["0.png", 3]', '["0.png", "none.png"]', '["0.png", "../x.png"]', "["]
    for row, cell in zip(table, faulty, strict=False):
        row["frames"] = cell
    assert [line.partition(": ")[2] for line in problems(write(tmp_path, table, 36), image="frames")] == [
        "image is an empty list; name at least one image",
        "has 17 images, and a sample has at most 16; choose 16 of them",
        "image 3 is no path",
        "image none.png does not exist in the dataset's folder",
        "image path ../x.png leads outside the dataset's folder; write the path without '..'",
        "image [ does not exist in the dataset's folder",
    ]
    table = [row | {"frames": json.dumps(["0.png", "1.png"])} for row in as_lists()]
    table[4]["frames"] = "3.png"
    (short,) = problems(write(tmp_path, table, 36), image="frames", image_names=("front", "side"))
    assert short == "labels.csv:6: has 1 image, and data.image_names names 2"


def test_samples_that_share_an_image_are_one_group(tmp_path: Path) -> None:
    table = [row | {"frames": [f"{2 * i}.png", f"{2 * i + 1}.png"]} for i, row in enumerate(as_lists(18))]
    table[1]["frames"][1] = table[0]["frames"][0]
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "copy.png").write_bytes(png(3))
    for row in table:
        row["split"] = "test" if row["id"] in ("s3", "s6", "s9") else "train"
    table[2]["frames"][0] = "copy.png"
    table[1]["frames"][0] = "3.png"
    folder = write(tmp_path, [row | {"frames": json.dumps(row["frames"]), "text": "one"} for row in table], 36)
    dataset = load(folder, image="frames")
    assert {name for name, sample in dataset.by_id.items() if sample.group == "image of s0"} == {"s0", "s1", "s2"}
    assert sum(sample.group is None for sample in dataset.by_id.values()) == 15
    table[3]["frames"][0] = "0.png"
    folder = write(tmp_path, [row | {"frames": json.dumps(row["frames"])} for row in table], 36)
    (warning,) = load(folder, image="frames", split=SplitColumn(column="split")).warnings
    assert warning == "1 image is in several splits of the table, so the test flatters; leave out data.split.column"


def test_the_order_of_images_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = write(tmp_path, triples(), 36)
    orders = load(folder, image=("a", "b", "c")), load(folder, image=("a", "c", "b"))
    assert orders[0].fingerprint != orders[1].fingerprint


def test_names_change_the_hash_and_none_leaves_an_old_hash() -> None:
    choices: tuple[dict[str, list[str] | None], ...] = (
        {},
        {"image_names": None},
        {"image_names": []},
        {"image_names": ["a", "b"]},
    )
    hashes = {config_hash(load_settings({"data": {"path": "x", "image": ["a", "b"], **choice}})) for choice in choices}
    assert len(hashes) == 3


def test_the_most_images_of_a_list_are_found_in_the_dataset(tmp_path: Path) -> None:
    table = [row | {"frames": json.dumps(row["frames"])} for row in as_lists()]
    data = {"path": str(write(tmp_path, table, 36)), "image": "frames"}
    assert most_images_of(load_settings({"data": data})) == 3
    assert most_images_of(load_settings({"data": {**data, "image": ["a", "b", "c"]}})) == 0


@pytest.mark.parametrize(
    ("task", "data", "problem"),
    [
        ({"kind": "pairwise"}, {"image": ["a", "b", "c"]}, "data: a pair needs two columns of images"),
        ({"kind": "pairwise"}, {"image": ["a", "b"], "image_names": ["x", "y"]}, "task.kind: pairwise has own names"),
        ({}, {"image": ["a", "b", "c"], "image_names": ["x", "y"]}, "data.image_names: names 2 of 3 images"),
        ({}, {"image_names": ["x"]}, "data.image_names: names 1 of 1 images"),
        ({}, {"image": ["a"]}, "data.image"),
        ({}, {"image": [f"c{n}" for n in range(17)]}, "data.image"),
        ({}, {"image": ["a", "b"], "image_names": ["x", "X"]}, "two images have one name"),
        ({}, {"image": ["a", "b"], "image_names": ["x", "a\nb"]}, "is no name of an image"),
        ({}, {"image": ["a", "b"], "image_names": ["x", "Reference image"]}, "is the name of an image to compare with"),
    ],
)
def test_settings_that_do_not_fit_are_named(task: dict[str, Any], data: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_settings({"task": task, "data": {"path": "x", **data}})


def test_an_estimate_counts_all_images_and_longer_descriptions(tmp_path: Path) -> None:
    path = str(write(tmp_path, triples(), 36))
    work = {
        count: workload_of(load_settings({"task": {"max": 3}, "data": {"path": path, "image": image}}))
        for count, image in ((1, "a"), (3, ["a", "b", "c"]))
    }
    assert work[3].judge_images == 3 * work[1].judge_images
    assert (work[1].named_images, work[3].named_images) == (0, 3)
    settings = load_settings({"task": {"max": 3}, "data": {"path": path}})
    lengths = [long_replies(settings, images).description for images in (0, 3, 16)]
    assert lengths == [160, 160, 640]
