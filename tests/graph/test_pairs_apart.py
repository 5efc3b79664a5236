"""Whole runs on pairs whose two images are judged alone (`task.order: apart`)."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import blpo
from blpo.config.settings_file import load_settings
from blpo.models.embedded.message_images import images
from blpo.runs.verdict_rows import read_verdict_rows
from state.errors import ConfigError
from tests.pair_set import draw_pairs
from tests.scripted import scripted

SIZE = 30


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pairs(tmp_path_factory.mktemp("pairs") / "set", SIZE)


def config(pairs: Path, directory: Path, task: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {
        "task": {"kind": "pairwise", "order": "apart", **task},
        "data": {"path": str(pairs), "image": ["image_a", "image_b"]},
        "search": {"outer_rounds": 0},
        "run": {"dir": str(directory)},
        **sections,
    }


async def test_two_ratings_are_compared_and_equal_ratings_are_half_right(pairs: Path, tmp_path: Path) -> None:
    for ties in (False, True):

        def judge(messages: Sequence[BaseMessage]) -> str:
            image, *others = images(messages)
            assert not others
            return json.dumps({"reason": "", "label": 1 + sum(image.data) % 3})

        models = {"judge": {"name": scripted(f"rater-{ties}", judge)}, "optimizer": {"name": "embedded:optimizer"}}
        directory = tmp_path / str(ties)
        task = {"min": 1, "max": 3, "ties": ties}
        result = (await blpo.optimize(config(pairs, directory, task, models=models))).result
        rows = read_verdict_rows(directory / "verdicts" / "best.jsonl")
        labels = {tuple(ordered.label for ordered in row.orders) for row in rows}
        assert labels == {("a", "a"), ("b", "b"), ("tie", "tie") if ties else ("a", "b")}
        undecided = {each.answer for each in blpo.disagreements(directory) if each.verdict is None}
        assert undecided == (set() if ties else {"equal labels"})
        page = (directory / "report.html").read_text()
        assert "pairs with two different labels" in page and "shown first" not in page
        assert "two equal labels count as one a and one b" in page
        with sqlite3.connect(directory / "responses.sqlite") as db:
            assert db.execute("SELECT count(*) FROM calls").fetchone() == (2 * SIZE,)
        db.close()
        assert result["test"] is not None
        best = result["test"]["best"]
        test = [row for row in rows if row.split == "test"]
        right = [fmean(ordered.label == row.label for ordered in row.orders) for row in test]
        assert best["accuracy"] == pytest.approx(fmean(right))
        assert best["consistent_accuracy"] == pytest.approx(fmean(row.verdict == row.label for row in test))
        assert "first_rate" not in best and "first_rate_ci95" not in best


@pytest.mark.parametrize(
    ("task", "sections", "message"),
    [
        ({}, {"search": {}}, "set search.outer_rounds: 0"),
        (
            {},
            {"data": {"path": "labels.csv", "image": ["image_a", "image_b"], "reference": "c"}},
            "shows each of the two alone",
        ),
        ({"labels": ["x", "y"]}, {}, "positive, the better"),
        ({"min": 3, "max": 3}, {}, "must be below max"),
    ],
)
def test_settings_that_single_images_can_not_have(
    pairs: Path, tmp_path: Path, task: dict[str, Any], sections: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(config(pairs, tmp_path / "run", task, **sections))
