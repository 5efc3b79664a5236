"""Rows with one image are one group when splits are drawn."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blpo.data.dataset import Dataset
from blpo.data.image_sources import FileImage
from blpo.data.rows import Row
from blpo.data.same_images import join_same_images
from state.sample import Sample
from state.settings import SplitColumn
from tests.blpo.data.dataset_folders import load, png, problems, rows, write


def homes(dataset: Dataset) -> dict[bytes, set[str]]:
    """Return the splits of every image."""
    places: dict[bytes, set[str]] = defaultdict(set)
    for name, samples in dataset.splits.items():
        for sample in samples:
            places[sample.images[0].read()].add(name)
    return places


def annotated(count: int = 12, annotators: int = 3) -> list[dict[str, Any]]:
    """Return rows of several annotators who all rated the same images."""
    return [
        {"id": f"{i}-{by}", "image": f"images/{i}.png", "label": str((i + by) % 3 + 1)}
        for i in range(count)
        for by in range(annotators)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_one_file_stay_together(tmp_path: Path, seed: int) -> None:
    dataset = load(write(tmp_path, annotated()), seed=seed)
    assert all(len(splits) == 1 for splits in homes(dataset).values())
    assert len(dataset.by_id) == 36 and dataset.by_id["3-1"].group == "image of 3-0"
    (warning,) = dataset.warnings
    assert warning.startswith("12 images are in several rows (labels.csv:2 = labels.csv:3 = labels.csv:4, ")
    assert "data.group" in warning


@pytest.mark.parametrize("copy", ["copied", "linked", "hard", "spelled"])
def test_rows_of_equal_bytes_stay_together(tmp_path: Path, copy: str) -> None:
    names = "Images\\{i}.png" if copy == "spelled" else "copies/{i}.png"
    table = [*rows(), *({"image": names.format(i=i), "label": str(i % 3 + 1)} for i in range(12))]
    folder = write(tmp_path, table)
    (folder / "copies").mkdir()
    for i in range(12):
        place, original = folder / "copies" / f"{i}.png", folder / "images" / f"{i}.png"
        if copy == "copied":
            place.write_bytes(original.read_bytes())
        elif copy == "linked":
            place.symlink_to(original)
        else:
            os.link(original, place)
    for seed in range(4):
        dataset = load(folder, seed=seed)
        assert len(dataset.by_id) == 24
        assert all(len(splits) == 1 for splits in homes(dataset).values())


def test_images_of_equal_sizes_and_ends_are_told_apart_by_their_middle(tmp_path: Path) -> None:
    folder = write(tmp_path, rows())
    for i in range(12):
        middle = bytes([i]) * 3000
        (folder / "images" / f"{i}.png").write_bytes(b"x" * 5000 + middle + b"x" * 5000)
    assert load(folder).warnings == ()
    (folder / "images" / "7.png").write_bytes((folder / "images" / "2.png").read_bytes())
    dataset = load(folder)
    assert dataset.by_id["images/7.png"].group == dataset.by_id["images/2.png"].group == "image of images/2.png"


@pytest.mark.parametrize("form", ["bytes", "struct", "paths", "saved"])
def test_equal_cells_stay_together(tmp_path: Path, form: str) -> None:
    write(tmp_path, rows())
    (tmp_path / "labels.csv").unlink()
    shades = [i // 2 for i in range(24)]
    cells: dict[str, list[Any]] = {
        "bytes": [png(shade) for shade in shades],
        "struct": [{"bytes": png(shade), "path": f"{i}.png"} for i, shade in enumerate(shades)],
        "paths": [{"bytes": None, "path": f"images/{shade}.png"} for shade in shades],
    }
    columns = {"image": cells["struct" if form == "saved" else form], "label": [i % 3 + 1 for i in range(24)]}
    if form == "saved":
        features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
        datasets.Dataset.from_dict(columns, features=features).save_to_disk(tmp_path / "set")
    else:
        (tmp_path / "set").mkdir()
        os.rename(tmp_path / "images", tmp_path / "set" / "images")
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "set" / "labels.parquet", row_group_size=5)
    dataset = load(tmp_path / "set")
    assert len(dataset.by_id) == 24 and len(homes(dataset)) == 12
    assert all(len(splits) == 1 for splits in homes(dataset).values())


def test_named_groups_and_images_are_joined(tmp_path: Path) -> None:
    table = [{**row, "id": f"s{i}", "scene": f"g{i // 2}"} for i, row in enumerate(rows())]
    table.append({"id": "again", "image": "images/0.png", "label": "2", "scene": "g3"})
    dataset = load(write(tmp_path, table), group="scene")
    assert [dataset.by_id[name].group for name in ("s0", "s1", "s6", "s7", "again")] == ["g0"] * 5
    assert dataset.by_id["s2"].group == "g1"


def test_pairs_of_the_same_images_are_one_group_in_any_order(tmp_path: Path) -> None:
    table = [
        {"id": f"{a}{b}", "a": f"images/{a}.png", "b": f"images/{b}.png", "label": a // 4 + 1}
        for i in range(0, 12, 2)
        for a, b in ((i, i + 1), (i + 1, i))
    ]
    dataset = load(write(tmp_path, table), image=("a", "b"))
    assert dataset.by_id["45"].group == dataset.by_id["54"].group == "image of 45"
    table.append({"id": "mixed", "a": "images/0.png", "b": "images/2.png", "label": 1})
    assert load(write(tmp_path, table), image=("a", "b")).warnings[-1] == (
        "2 images are in several pairs, and the pairs may be in different splits; name data.group"
    )


def test_splits_of_the_table_stay_and_a_divided_image_is_a_warning(tmp_path: Path) -> None:
    by_annotator = sorted(annotated(), key=lambda row: str(row["id"])[-1])
    table = [{**row, "split": "train" if i < 18 else "test"} for i, row in enumerate(by_annotator)]
    dataset = load(write(tmp_path, table), split=SplitColumn(column="split"))
    assert len(dataset.splits["test"]) == 18
    assert "images are in several splits of the table" in dataset.warnings[1]
    learned = [homes(dataset)[png(i)] for i in range(6)]
    assert all(len(splits - {"test"}) == 1 for splits in learned)


def test_an_image_that_is_gone_is_no_copy(tmp_path: Path) -> None:
    folder = write(tmp_path, [*rows(), {"image": "images/12.png", "label": "1"}])
    assert problems(folder) == ("labels.csv:14: image images/12.png does not exist in the dataset's folder",)


def test_the_fingerprint_without_copies_is_that_of_version_0_1(tmp_path: Path) -> None:
    assert (
        load(write(tmp_path, rows())).fingerprint == "44fe18b0e5284a0a71cc41adaa3e8c7095332b9b88ee948c720b8194cc843a92"
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 8), st.none() | st.sampled_from("ghk")), max_size=30))
def test_no_image_and_no_named_group_is_divided(tmp_path: Path, members: list[tuple[int, str | None]]) -> None:
    table = []
    for i, (shade, group) in enumerate(members):
        (tmp_path / f"{i}.png").write_bytes(png(shade))
        table.append(Row(Sample(f"s{i}", (FileImage(str(tmp_path / f"{i}.png"), ""),), 1, group=group), None, f"{i}"))
    joined, _ = join_same_images(table)
    names = [row.sample.group for row in joined]
    shades = [shade for shade, _ in members]
    for (shade, group), name in zip(members, names, strict=True):
        copies = {other for other, same in zip(names, shades, strict=True) if same == shade}
        mates = {other for other, (_, mate) in zip(names, members, strict=True) if mate == group}
        assert copies == {name}
        assert group is None or mates == {name}
