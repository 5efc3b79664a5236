"""Labels in forms that are not read: a sentence with the way out, and never an empty labels.csv beside them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import datasets
import pytest

from blpo.cli.main import main
from blpo.data.tables import open_table
from state.errors import DataError
from tests.blpo.data.dataset_folders import png

ROW = {"image": "images/0.png", "label": "good"}


def coco(file: str) -> Callable[[Path], None]:
    content = {"images": [{"id": 1, "file_name": "images/0.png"}], "annotations": [], "categories": []}
    return lambda folder: write(folder / file, json.dumps(content))


def write(file: Path, text: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def of_json(file: str, *rows: object) -> Callable[[Path], None]:
    text = json.dumps(rows) if file.endswith(".json") else "".join(json.dumps(row) + "\n" for row in rows)
    return lambda folder: write(folder / file, text)


def of_text(file: str, text: str | bytes) -> Callable[[Path], None]:
    return lambda folder: write(folder / file, text)


CHOICE = {"from_name": "label", "type": "choices", "value": {"choices": ["good"]}}
FORMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "coco": (coco("instances.json"), "instances.json: is an export in COCO's format"),
    "coco below": (coco("annotations/instances.json"), "annotations/instances.json: is an export in COCO's format"),
    "coco as labels": (coco("labels.json"), "labels.json: is an export in COCO's format"),
    "label studio": (
        of_json("export.json", {"data": {"image": "/data/upload/0.png"}, "annotations": [{"result": [CHOICE]}]}),
        "export.json: is an export of Label Studio; export CSV",
    ),
    "labelbox": (of_json("l.ndjson", {"data_row": {"id": "c1"}, "projects": {}}), "l.ndjson: is an export of Labelbox"),
    "argilla": (
        of_json("labels.jsonl", {"fields": {"image": "images/0.png"}, "responses": {"label": []}}),
        "labels.jsonl: is an export of Argilla",
    ),
    "via": (
        of_text("via.json", json.dumps({"0.png12": {"filename": "0.png", "regions": []}})),
        "via.json: is an export of VGG Image Annotator",
    ),
    "cvat": (of_text("annotations.xml", "<?xml?><annotations></annotations>"), "is an export of CVAT; export the task"),
    "voc": (of_text("images/0.xml", "<annotation></annotation>"), "images/0.xml: is an annotation of objects"),
    "excel": (of_text("ratings.xlsx", b"PK\x03\x04"), "ratings.xlsx: is a spreadsheet; save the sheet with the labels"),
    "excel as csv": (of_text("labels.csv", b"PK\x03\x04\x14\0\xff"), "labels.csv: is a spreadsheet;.* the suffix"),
    "old excel as csv": (of_text("labels.csv", b"\xd0\xcf\x11\xe0\xa1\xb1"), "labels.csv: is a spreadsheet"),
    "gzip as csv": (of_text("labels.csv", b"\x1f\x8b\x08\0"), "labels.csv: is compressed; unpack the file"),
    "gzip": (of_text("labels.csv.gz", b"\x1f\x8b\x08\0"), "labels.csv.gz: is compressed; unpack the file"),
    "feather": (of_text("labels.feather", b"ARROW1"), "labels.feather: is a table in a form that is not read"),
    "chat": (of_json("train.jsonl", {"messages": [], "images": ["0.png"]}), "train.jsonl: is training data for a chat"),
    "list": (of_text("labels.txt", "images/0.png good\n"), "labels.txt: is no table; write a labels.csv"),
    "shards": (of_text("parts/train-00000-of-00001.parquet", b"PAR1"), "-of-00001.parquet: is a part of a dataset"),
    "tar": (of_text("train-0000.tar", b"x"), "train-0000.tar: is an archive; unpack the images"),
    "object of objects": (of_text("labels.json", '{"a": {"b": 1}}'), "labels.json: is no table; expected a list"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_labels_in_another_form_are_named(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, message = FORMS[form]
    for i in range(4):
        write(tmp_path / "set" / "images" / f"{i}.png", png(i))
    make(tmp_path / "set")
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 2
    err = capsys.readouterr().err
    assert re.search(message, err) and err.count("\n") == 1
    assert not (tmp_path / "judge").exists()
    assert form.endswith("csv") or not (tmp_path / "set" / "labels.csv").exists()


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.ods", "labels.sqlite", "labels.pkl", "labels.txt"])
def test_a_named_file_in_another_form_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, b"PK\x03\x04")
    with pytest.raises(DataError, match=f"{name}: is (a spreadsheet|a table in a form|a database|no labels file)"):
        open_table(str(tmp_path / name))


def test_other_files_beside_images_are_no_labels(tmp_path: Path) -> None:
    for i in range(4):
        write(tmp_path / "set" / f"{i}.png", png(i))
    write(tmp_path / "set" / "images.zip", b"PK\x03\x04")
    write(tmp_path / "set" / "Thumbs.db", b"\xd0\xcf\x11\xe0")
    write(tmp_path / "set" / "settings.json", '{"version": 2, "names": ["a", "b"]}')
    write(tmp_path / "set" / "broken.json", "{")
    write(tmp_path / "set" / "LICENSE.txt", "Do as you like.")
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 0
    assert (tmp_path / "set" / "labels.csv").exists()


def test_files_with_the_names_of_images_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(4):
        write(tmp_path / "set" / "images" / f"{i}.png", png(i))
        write(tmp_path / "set" / "labels" / f"{i}.txt", "0 0.5 0.5 0.1 0.1")
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert "warning: 4 files with the names of images are not read (labels/0.txt, labels/1.txt, labels/2.txt and" in err


def test_tables_of_any_name_in_folders_of_splits_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "test"):
        write(tmp_path / "set" / split / "0.png", png(0))
        write(tmp_path / "set" / split / "_classes.csv", "filename,cat,dog\n0.png,1,0\n")
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 2
    assert "several tables with images (test/_classes.csv, train/_classes.csv)" in capsys.readouterr().err


def test_a_saved_dataset_is_no_binary_table(tmp_path: Path) -> None:
    rows = {"image": [{"bytes": png(i), "path": None} for i in range(12)], "label": ["good", "bad"] * 6}
    datasets.Dataset.from_dict(rows).save_to_disk(str(tmp_path / "set"))
    assert main(["init", str(tmp_path / "judge"), "--data", str(tmp_path / "set"), "--yes"]) == 0


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([ROW]),
        json.dumps({"data": [ROW], "version": 1}),
        json.dumps({"images/0.png": "good"}),
        json.dumps(ROW) + "\n" + json.dumps(ROW) + "\n",
    ],
)
def test_forms_of_json_are_read(text: str, tmp_path: Path) -> None:
    write(tmp_path / "labels.json", text)
    table = open_table(str(tmp_path))
    assert (table.values("image")[0], table.values("label")[0]) == ("images/0.png", "good")


def test_ndjson_is_jsonl(tmp_path: Path) -> None:
    write(tmp_path / "set.ndjson", json.dumps(ROW) + "\n\n[1]\n")
    table = open_table(str(tmp_path / "set.ndjson"))
    assert list(table.values("label")) == ["good"]
    assert table.problems == ("set.ndjson:3: is not a JSON object ([1])",)
