"""Ratings of several people: long, wide and in a file of their own; ties, faults and slices."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.config.config_hash import config_hash
from blpo.data.aggregation import aggregated
from blpo.data.dataset import read_samples
from blpo.data.run_dataset import dataset_of
from state.errors import DataError
from state.sample import Label, Rating
from state.settings import DataSettings, RaterSettings, Settings, SplitColumn, TaskSettings
from tests.blpo.data.dataset_folders import ORDINAL, load, png, problems, write

SAFETY = TaskSettings(kind="categorical", labels=("unsafe", "safe"))
RATERS = ("ann", "ben", "cem")
VOTES = [("1", "1", "2"), ("3", "3", "3"), ("2", "3", ""), ("1", "2", "3")] * 3


def long_rows(votes: Sequence[Sequence[str]] = VOTES) -> list[dict[str, Any]]:
    return [
        {"image": f"images/{i}.png", "rater": rater, "label": vote}
        for rater, column in zip(RATERS, zip(*votes, strict=True), strict=True)
        for i, vote in enumerate(column)
    ]


def write_csv(file: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def forms(folder: Path) -> list[dict[str, Any]]:
    """Return the settings of the same ratings in four forms, below `folder`."""
    plain = [{"image": f"images/{i}.png", "label": 3} for i in range(12)]
    wide = [{"image": f"images/{i}.png", **dict(zip(RATERS, vote, strict=True))} for i, vote in enumerate(VOTES)]
    long = [{name if name != "label" else "rating": value for name, value in row.items()} for row in long_rows()]
    files = [write_csv(folder / "long.csv", long), write_csv(folder / "wide.csv", wide)]
    return [
        {"path": write(folder / "long", long_rows()), "raters": RaterSettings(by="rater")},
        {"path": write(folder / "wide", wide), "raters": RaterSettings(columns=RATERS)},
        {"path": write(folder / "a", plain), "raters": RaterSettings(file=str(files[0]))},
        {"path": write(folder / "b", plain), "raters": RaterSettings(file=str(files[1]), columns=RATERS)},
    ]


def test_all_forms_give_the_same_samples(tmp_path: Path) -> None:
    for form in forms(tmp_path):
        dataset = load(**form)
        assert len(dataset.by_id) == 12
        assert dataset.by_id["images/0.png"].ratings == tuple(map(Rating, RATERS, (1, 1, 2)))
        assert dataset.by_id["images/2.png"].ratings == tuple(map(Rating, RATERS[:2], (2, 3)))
        labels = [dataset.by_id[f"images/{i}.png"].label for i in range(4)]
        assert labels == [1, 3, 3, 2]
        (ties,) = [line for line in dataset.warnings if "tied" in line]
        assert ties.startswith("3 samples have tied ratings (") and ties.endswith("the median rounded, 3.5 is 4")


@pytest.mark.parametrize(
    ("values", "rule", "task", "expected"),
    [
        ((1, 1, 3), "majority", ORDINAL, (1, None, False)),
        ((1, 3), "majority", ORDINAL, (1, None, True)),
        ((1, 1, 3, 3, 2, 3, 1, 3, 1, 3, 3, 1, 3, 1), "majority", ORDINAL, (3, None, False)),
        ((1, 1, 2, 2, 3), "majority", ORDINAL, (2, None, True)),
        (("safe", "unsafe"), "majority", SAFETY, ("unsafe", None, True)),
        (("safe", "unsafe", "safe"), "majority", SAFETY, ("safe", None, False)),
        ((1, 2), "median", ORDINAL, (2, None, True)),
        ((1, 3), "median", ORDINAL, (2, None, False)),
        ((1, 2), "median", TaskSettings(max=3, round="none"), (2, 1.5, False)),
        ((1, 1, 2), "mean", TaskSettings(max=3, round="nearest"), (1, None, False)),
        ((1, 1, 2), "mean", TaskSettings(max=3, round="none"), (1, 4 / 3, False)),
        ((2.5, 3), "mean", TaskSettings(max=3, round="none"), (3, 2.75, False)),
        ((1, 1.5), "majority", TaskSettings(max=3, round="nearest"), (1, None, True)),
    ],
)
def test_ratings_become_a_label(
    values: tuple[Label | float, ...], rule: Any, task: TaskSettings, expected: tuple[Label, float | None, bool]
) -> None:
    for order in (values, values[::-1]):
        result = aggregated(order, rule, task)
        assert (result.label, result.rating, result.is_tied) == expected


@given(st.lists(st.integers(1, 5), min_size=1, max_size=9), st.sampled_from(["majority", "mean", "median"]))
def test_a_label_lies_between_the_ratings(values: list[int], rule: Any) -> None:
    for how in ("nearest", "none"):
        result = aggregated(values, rule, TaskSettings(round=how))
        assert min(values) <= int(result.label) <= max(values)
        if len(set(values)) == 1:
            assert (result.label, result.rating, result.is_tied) == (values[0], None, False)


def test_a_tie_between_labels_of_raters_is_decided_by_the_order_of_the_labels(tmp_path: Path) -> None:
    votes = [("safe", "unsafe", "")] * 6 + [("safe", "safe", "unsafe")] * 6
    dataset = load(write(tmp_path, long_rows(votes)), SAFETY, raters=RaterSettings(by="rater"))
    assert [dataset.by_id[f"images/{i}.png"].label for i in (0, 6)] == ["unsafe", "safe"]
    (ties,) = [line for line in dataset.warnings if "tied" in line]
    assert "the label is the first of the tied labels in task.labels" in ties


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": "9"}, "labels.csv:2: label 9 is not an integer from 1 to 3"),
        ({"rater": ""}, "labels.csv:2: the rater is missing"),
        ({"image": ""}, "labels.csv:2: the sample is missing"),
        ({"image": "images/missing.png"}, "labels.csv:2: image images/missing.png does not exist"),
    ],
)
def test_a_faulty_rating_is_named_with_its_row(tmp_path: Path, change: dict[str, str], message: str) -> None:
    table = long_rows()
    table[0] |= change
    assert any(line.startswith(message) for line in problems(write(tmp_path, table), raters=RaterSettings(by="rater")))


def test_rows_of_a_sample_with_other_texts_or_splits_are_named(tmp_path: Path) -> None:
    splits = ("train", "val", "test")
    table = [{**row, "text": "a cat", "split": splits[i % 12 % 3]} for i, row in enumerate(long_rows())]
    table[12] |= {"text": "a dog"}
    table[25] |= {"split": "train"}
    lines = problems(write(tmp_path, table), raters=RaterSettings(by="rater"), split=SplitColumn(column="split"))
    assert lines == (
        "labels.csv:14: text differs from labels.csv:2, and both rate one sample; give every image with its text an id "
        "(data.id)",
        "labels.csv:27: split differs from labels.csv:3, and both rate one sample; keep one",
    )


def test_a_repeated_rating_counts_once_and_unknown_samples_are_said(tmp_path: Path) -> None:
    folder = write(tmp_path, [{"image": f"images/{i}.png"} for i in range(12)])
    rows = [*long_rows(), {"image": "images/0.png", "rater": "ann", "label": "3"}]
    rows.append({"image": "images/other.png", "rater": "ann", "label": "3"})
    dataset = load(folder, raters=RaterSettings(file=str(write_csv(tmp_path / "ratings.csv", rows))))
    assert dataset.by_id["images/0.png"].ratings[0] == Rating("ann", 3)
    assert "ratings.csv: 1 rated samples are not in labels.csv (images/other.png)" in dataset.warnings
    assert "ratings.csv: 1 repeated ratings of one person; the last counts (ratings.csv:38)" in dataset.warnings


def test_samples_without_a_rating_are_problems_or_left_out(tmp_path: Path) -> None:
    folder = write(tmp_path, [{"image": f"images/{i}.png"} for i in range(12)])
    file = str(write_csv(tmp_path / "ratings.csv", [row for row in long_rows() if row["image"] != "images/5.png"]))
    (line,) = problems(folder, raters=RaterSettings(file=file))
    assert line.startswith("labels.csv:7: no rating in ratings.csv; add a rating, or set data.unlabelled: skip")
    assert len(load(folder, raters=RaterSettings(file=file), unlabelled="skip").by_id) == 11


@pytest.mark.parametrize("form", ["file", "columns"])
def test_a_label_of_its_own_stays_beside_the_ratings(tmp_path: Path, form: str) -> None:
    labels = [{"image": f"images/{i}.png", "label": i % 3 + 1} for i in range(12)]
    if form == "file":
        rows = [row for row in long_rows() if row["image"] != "images/5.png"]
        raters = RaterSettings(file=str(write_csv(tmp_path / "ratings.csv", rows)), label_from="column")
    else:
        votes = [("", "", "") if i == 5 else vote for i, vote in enumerate(VOTES)]
        labels = [{**row, **dict(zip(RATERS, vote, strict=True))} for row, vote in zip(labels, votes, strict=True)]
        raters = RaterSettings(columns=RATERS, label_from="column")
    folder = write(tmp_path / "set", labels)
    dataset = load(folder, raters=raters)
    assert {name: sample.label for name, sample in dataset.by_id.items()} == {
        f"images/{i}.png": i % 3 + 1 for i in range(12)
    }
    assert dataset.by_id["images/3.png"].ratings == tuple(map(Rating, RATERS, (1, 2, 3)))
    assert dataset.by_id["images/5.png"].ratings == ()
    assert not any("tied" in line for line in dataset.warnings)
    labels[7]["label"] = ""
    folder = write(tmp_path / "gap", labels)
    assert problems(folder, raters=raters)[0].startswith("labels.csv:9: label is missing")
    assert "images/7.png" not in load(folder, raters=raters, unlabelled="skip").by_id


def test_ids_name_the_samples_where_there_are_ids(tmp_path: Path) -> None:
    table = [{"id": f"n{i}", "image": f"images/{i // 2}.png", "text": f"t{i % 2}"} for i in range(12)]
    votes = [(f"n{i}", rater, vote) for i, each in enumerate(VOTES) for rater, vote in zip(RATERS, each, strict=True)]
    rows = [dict(zip(("id", "annotator", "label"), vote, strict=True)) for vote in votes]
    folder = write(tmp_path, table)
    dataset = load(folder, raters=RaterSettings(file=str(write_csv(tmp_path / "ratings.csv", rows))))
    assert dataset.by_id["n3"].ratings == tuple(map(Rating, RATERS, (1, 2, 3)))


@pytest.mark.parametrize(
    ("raters", "message"),
    [
        (RaterSettings(by="judge"), "labels.csv: has no column 'judge' (data.raters.by)"),
        (RaterSettings(columns=("a", "b")), "labels.csv: has no column 'a' (data.raters.columns)"),
        (RaterSettings(file="no/ratings.csv"), "no/ratings.csv: does not exist"),
    ],
)
def test_missing_columns_and_files_are_named(tmp_path: Path, raters: RaterSettings, message: str) -> None:
    assert message in problems(write(tmp_path, long_rows()), raters=raters)[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": {"path": "x", "raters": {}}}, "needs by"),
        ({"data": {"path": "x", "raters": {"by": "a", "columns": ["b", "c"]}}}, "not both"),
        ({"data": {"path": "x", "raters": {"columns": ["b"]}}}, "at least two"),
        ({"data": {"path": "x", "raters": {"by": "a", "aggregate": "mean"}}}, "set task.round"),
        ({"data": {"path": "x", "raters": {"by": "a", "label_from": "column"}}}, "a row holds one rating and no label"),
        ({"data": {"slices": ["a"]}}, "give data.path"),
        ({"search": {"agreement": 0.5}}, "needs data.raters"),
        (
            {"task": SAFETY.model_dump(), "data": {"path": "x", "raters": {"by": "a", "aggregate": "median"}}},
            "needs an ordinal task",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Settings.model_validate(settings)


def test_samples_whose_raters_disagree_leave_the_search_and_never_the_test(tmp_path: Path) -> None:
    votes = [("1", "1", "1"), ("2", "2", "2"), ("3", "3", "1"), ("1", "2", "3")] * 6
    folder = write(tmp_path, long_rows(votes), images=24)
    section = {"path": str(folder), "raters": {"by": "rater"}}
    settings = {"task": {"max": 3}, "data": section, "search": {"agreement": 0.6}}
    whole, agreed = (dataset_of(Settings.model_validate({**settings, "search": s})) for s in ({}, {"agreement": 0.6}))
    assert agreed.splits["test"] == whole.splits["test"] and any("0.3" not in s.id for s in agreed.splits["test"])
    left_out = [s for name in ("train", "validation") for s in whole.splits[name] if s not in agreed.splits[name]]
    assert left_out and {tuple(r.value for r in s.ratings) for s in left_out} == {(1, 2, 3)}
    assert sum(agreed.left_out.values()) == len(left_out)
    assert any("their raters disagree; the test keeps all" in line for line in agreed.warnings)
    with pytest.raises(DataError, match="lower the share"):
        dataset_of(Settings.model_validate({**settings, "search": {"agreement": 1.0}, "data": {**section, "limit": 4}}))


def test_defaults_keep_hashes_and_fingerprints(tmp_path: Path) -> None:
    folder = write(tmp_path, [{"image": f"images/{i}.png", "label": i % 3 + 1, "kind": i % 2} for i in range(12)])
    plain = Settings.model_validate({"task": {"max": 3}, "data": {"path": str(folder)}})
    sliced = plain.model_copy(update={"data": DataSettings(path=str(folder), slices=("kind",))})
    assert config_hash(plain) != config_hash(sliced)
    assert dataset_of(plain).fingerprint != dataset_of(sliced).fingerprint
    paths = [RaterSettings(by="r", file=name) for name in ("a/ratings.csv", "b/ratings.csv")]
    hashes = {config_hash(plain.model_copy(update={"data": DataSettings(path="x", raters=raters)})) for raters in paths}
    assert len(hashes) == 1
    kept = RaterSettings(by="r", file="a/ratings.csv", label_from="column")
    assert config_hash(plain.model_copy(update={"data": DataSettings(path="x", raters=kept)})) not in hashes


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("sdxl", "sdxl"),
        (" a\n b ", "a b"),
        (None, "(empty)"),
        (float("nan"), "(empty)"),
        (2.0, "2"),
        ("=1+1", "=1+1"),
        ("\x1b[31mred", "\N{REPLACEMENT CHARACTER}[31mred"),
        ("\u202egnp", "\N{REPLACEMENT CHARACTER}gnp"),
        ("x" * 500, "x" * 57 + "..."),
        (["a", 1], "['a', 1]"),
        ("\x00", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_values_of_slices_are_clean_texts(tmp_path: Path, cell: object, text: str) -> None:
    rows = [{"image": f"{i}.png", "label": i % 3 + 1, "kind": cell} for i in range(12)]
    for i in range(12):
        (tmp_path / f"{i}.png").write_bytes(png(i))
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    samples = read_samples(DataSettings(path=str(tmp_path), slices=("kind",)), ORDINAL).usable
    assert {row.sample.slices for row in samples} == {(("kind", text),)}
