"""Datasets: splits, limits, problems and fingerprints."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from blpo.data.dataset import MAX_PROBLEMS, load_dataset
from blpo.data.dataset_check import check_dataset
from blpo.data.pairing import PairingOptions, write_pairs
from state.settings import DataSettings, Settings, SplitColumn
from tests.blpo.data.dataset_folders import ORDINAL, labels, load, png, problems, rows, write

CHECKOUT = Path(__file__).parents[3]


def test_a_folder_is_read_with_stable_ids_and_lazy_images(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, rows()))
    assert labels(dataset) == {row["image"]: int(row["label"]) for row in rows()}
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {"train": 5, "validation": 4, "test": 3}
    sample = dataset.by_id["images/7.png"]
    assert sample.images[0].read() == png(7)
    assert sample.images[0].name == "labels.csv:9: images/7.png"


def test_all_problems_are_collected_up_to_a_bound(tmp_path: Path) -> None:
    table = [*rows(), *({"image": "images/0.png", "label": 9} for _ in range(150))]
    lines = problems(write(tmp_path, table))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[0] == "labels.csv:14: label 9 is not an integer from 1 to 3"
    assert lines[-1] == "and 50 more"


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
    relabelled = [{**row, "label": 3} if i == 0 else row for i, row in enumerate(rows())]
    assert load(write(tmp_path / "c", relabelled)).fingerprint != first.fingerprint


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
RATINGS = CHECKOUT.parent / "shared" / "data" / "avt_ai_images" / "labels_appeal.csv"


@pytest.mark.parametrize("config", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_can_be_loaded(config: Path, tmp_path: Path) -> None:
    settings = Settings.model_validate(yaml.safe_load(config.read_text()))
    if settings.data.path is None:
        assert settings == Settings()
        return
    path = config.parent / settings.data.path
    if settings.task.kind == "pairwise" and RATINGS.exists():  # made as the example says
        path = write_pairs(RATINGS, tmp_path / "pairs", PairingOptions(group="prompt_id", least=0.3)).folder / path.name
    if not path.exists():
        pytest.skip(f"{path.parent} is not on this machine")
    data = settings.data.model_copy(update={"path": str(path)})
    for seed in range(3):
        dataset = load_dataset(data, settings.task, seed)
        assert len(dataset.by_id) in (145, 269, 600)
        homes = {(sample.group, name) for name, samples in dataset.splits.items() for sample in samples}
        assert len({group for group, _ in homes}) == len(homes)
