import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest
import yaml
from PIL import Image

from blpo.data.dataset import MAX_PROBLEMS, Dataset, load_dataset
from blpo.data.dataset_check import check_dataset
from state.errors import DataError
from state.settings import DataSettings, Settings, SplitColumn, TaskSettings

CHECKOUT = Path(__file__).parents[3]
ORDINAL = TaskSettings(kind="ordinal", min=1, max=3)
HALVES = TaskSettings(kind="categorical", labels=("low", "high"))


def png(shade: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (4, 4), (shade % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def rows(count: int = 12) -> list[dict[str, Any]]:
    return [{"image": f"images/{i}.png", "label": str(i % 3 + 1)} for i in range(count)]


def write(folder: Path, table: Iterable[Mapping[str, Any]], images: int = 12) -> Path:
    """Write a dataset folder with a labels.csv."""
    table = list(table)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for i in range(images):
        (folder / "images" / f"{i}.png").write_bytes(png(i))
    with open(folder / "labels.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]) if table else ["image", "label"])
        writer.writeheader()
        writer.writerows(table)
    return folder


def load(path: Path, task: TaskSettings = ORDINAL, seed: int = 0, **data: Any) -> Dataset:
    return load_dataset(DataSettings(path=str(path), **data), task, seed)


def labels(dataset: Dataset) -> dict[str, Any]:
    return {name: sample.label for name, sample in sorted(dataset.by_id.items())}


def problems(path: Path, task: TaskSettings = ORDINAL, **data: Any) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        load(path, task, **data)
    assert "\n" not in str(caught.value)
    return caught.value.problems


def test_a_folder_is_read_with_stable_ids_and_lazy_images(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, rows()))
    assert labels(dataset) == {row["image"]: int(row["label"]) for row in rows()}
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {"train": 5, "validation": 4, "test": 3}
    sample = dataset.by_id["images/7.png"]
    assert sample.images[0].read() == png(7)
    assert sample.images[0].name == "labels.csv:9: images/7.png"


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
    with pytest.raises(DataError, match=r"^hub:nobody/nothing-there: can't be loaded; it needs the network"):
        load_dataset(DataSettings(path="hub:nobody/nothing-there"), ORDINAL, 0)


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


@pytest.mark.parametrize("good", ["3", 3, 3.0, "3.0", " 3 "])
def test_integers_are_ratings(tmp_path: Path, good: object) -> None:
    table = [{"image": f"images/{i}.png", "label": good if i % 2 else 1} for i in range(12)]
    assert set(labels(load(jsonl(tmp_path, table))).values()) == {1, 3}


@pytest.mark.parametrize(
    "bad", [2.5, "2.5", 7, 0, "", None, "NaN", float("nan"), "inf", True, "1_0", "²", [1], {}, "1e999"]
)
def test_anything_else_is_refused_with_its_row(tmp_path: Path, bad: object) -> None:
    table = [*rows(), {"image": "images/0.png", "label": bad, "id": "x"}]
    assert any(p.startswith("labels.jsonl:13: label ") for p in problems(jsonl(tmp_path, [*table, *table])))


def jsonl(folder: Path, table: list[dict[str, Any]]) -> Path:
    write(folder, rows())
    os.remove(folder / "labels.csv")
    (folder / "labels.jsonl").write_text("\n".join(map(json.dumps, table)))
    return folder


def test_categories_are_compared_by_their_text(tmp_path: Path) -> None:
    cells = [1, "1", 1.0, "0", 0, 0.0] * 2
    table = [{"image": f"images/{i}.png", "label": value} for i, value in enumerate(cells)]
    values = labels(load(jsonl(tmp_path, table), TaskSettings(kind="categorical", labels=("0", "1"))))
    assert Counter(values.values()) == {"0": 6, "1": 6}


def test_booleans_are_categories_by_their_text(tmp_path: Path) -> None:
    table = [{"image": f"images/{i}.png", "label": i % 2 == 0} for i in range(12)]
    values = labels(load(jsonl(tmp_path, table), TaskSettings(kind="categorical", labels=("true", "false"))))
    assert Counter(values.values()) == {"true": 6, "false": 6}


def test_an_unknown_category_names_the_nearest(tmp_path: Path) -> None:
    folder = write(tmp_path, [{**row, "label": "hihg" if i == 4 else "low"} for i, row in enumerate(rows())])
    assert problems(folder, HALVES) == ("labels.csv:6: label hihg is not one of low, high; did you mean 'high'?",)


@pytest.mark.parametrize(("threshold", "low"), [("median", 6), (0.5, 3), (10, 11)])
def test_a_threshold_cuts_numbers_in_two(tmp_path: Path, threshold: Any, low: int) -> None:
    cells = [-3, -2, -1, 1, 2, 3, 4.5, 5, 6, 7, 8, 11]
    folder = write(tmp_path, [{**row, "label": value} for row, value in zip(rows(), cells, strict=True)])
    values = labels(load(folder, HALVES, threshold=threshold, split={"train": 8, "validation": 2, "test": 2}))
    assert Counter(values.values()) == {"low": low, "high": 12 - low}


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


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    folder = write(tmp_path, [*rows(), {"image": "pipe.png", "label": 1}])
    os.mkfifo(folder / "pipe.png")
    assert "is not a file" in problems(folder)[0]


def test_links_inside_the_folder_are_followed(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", [*rows(), {"image": "link.png", "label": 1}])
    (folder / "link.png").symlink_to(folder / "images" / "5.png")
    assert load(folder).by_id["link.png"].images[0].read() == png(5)


def test_all_problems_are_collected_up_to_a_bound(tmp_path: Path) -> None:
    table = [*rows(), *({"image": "images/0.png", "label": 9} for _ in range(150))]
    lines = problems(write(tmp_path, table))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[0] == "labels.csv:14: label 9 is not an integer from 1 to 3"
    assert lines[-1] == "and 50 more"


def test_a_row_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    table = [
        {"image": "images/0.png", "label": 1, "text": "two\nlines"},
        {"image": "images/1.png", "label": 9, "text": ""},
    ]
    assert problems(write(tmp_path, table)) == ("labels.csv:4: label 9 is not an integer from 1 to 3",)


def test_duplicate_ids_are_refused(tmp_path: Path) -> None:
    assert problems(write(tmp_path, [*rows(), rows()[3]])) == (
        "labels.csv:14: id images/3.png is also that of labels.csv:5; "
        "give each row an id of its own in a column named id",
    )


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("labels.csv", b"image,label\nimages/0.png\n", "labels.csv:2: has 1 fields, the header has 2"),
        ("labels.csv", b"image,image\n", "has the column 'image' twice"),
        ("labels.csv", b"", "is empty"),
        ("labels.csv", b"image;label\nimages/0.png;1,5\n", "separates its columns by semicolons (image;label)"),
        ("labels.csv", b"image\tlabel\nimages/0.png\t1\n", "separates its columns by tabs ('image\\tlabel')"),
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


def test_a_missing_or_foreign_path_is_refused(tmp_path: Path) -> None:
    assert "does not exist" in problems(tmp_path / "nothing")[0]
    assert "holds no labels.csv" in problems(tmp_path)[0]
    (tmp_path / "labels.txt").write_text("")
    assert "is no labels file" in problems(tmp_path / "labels.txt")[0]
    (tmp_path / "labels.csv").write_text("image,label\n")
    (tmp_path / "labels.jsonl").write_text("")
    assert "name one of them" in problems(tmp_path)[0]


def test_one_class_only_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, [{**row, "label": 2} for row in rows()])
    assert problems(folder) == ("all 12 labels of the whole set are 2; at least two classes are needed",)


def test_one_class_in_the_train_split_is_refused(tmp_path: Path) -> None:
    table = [{**row, "split": "test" if row["label"] == "1" else "train"} for row in rows()]
    for row in table:
        row["label"] = "2" if row["split"] == "train" else "1"
    assert "of the train split are 2" in problems(write(tmp_path, table), split=SplitColumn(column="split"))[0]


def test_an_empty_split_is_refused(tmp_path: Path) -> None:
    assert "split is empty (2 samples)" in problems(write(tmp_path, rows(2)))[0]
    table = [{**row, "split": "train"} for row in rows()]
    assert "the test split is empty" in problems(write(tmp_path, table), split=SplitColumn(column="split"))[0]


def test_a_split_column_is_followed(tmp_path: Path) -> None:
    names = ["train", "Training", "val", "dev", "valid", "test"] * 2
    table = [{**row, "part": name} for row, name in zip(rows(), names, strict=True)]
    dataset = load(write(tmp_path, table), split=SplitColumn(column="part"))
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {"train": 4, "validation": 6, "test": 2}
    table[2]["part"] = "holdout"
    assert problems(write(tmp_path, table), split=SplitColumn(column="part")) == (
        "labels.csv:4: split holdout is not train, validation or test",
    )


def test_a_group_divided_by_the_table_is_refused(tmp_path: Path) -> None:
    table = [{**row, "split": ("train", "test")[i % 2], "g": f"g{i // 2}"} for i, row in enumerate(rows())]
    (first, *others) = problems(write(tmp_path, table), group="g", split=SplitColumn(column="split"))
    assert first.startswith("labels.csv:3: group g0 is in test here and in train at labels.csv:2")
    assert len(others) == 5


def test_a_limit_draws_by_label(tmp_path: Path) -> None:
    folder = write(tmp_path, rows())
    assert Counter(labels(load(folder, limit=9)).values()) == {1: 3, 2: 3, 3: 3}
    assert labels(load(folder, limit=99)) == labels(load(folder))


def test_the_fingerprint_follows_what_matters(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a", rows()))
    moved = load(write(tmp_path / "b", rows()))
    assert first.fingerprint == moved.fingerprint
    assert first.fingerprint != load(tmp_path / "a", seed=1).fingerprint
    (tmp_path / "b" / "images" / "3.png").write_bytes(png(200))
    assert load(tmp_path / "b").fingerprint != first.fingerprint
    changed = [{**row, "label": 3} if i == 0 else row for i, row in enumerate(rows())]
    assert load(write(tmp_path / "c", changed)).fingerprint != first.fingerprint


def test_check_lists_labels_and_images_together(tmp_path: Path) -> None:
    folder = write(tmp_path, [*rows(), {"image": "images/0.png", "label": 9}])
    (folder / "images" / "4.png").write_bytes(png(4)[:40])
    (folder / "images" / "6.png").write_bytes(b"")
    settings = Settings(task=ORDINAL, data=DataSettings(path=str(folder)))
    lines = check_dataset(settings)
    assert [problem.split(": ")[0] for problem in lines] == ["labels.csv:14", "labels.csv:6", "labels.csv:8"]
    assert check_dataset(settings.model_copy(update={"data": DataSettings(path=str(tmp_path / "nothing"))}))
    assert check_dataset(Settings(task=ORDINAL, data=DataSettings(path=str(write(tmp_path / "good", rows()))))) == []


EXAMPLES = sorted((CHECKOUT / "examples").glob("*.yaml"))


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_can_be_loaded(config: Path) -> None:
    settings = Settings.model_validate(yaml.safe_load(config.read_text()))
    if settings.data.path is None:
        assert settings == Settings()
        return
    path = config.parent / settings.data.path
    if not path.exists():
        pytest.skip(f"{path.parent} is not on this machine")
    data = settings.data.model_copy(update={"path": str(path)})
    for seed in range(3):
        dataset = load_dataset(data, settings.task, seed)
        assert len(dataset.by_id) in (145, 600)
        homes = {(sample.group, name) for name, samples in dataset.splits.items() for sample in samples}
        assert len({group for group, _ in homes}) == len(homes)
