"""`blpo judge --as pairwise`: a judge of single images on pairs."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml
from langchain_core.messages import BaseMessage

from blpo.cli.main import main
from blpo.models.embedded.message_images import images
from blpo.runs.judge_file import JudgeFile
from state.settings import ModelSettings, TaskSettings
from tests.pair_set import draw_pairs
from tests.scripted import scripted

SIZE = 20
RATING = TaskSettings(kind="ordinal", min=1, max=3)
GOOD_OR_BAD = TaskSettings(kind="categorical", labels=("bad", "good"), positive="good")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pairs(tmp_path_factory.mktemp("pairs") / "set", SIZE)


def judge_file(folder: Path, task: TaskSettings, images: int | None = 1) -> Path:
    """Write a judge that says "first" about two images, and 1, 2 or 3, or a category, about one."""

    def answer(messages: Sequence[BaseMessage]) -> str:
        images = images_of(messages)
        if len(images) == 2:
            return json.dumps({"reason": "", "label": "first"})
        number = sum(images[0]) % 3
        return json.dumps(
            {"reason": "", "label": 1 + number if task.kind == "ordinal" else ("bad", "good")[number > 0]}
        )

    model = ModelSettings(name=scripted(f"alone-{task.kind}", answer))
    path = folder / "judge.yaml"
    path.write_text(JudgeFile(judge_prompt="Rate it.", task=task, images=images, model=model).dump())
    return path


def images_of(messages: Sequence[BaseMessage]) -> list[bytes]:
    return [image.data for image in images(messages)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("task", [RATING, GOOD_OR_BAD], ids=["ratings", "categories"])
def test_both_forms_stand_side_by_side(
    pairs: Path, tmp_path: Path, task: TaskSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(judge_file(tmp_path, task)), str(pairs / "labels.csv"), "--as", "pairwise"]
    out = tmp_path / "lines.jsonl"
    assert main(["judge", *arguments, "--out", str(out), "--json"]) == 0
    summaries = json.loads(capsys.readouterr().out)
    asked, compared = (summaries[form]["metrics"]["strict"] for form in ("pairwise", "ratings"))
    assert (asked["accuracy"], asked["consistent_accuracy"], asked["first_rate"]) == (0.5, 0, 1)
    lines = read_lines(tmp_path / "lines.ratings.jsonl")
    assert len(lines) == len(read_lines(out)) == SIZE
    halves = [fmean(each["label"] == line["label"] for each in line["orders"]) for line in lines]
    assert set(halves) == {0, 0.5, 1}
    assert compared["accuracy"] == pytest.approx(fmean(halves))
    assert compared["consistent_accuracy"] == pytest.approx(halves.count(1) / SIZE)
    assert compared["consistency"] == pytest.approx(1 - halves.count(0.5) / SIZE)
    assert "first_rate" not in compared and "positions" not in summaries["ratings"]
    assert main(["judge", *arguments]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["accuracy", "0.500", f"{fmean(halves):.3f}"] in table
    assert ["calls", str(2 * SIZE), str(2 * SIZE)] in table
    assert all(len(" ".join(line)) <= 80 for line in table)


def test_a_config_of_pairs_with_ties_has_ties(pairs: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load((pairs / "config.yaml").read_text())
    settings["task"]["ties"] = True
    settings["data"]["path"] = str(pairs)
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    out = tmp_path / "lines.jsonl"
    arguments = [str(judge_file(tmp_path, RATING)), str(config), "--as", "pairwise", "--out", str(out)]
    assert main(["judge", *arguments]) == 0
    assert {line["verdict"] for line in read_lines(tmp_path / "lines.ratings.jsonl")} == {"a", "b", "tie"}


def test_pairs_without_the_option_are_refused_in_one_line(
    pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = str(judge_file(tmp_path, RATING))
    for given in ("labels.csv", "config.yaml"):
        assert main(["judge", judge, str(pairs / given)]) == 2
        output = capsys.readouterr()
        assert output.out == ""
        (line,) = output.err.splitlines()
        assert line.endswith("is of pairs, and this judge labels single images; add --as pairwise to compare")


@pytest.mark.parametrize(
    ("task", "images", "further", "message"),
    [
        (TaskSettings(kind="pairwise"), 2, [], "labels two images together"),
        (TaskSettings(kind="pairwise"), None, [], "this judge is of kind pairwise"),
        (TaskSettings(kind="ranking", best="highest"), None, [], "this judge is of kind ranking"),
        (TaskSettings(kind="categorical", labels=("x", "y")), 1, [], "no positive label"),
        (TaskSettings(kind="categorical", labels=("x", "y", "z"), positive="x"), 1, [], "more than two"),
        (RATING, 1, ["--gate", "accuracy>=0.5"], "leave out --gate"),
    ],
)
def test_what_can_not_be_compared_is_refused(
    pairs: Path,
    tmp_path: Path,
    task: TaskSettings,
    images: int | None,
    further: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = judge_file(tmp_path, task, images)
    assert main(["judge", str(path), str(pairs / "labels.csv"), "--as", "pairwise", *further]) == 2
    assert message in capsys.readouterr().err
