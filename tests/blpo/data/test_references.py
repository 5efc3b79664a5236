"""Columns to compare with: rows, groups, fingerprints, lists, and settings."""

from pathlib import Path
from typing import Any

import pytest

from blpo.config.config_hash import config_hash, measuring_settings
from blpo.config.settings_file import load_settings
from blpo.costs.workload import workload_of
from state.errors import ConfigError
from state.settings import TaskSettings
from tests.blpo.data.dataset_folders import ORDINAL, load, png, problems, rows, write

RANKING = TaskSettings(kind="ranking", best="lowest")


def compared(count: int = 12, **columns: Any) -> list[dict[str, Any]]:
    """Return rows with a reference image, the same for all rows, and a reference text."""
    further = {"ref": "images/0.png", "good": "a clear car", **columns}
    return [row | further for row in rows(count)]


def test_a_row_has_its_reference_image_and_text(tmp_path: Path) -> None:
    dataset = load(write(tmp_path, compared()), reference="ref", reference_text="good")
    sample = dataset.by_id["images/5.png"]
    assert [(name, source.read()) for name, source in sample.context] == [("reference", png(0))]
    assert [source.read() for source in sample.images] == [png(5)]
    assert sample.reference_text == "a clear car"
    assert not dataset.warnings and {each.group for each in dataset.by_id.values()} == {None}


def test_one_image_with_several_references_is_one_group(tmp_path: Path) -> None:
    table = compared(24)
    for i, row in enumerate(table):
        row |= {"id": f"s{i}", "image": f"images/{i // 2}.png", "ref": f"images/{12 + i % 2}.png"}
    dataset = load(write(tmp_path, table, 24), reference="ref")
    assert len({sample.group for sample in dataset.by_id.values()}) == 12


def test_a_missing_reference_is_a_problem_with_its_row_and_a_missing_text_is_none(tmp_path: Path) -> None:
    table = compared()
    table[2] |= {"ref": "none.png"}
    table[4] |= {"ref": "", "good": ""}
    write(tmp_path, table)
    assert problems(tmp_path, reference="ref") == (
        "labels.csv:4: image none.png does not exist in the dataset's folder",
        "labels.csv:6: image '' is no path",
    )
    assert load(tmp_path, reference_text="good").by_id["images/4.png"].reference_text is None
    (missing,) = problems(tmp_path, reference_text="best")
    assert missing.startswith("labels.csv: has no column 'best' (data.reference_text)")


def test_references_change_the_fingerprint_and_the_hash(tmp_path: Path) -> None:
    tables = compared(), compared(ref="images/1.png"), compared(good="a car"), compared()
    fingerprints = {
        load(write(tmp_path / str(i), table), reference="ref", reference_text="good").fingerprint
        for i, table in enumerate(tables)
    }
    assert len(fingerprints) == 3
    data = {"path": str(tmp_path / "0"), "reference": "ref"}
    hashes = {
        config_hash(load_settings({"data": data, "prompts": prompts}))
        for prompts in ({}, {"reference": "both"}, {"reference": "judge"}, {"reference": "verbalizer"})
    }
    assert len(hashes) == 3
    plain = measuring_settings(load_settings({"data": {"path": "x"}}))
    assert set(plain["prompts"]) == {"judge", "i2t"} and not {"reference", "reference_text"} & set(plain["data"])


def test_a_list_has_one_reference(tmp_path: Path) -> None:
    table = [row | {"list": f"g{i // 3}"} for i, row in enumerate(compared())]
    settings: dict[str, Any] = {"reference": "ref", "reference_text": "good", "group": "list"}
    dataset = load(write(tmp_path, table), RANKING, **settings)
    assert {len(sample.images) for sample in dataset.by_id.values()} == {3}
    assert {sample.reference_text for sample in dataset.by_id.values()} == {"a clear car"}
    assert all([source.read() for _, source in s.context] == [png(0)] for s in dataset.by_id.values())
    table[4] |= {"ref": "images/1.png"}
    assert problems(write(tmp_path, table), RANKING, **settings) == (
        "labels.csv:6: reference differs from labels.csv:5, and both are in group g1",
    )


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"data": {"reference": "r"}}, "data.reference: the built-in sample has no such column"),
        ({"data": {"reference_text": "r"}}, "data.reference_text: the built-in sample has no such column"),
        ({"prompts": {"reference": "judge"}}, "prompts.reference: needs data.reference or data.reference_text"),
        ({"data": {"path": "x", "before": "r"}}, "data.before: needs task.kind: pairwise"),
    ],
)
def test_settings_that_do_not_fit_are_named(sections: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        load_settings(sections)


def test_an_estimate_counts_the_reference_of_the_models_that_see_it(tmp_path: Path) -> None:
    path = str(write(tmp_path, compared()))

    def images(**sections: Any) -> tuple[float, float]:
        data = {"path": path, **sections.pop("data", {})}
        work = workload_of(load_settings({"task": {"max": ORDINAL.max}, "data": data, **sections}))
        return work.judge_images, work.verbalizer_images

    alone, reference = images(), {"reference": "ref"}
    assert images(data=reference) == (2 * alone[0], 2 * alone[1])
    assert images(data=reference, prompts={"reference": "judge"}) == (2 * alone[0], alone[1])
    assert images(data=reference, prompts={"reference": "verbalizer"}) == (alone[0], 2 * alone[1])
