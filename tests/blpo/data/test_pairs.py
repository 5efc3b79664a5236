"""Pairs in tables: labels, texts, context, and groups of pairs that share something."""

from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blpo.config.settings_file import load_settings
from blpo.data.dataset import Dataset
from blpo.data.dataset_warnings import dataset_warnings
from blpo.data.image_sources import FileImage
from blpo.data.rows import Row
from blpo.data.run_dataset import dataset_of
from blpo.data.same_images import join_same_images
from state.errors import ConfigError
from state.sample import Rating, Sample
from state.settings import RaterSettings, SplitColumn, TaskSettings
from tests.blpo.data.dataset_folders import jsonl, labels, load, png, problems, write

PAIR = TaskSettings(kind="pairwise")
TIES = TaskSettings(kind="pairwise", ties=True)
COLUMNS: dict[str, Any] = {"image": ("left", "right")}


def pairs(count: int = 12, **columns: Any) -> list[dict[str, Any]]:
    """Return pairs of different images, with labels in turn."""
    return [
        {"id": f"p{i}", "left": f"{2 * i}.png", "right": f"{2 * i + 1}.png", "label": "ab"[i % 2]}
        | {name: value(i) for name, value in columns.items()}
        for i in range(count)
    ]


def of_pairs(folder: Path, table: list[dict[str, Any]], task: TaskSettings = PAIR, **data: Any) -> Dataset:
    return load(write(folder, table, 2 * len(table)), task, **{**COLUMNS, **data})


def test_a_label_is_a_or_b_or_the_name_of_a_column(tmp_path: Path) -> None:
    words = ["a", "B", " left ", "Right", "tie", "TIE"]
    dataset = of_pairs(tmp_path, pairs(12, label=lambda i: words[i % 6]), TIES)
    assert [dataset.by_id[f"p{i}"].label for i in range(6)] == ["a", "b", "a", "b", "tie", "tie"]
    assert [source.read() for source in dataset.by_id["p3"].images] == [png(6), png(7)]


@pytest.mark.parametrize("value", [0, 1, 2, "0", "1.0", True])
def test_a_number_is_refused_because_it_may_count_from_0_or_1(tmp_path: Path, value: object) -> None:
    table = [{**row, "label": value} if row["id"] == "p3" else row for row in pairs()]
    write(tmp_path, table, 24)
    (tmp_path / "labels.csv").unlink()
    (problem,) = problems(jsonl(tmp_path, table), PAIR, **COLUMNS)
    assert problem.startswith("labels.jsonl:4: label ")
    assert "does not say which one is better; write one of a, b (a is the column left, b is right)" in problem


def test_other_labels_are_refused_and_a_tie_names_its_setting(tmp_path: Path) -> None:
    labels = {2: "tie", 5: "both", 7: "nan"}
    table = [{**row, "label": labels.get(i, row["label"])} for i, row in enumerate(pairs())]
    write(tmp_path, table, 24)
    tie, both, missing = problems(tmp_path, PAIR, **COLUMNS)
    assert tie == "labels.csv:4: label tie is no label of the task; set task.ties: true, or leave out the row"
    assert both == "labels.csv:7: label both is not one of a, b (a is the column left, b is right)"
    assert missing.endswith("; data.unlabelled: skip leaves such rows out")


def test_two_texts_about_one_image_with_a_question_and_a_reference(tmp_path: Path) -> None:
    table = [
        {**row, "image": f"{i}.png", "ref": "23.png", "q": "What is it?", "one": f"a {i}", "two": f"b {i}"}
        for i, row in enumerate(pairs())
    ]
    dataset = of_pairs(tmp_path, table, image="image", text=("one", "two"), question="q", reference="ref", group="id")
    sample = dataset.by_id["p4"]
    assert (sample.text, sample.texts) == ("What is it?", ("a 4", "b 4"))
    assert [source.read() for source in sample.images] == [png(4)]
    assert [(name, source.read()) for name, source in sample.context] == [("reference", png(23))]
    assert [source.read() for source in sample.all_images] == [png(4), png(23)]


def test_a_missing_text_and_a_missing_image_are_named_with_their_row(tmp_path: Path) -> None:
    table = [
        {**row, "image": f"{i}.png", "one": f"a {i}", "two": "" if i == 1 else "b"} for i, row in enumerate(pairs())
    ]
    table[2]["before"] = "none.png"
    for row in table:
        row.setdefault("before", "0.png")
    data: dict[str, Any] = {"image": "image", "text": ("one", "two"), "before": "before"}
    assert problems(write(tmp_path, table, 24), PAIR, **data) == (
        "labels.csv:3: text two is missing; a pair needs both texts",
        "labels.csv:4: image none.png does not exist in the dataset's folder",
    )


def test_texts_and_context_change_the_fingerprint(tmp_path: Path) -> None:
    def fingerprint(name: str, **changes: str) -> str:
        table = [
            {**row, "image": f"{i}.png", "one": "x", "two": f"{i}", "ref": "0.png"} for i, row in enumerate(pairs())
        ]
        table[3] |= changes
        data: dict[str, Any] = {"image": "image", "text": ("one", "two"), "reference": "ref", "group": "id"}
        return load(write(tmp_path / name, table, 24), PAIR, **data).fingerprint

    assert len({fingerprint("a"), fingerprint("b", one="y"), fingerprint("c", ref="1.png")}) == 3
    assert fingerprint("a") == fingerprint("d")


def test_pairs_that_share_an_image_or_a_text_stay_in_one_split(tmp_path: Path) -> None:
    table = pairs(48, text=lambda i: f"prompt {i // 3}", right=lambda i: f"{2 * (i - i % 2) + 1}.png")
    dataset = of_pairs(tmp_path, table)
    homes: dict[object, set[str]] = defaultdict(set)
    for split, samples in dataset.splits.items():
        for sample in samples:
            for thing in (sample.text, *(source.read() for source in sample.images)):
                homes[thing].add(split)
    assert all(len(splits) == 1 for splits in homes.values())
    assert len({sample.group for sample in dataset.by_id.values()}) == 8
    assert not dataset.warnings


def test_a_text_of_all_pairs_links_nothing_and_named_groups_stay(tmp_path: Path) -> None:
    alone = of_pairs(tmp_path / "one", pairs(text=lambda i: "Which is better?"))
    assert {sample.group for sample in alone.by_id.values()} == {None}
    grouped = of_pairs(tmp_path / "two", pairs(text=lambda i: f"p{i % 2}", g=lambda i: f"g{i % 6}"), group="g")
    assert {sample.group for sample in grouped.by_id.values()} == {f"g{i}" for i in range(6)}


def test_one_large_group_says_why_a_split_is_empty(tmp_path: Path) -> None:
    table = pairs(text=lambda i: f"{i // 11}")
    (problem,) = problems(write(tmp_path, table, 24), PAIR, **COLUMNS)
    assert "split is empty (12 samples)" in problem
    assert problem.endswith("that share an image or a text are one group, unless data.group names groups")


def test_a_pair_of_one_image_and_things_in_several_splits_are_warned_of(tmp_path: Path) -> None:
    names = ["train", "validation", "test"]
    table = pairs(
        right=lambda i: "7.png" if i == 3 else f"{2 * i + 1}.png", text=lambda i: f"{i}", part=lambda i: names[i % 3]
    )
    table[3]["left"] = "7.png"
    table[5]["text"] = table[4]["text"]
    warnings = of_pairs(tmp_path, table, split=SplitColumn(column="part")).warnings
    assert warnings == (
        "1 pair shows the same image twice (labels.csv:5); no answer about such a pair is right",
        "1 image or text of pairs is in several splits of the table, so the test flatters; leave out data.split.column",
    )


@pytest.mark.parametrize(("order", "share"), [("one", 9), ("one", 6), ("both", 9)])
def test_labels_of_one_side_are_warned_of_where_one_order_is_shown(
    tmp_path: Path, order: Literal["one", "both"], share: int
) -> None:
    write(tmp_path, pairs(20, label=lambda i: "b" if i % 10 < share else "a"), 40)
    task, data = {"kind": "pairwise", "order": order}, {"path": str(tmp_path), "image": ["left", "right"]}
    loaded = load_settings({"task": task, "data": data})
    warnings = dataset_warnings(loaded, dataset_of(loaded))
    lines = [warning for warning in warnings if "a judge that always says second looks right" in warning]
    assert len(lines) == (order == "one" and share == 9)
    assert not lines or lines[0].startswith("90% of the labels are b, and task.order: one always shows a first")


def test_raters_of_a_pair_may_be_tied(tmp_path: Path) -> None:
    votes: dict[str, Any] = {"x": lambda i: "a", "y": lambda i: "left" if i % 2 else "b"}
    raters = RaterSettings(columns=("x", "y"))
    dataset = of_pairs(tmp_path, pairs(**votes), TIES, raters=raters)
    assert labels(dataset)["p1"] == "a" and labels(dataset)["p2"] == "tie"
    assert dataset.by_id["p2"].ratings == (Rating("x", "a"), Rating("y", "b"))
    assert any("tied ratings" in warning for warning in dataset.warnings)


@pytest.mark.parametrize(
    ("task", "data", "message"),
    [
        ("pairwise", {}, "data: a pair needs two columns of images"),
        ("pairwise", {"image": ["a", "b"], "text": ["c", "d"]}, "data: a pair needs two columns of images"),
        ("pairwise", {"image": ["a", "b"], "question": "q"}, "data.question: belongs to two texts"),
        ("ordinal", {"text": ["c", "d"]}, "data.text: two columns need task.kind: pairwise"),
        ("ordinal", {"question": "r"}, "data.question: needs task.kind: pairwise"),
        ("ordinal", {"before": "r"}, "data.before: needs task.kind: pairwise"),
    ],
)
def test_settings_of_pairs_are_checked(task: str, data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings({"task": {"kind": task}, "data": {"path": "x", **data}})


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["", "s", "t", "u"]), st.booleans()),
        max_size=20,
    )
)
def test_no_image_and_no_text_is_divided(tmp_path: Path, members: list[tuple[int, int, str, bool]]) -> None:
    for shade in range(10):
        (tmp_path / f"{shade}.png").write_bytes(png(shade))

    def source(shade: int) -> FileImage:
        return FileImage(str(tmp_path / f"{shade}.png"), "")

    table = [
        Row(Sample(f"s{i}", (source(a), source(b)), "a", text or None, group="g" if named else None), None, f"{i}")
        for i, (a, b, text, named) in enumerate(members)
    ]
    joined, _ = join_same_images(table, are_pairs=True)
    one_text = len({text for _, _, text, _ in members}) == 1
    common = set.intersection(*({a, b} for a, b, _, _ in members)) if members else set()
    for i, (a, b, text, named) in enumerate(members):
        for j, (c, d, other, is_named) in enumerate(members[:i]):
            if named or is_named:
                continue
            if {a, b} == {c, d}:
                assert joined[i].sample.group == joined[j].sample.group is not None
            shares = ({a, b} & {c, d}) - common or (text and text == other and not one_text)
            assert not shares or joined[i].sample.group == joined[j].sample.group is not None
