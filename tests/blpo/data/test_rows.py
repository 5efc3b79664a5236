"""Rows: columns, ids, image paths and groups."""

import os
from pathlib import Path
from typing import Any

import pytest

from state.settings import SplitColumn
from tests.blpo.data.dataset_folders import load, png, problems, rows, write


def test_optional_columns_and_mapping(tmp_path: Path) -> None:
    table = [
        {"file": f"{i}.png", "y": i % 3 + 1, "caption": "" if i == 0 else f"a {i}", "n": i, "prompt": f"p{i // 2}"}
        for i in range(12)
    ]
    folder = write(tmp_path, table)
    dataset = load(folder, image="file", label="y", text="caption", id="n", group="prompt")
    assert dataset.by_id["0"].text is None
    assert (dataset.by_id["5"].text, dataset.by_id["5"].group) == ("a 5", "p2")
    assert dataset.by_id["5"].images[0].read() == png(5)


def test_text_and_id_columns_are_found_by_their_names(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, [{**row, "id": f"n{i}", "text": "t"} for i, row in enumerate(rows())]))
    assert dataset.by_id["n3"].text == "t"


def test_pairs_have_two_images(tmp_path: Path) -> None:
    table = [{"a": f"{i}.png", "b": f"{11 - i}.png", "label": i % 3 + 1} for i in range(12)]
    dataset = load(write(tmp_path, table), image=("a", "b"))
    sample = dataset.by_id["3.png|8.png"]
    assert [source.read() for source in sample.images] == [png(3), png(8)]


def test_a_missing_column_names_those_there_and_the_nearest(tmp_path: Path) -> None:
    folder = write(tmp_path, [{"image": row["image"], "Lable": row["label"]} for row in rows()])
    assert problems(folder) == (
        "labels.csv: has no column 'label' (data.label); did you mean 'Lable'? Columns: image, Lable",
    )
    assert problems(folder, image="picture", label="Lable") == (
        "labels.csv: has no column 'picture' (data.image); columns: image, Lable",
    )
    for setting in ("text", "id", "group"):
        mapping: dict[str, Any] = {"label": "Lable", setting: "nothing"}
        assert f"(data.{setting})" in problems(folder, **mapping)[0]
    assert "(data.split.column)" in problems(folder, label="Lable", split=SplitColumn(column="part"))[0]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("../outside.png", "leads outside"),
        ("images/../../outside.png", "leads outside"),
        ("/etc/hostname", "is absolute"),
        ("C:\\x.png", "is absolute"),
        ("..\\x.png", "leads outside"),
        ("https://example.org/x.png", "is a URL"),
        ("data:image/png;base64,AAAA", "is a URL"),
        ("images/nothing.png", "does not exist"),
        ("images", "is not a file"),
        ("link.png", "leads outside"),
        ("linked/outside.png", "leads outside"),
        ("", "is no path"),
    ],
)
def test_images_stay_inside_the_folder(tmp_path: Path, path: str, complaint: str) -> None:
    (tmp_path / "outside.png").write_bytes(png(0))
    folder = write(tmp_path / "set", [*rows(), {"image": path, "label": 1}])
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "linked").symlink_to(tmp_path)
    (problem,) = problems(folder)
    assert problem.startswith("labels.csv:14: image ") and complaint in problem


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("images/dusk.png", "images\\dusk.png"),
        ("images/dusk.png", " images/dusk.png\u00a0"),
        ("images/du sk.png", "images/du\u00a0sk.png"),
        ("images/cafe\u0301.png", "images/caf\u00e9.png"),
        ("images/caf\u00e9.png", "cafe\u0301.png"),
        ("images/dusk-1.png", "images/dusk\u20111.png"),
        ("images/DUSK.PNG", "Images/dusk.png"),
        ("images/a b /dusk.png", "images/a b/dusk.png"),
    ],
)
def test_a_name_that_looks_equal_is_found(tmp_path: Path, file: str, path: str) -> None:
    folder = write(tmp_path, [*rows(), {"image": path, "label": 1}])
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_bytes(png(77))
    assert load(folder).by_id[path].images[0].read() == png(77)


def test_a_name_like_several_files_is_not_guessed(tmp_path: Path) -> None:
    folder = write(tmp_path, [*rows(), {"image": "DUSK.png", "label": 1}])
    for name in ("dusk.png", "Dusk.png"):
        (folder / "images" / name).write_bytes(png(77))
    assert problems(folder) == (
        "labels.csv:14: image DUSK.png could be Dusk.png and dusk.png; write the path as the file's name",
    )
    (folder / "images" / "DUSK.png").write_bytes(png(78))
    assert load(folder).by_id["DUSK.png"].images[0].read() == png(78)


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    folder = write(tmp_path, [*rows(), {"image": "pipe.png", "label": 1}])
    os.mkfifo(folder / "pipe.png")
    assert "is not a file" in problems(folder)[0]


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [*rows(), {"image": "link.png", "label": 1}])
    (folder / "link.png").symlink_to(folder / "images" / "5.png")
    assert load(folder).by_id["link.png"].images[0].read() == png(5)


def test_duplicate_ids_are_refused(tmp_path: Path) -> None:
    assert problems(write(tmp_path, [*rows(), rows()[3]])) == (
        "labels.csv:14: id images/3.png is also the id of labels.csv:5; give every row its own id in a column named id"
        " (an image stays one group)",
    )


def test_a_group_divided_by_the_table_is_refused(tmp_path: Path) -> None:
    table = [{**row, "split": ("train", "test")[i % 2], "g": f"g{i // 2}"} for i, row in enumerate(rows())]
    (first, *others) = problems(write(tmp_path, table), group="g", split=SplitColumn(column="split"))
    assert first.startswith("labels.csv:3: group g0 is in test here and in train at labels.csv:2")
    assert len(others) == 5


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("3.png", "does not exist in the dataset's folder"),
        ("photos/3", "does not exist in the dataset's folder"),
        ("other%20place/3.PNG", "does not exist in the dataset's folder"),
        (r"C:\Users\ada\3.png", "is absolute; write the path relative to the dataset's folder"),
        ("/data/upload/3.png", "is absolute; write the path relative to the dataset's folder"),
    ],
)
def test_the_only_file_of_the_name_is_a_hint(path: str, reason: str, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "set", [{**row, "image": path if i == 3 else row["image"]} for i, row in enumerate(rows())]
    )
    (folder / "images" / "3.png").unlink()
    (folder / "shots" / "day 1").mkdir(parents=True)
    (folder / "shots" / "day 1" / "3.png").write_bytes(png(3))
    (line,) = problems(folder)
    assert line.startswith("labels.csv:5: image ") and line.endswith(f"{reason}; did you mean 'shots/day 1/3.png'?")
    (folder / "shots" / "3.png").write_bytes(png(4))  # two files of the name are no hint
    assert problems(folder)[0].endswith(reason)


def test_text_formulas_of_spreadsheets_are_texts(tmp_path: Path) -> None:
    table = [{"id": f'="{i:03}"', "image": f"images/{i}.png", "label": f'="{i % 3 + 1}"'} for i in range(12)]
    assert set(load(write(tmp_path, table)).by_id) == {f"{i:03}" for i in range(12)}
    table[4]["id"] = '="a ""b"""'
    table[5]["id"] = "=1+1"
    assert {'a "b"', "=1+1"} <= set(load(write(tmp_path, table)).by_id)
