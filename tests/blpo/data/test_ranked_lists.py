"""Rows of a group become one sample: a ranking of the group's images."""

from pathlib import Path

import pytest

from blpo.config.settings_file import load_settings
from blpo.data.dataset import Dataset, load_dataset
from blpo.data.dataset_check import check_dataset
from state.errors import ConfigError, DataError
from state.ranking import permutation_of
from state.sample import Sample
from state.settings import DataSettings, TaskSettings
from tests.public_sources import noisy_image, write_csv

RANKS = TaskSettings(kind="ranking", best="lowest")
RATINGS = TaskSettings(kind="ranking", best="highest")
Rows = list[dict[str, object]]


def rows_of(lists: int, ranks: tuple[object, ...] = (2, 1, 2)) -> Rows:
    return [
        {"image": f"images/{n}-{i}.png", "list": f"prompt {n}", "label": rank, "text": f"A cat, {n}."}
        for n in range(lists)
        for i, rank in enumerate(ranks)
    ]


def dataset(folder: Path, rows: Rows, task: TaskSettings = RANKS, **data: object) -> Dataset:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(dict.fromkeys(str(row["image"]) for row in rows)):
        (folder / name).write_bytes(noisy_image(number))
    write_csv(folder / "labels.csv", rows)
    return load_dataset(DataSettings(path=str(folder), group="list", **data), task, seed=0)  # type: ignore[arg-type]


def images_of(sample: Sample) -> list[bytes]:
    return [image.read() for image in sample.images]


def test_a_group_is_a_sample_with_all_images(tmp_path: Path) -> None:
    lists = dataset(tmp_path, rows_of(12)).by_id
    assert len(lists) == 12
    sample = lists["prompt 3"]
    images = images_of(sample)
    assert sorted(images) == sorted(noisy_image(number) for number in (9, 10, 11))
    best = images.index(noisy_image(10)) + 1
    assert sample.text == "A cat, 3." and sample.label == f"{best}>" + "=".join(str(i) for i in (1, 2, 3) if i != best)


@pytest.mark.parametrize(("task", "order"), [(RANKS, (1, 2, 0)), (RATINGS, (0, 2, 1))])
def test_best_tells_ranks_from_ratings(tmp_path: Path, task: TaskSettings, order: tuple[int, ...]) -> None:
    for n, sample in enumerate(dataset(tmp_path, rows_of(8, (3.5, 1, "2")), task).by_id.values()):
        ranked = [images_of(sample)[place - 1] for place in permutation_of(str(sample.label))]
        number = int(sample.id.removeprefix("prompt "))
        assert ranked == [noisy_image(3 * number + i) for i in order], n


def test_the_place_of_an_image_tells_nothing(tmp_path: Path) -> None:
    """A table sorted by rank, or in another order of rows, gives the same lists."""
    rows = rows_of(40, (1, 2, 3))
    sorted_lists = dataset(tmp_path / "sorted", rows).by_id
    labels = [str(sample.label) for sample in sorted_lists.values()]
    assert all(8 <= sum(label[0] == place for label in labels) <= 20 for place in "123")
    others = dataset(tmp_path / "reversed", rows[::-1]).by_id
    assert {name: sample.label for name, sample in others.items()} == {n: s.label for n, s in sorted_lists.items()}


def test_lists_without_an_order_are_left_out_with_a_warning(tmp_path: Path) -> None:
    rows = rows_of(8)
    rows += [{"image": "images/alone.png", "list": "alone", "label": 1, "text": ""}]
    rows += [{"image": f"images/tied-{i}.png", "list": "tied", "label": 2, "text": ""} for i in range(3)]
    loaded = dataset(tmp_path, rows)
    assert len(loaded.by_id) == 8
    assert "2 groups have one image or equal ranks alone, so no order: left out (alone, tied)" in loaded.warnings


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"label": "good"}, "labels.csv:3: label good is not a rank or a rating, and so a number"),
        ({"label": ""}, "labels.csv:3: label is missing; expected a rank or a rating"),
        ({"list": ""}, "labels.csv:3: group is missing; name the image's list"),
        ({"text": "A dog."}, "labels.csv:3: text differs from labels.csv:2, and both are in group prompt 0; keep one"),
        ({"image": "images/0-0.png"}, "labels.csv:3: images/0-0.png is also at labels.csv:2, in group prompt 0"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    rows = rows_of(8)
    rows[1] |= change
    with pytest.raises(DataError, match=r"labels\.csv:3") as error:
        dataset(tmp_path, rows)
    assert any(line.startswith(problem) for line in error.value.problems)


def test_unlabelled_images_can_be_left_out(tmp_path: Path) -> None:
    rows = rows_of(8, (3, 1, "NA", 2))
    loaded = dataset(tmp_path, rows, unlabelled="skip")
    assert {len(sample.images) for sample in loaded.by_id.values()} == {3}
    assert any(line.startswith("8 rows without a label are left out") for line in loaded.warnings)


def test_nine_images_are_refused_with_advice(tmp_path: Path) -> None:
    assert len(dataset(tmp_path, rows_of(4, tuple(range(8)))).by_id) == 4
    message = "group prompt 0 has 9 images, and a ranking has at most 8; divide the group, or make pairs of it"
    with pytest.raises(DataError, match=message):
        dataset(tmp_path, rows_of(4, tuple(range(9))))


def test_slices_of_a_list_are_the_common_values(tmp_path: Path) -> None:
    rows = [row | {"kind": "animal", "model": f"m{i % 3}"} for i, row in enumerate(rows_of(8))]
    sample = dataset(tmp_path, rows, slices=("kind", "model")).by_id["prompt 0"]
    assert sample.slices == (("kind", "animal"), ("model", "(several)"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": {"kind": "ranking"}, "data": {"group": "list"}}, "best is missing; set lowest for ranks"),
        ({"task": {"best": "lowest"}}, "best belongs to kind: ranking"),
        ({"task": {"kind": "ranking", "best": "lowest", "order": "one"}}, "is one of both, apart, pairs"),
        (
            {"task": {"kind": "ranking", "best": "lowest", "order": "pairs"}, "data": {"group": "list"}},
            "pairs ranks without a search, for comparison; set search.outer_rounds: 0",
        ),
        ({"task": {"kind": "ranking", "best": "lowest", "labels": ["a", "b"]}}, "labels belongs to kind: categorical"),
        ({"task": {"kind": "ranking", "best": "lowest"}, "data": {}}, "data.group: is missing; name the column"),
        (
            {"task": {"kind": "ranking", "best": "lowest"}, "data": {"group": "list", "image": ["a", "b"]}},
            "data.image: a ranking has one image a row",
        ),
        (
            {"task": {"kind": "ranking", "best": "lowest"}, "data": {"group": "list", "raters": {"by": "who"}}},
            "data.raters: a ranking has one rank or rating an image",
        ),
        (
            {
                "task": {"kind": "ranking", "best": "lowest"},
                "data": {"group": "list"},
                "search": {"metric": "accuracy"},
            },
            "accuracy is no metric of rankings; the metrics are kendall_tau_b, ndcg, top_1",
        ),
        ({"search": {"metric": "ndcg"}}, "ndcg needs a ranking"),
    ],
)
def test_settings_of_a_ranking_are_checked(settings: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings({**settings, "data": {"path": "x", **settings.get("data", {})}})


def test_a_ranking_is_selected_by_tau_unless_set() -> None:
    settings = {"task": {"kind": "ranking", "best": "lowest"}, "data": {"path": "x", "group": "list"}}
    assert load_settings(settings).search.metric == "kendall_tau_b"
    assert load_settings(settings, ["search.metric=top_1"]).search.metric == "top_1"


def test_check_reads_every_image_of_a_list(tmp_path: Path) -> None:
    dataset(tmp_path, rows_of(8))
    (tmp_path / "images" / "2-1.png").write_bytes(b"no image")
    task = {"kind": "ranking", "best": "lowest"}
    settings = load_settings({"task": task, "data": {"path": str(tmp_path), "group": "list"}})
    problems = check_dataset(settings)
    assert len(problems) == 1 and "2-1.png" in problems[0]


def test_lists_with_a_common_image_are_in_one_split(tmp_path: Path) -> None:
    rows = rows_of(20)
    for row in rows[::3]:
        row["image"] = f"images/common-{int(str(row['list'])[7:]) // 5}.png"
    splits = dataset(tmp_path, rows).splits
    for first in range(0, 20, 5):
        names = {f"prompt {n}" for n in range(first, first + 5)}
        assert sum(bool(names & {sample.id for sample in split}) for split in splits.values()) == 1


def test_lists_of_one_text_are_in_one_split(tmp_path: Path) -> None:
    rows = [row | {"text": f"A cat, {int(str(row['list'])[7:]) // 4}."} for row in rows_of(20)]
    splits = dataset(tmp_path, rows).splits
    for first in range(0, 20, 4):
        names = {f"prompt {n}" for n in range(first, first + 4)}
        assert sum(bool(names & {sample.id for sample in split}) for split in splits.values()) == 1
