"""A judge of several criteria or tasks at work: lines, agreement, gates, drift and refusals by task."""

import asyncio
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.config.config_hash import measuring_settings
from blpo.runs.judge_file import JudgeFile, read_judge_file
from blpo.runs.verdict_rows import read_verdict_rows
from state.errors import BlpoError
from state.settings import TaskSettings
from tests.criteria_set import criteria_config, draw_criteria


@pytest.fixture(scope="module")
def few(criteria_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels file with six images of the run's dataset."""
    folder = tmp_path_factory.mktemp("few")
    shutil.copytree(criteria_run.parent / "images", folder / "images")
    lines = (criteria_run.parent / "labels.csv").read_text().splitlines()
    (folder / "few.csv").write_text("\n".join(lines[:7]) + "\n")
    return folder / "few.csv"


def lines_in(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def write_judge(file: JudgeFile, path: Path) -> str:
    path.write_text(file.dump())
    return str(path)


def test_judge_yaml_has_all_tasks(criteria_run: Path, tmp_path: Path) -> None:
    file = read_judge_file(criteria_run)
    test = json.loads((criteria_run / "result.json").read_text())["test"]["by_task"]
    assert (file.task_names, file.criteria_calls, file.parts) == (("quality", "light"), "one", "one")
    assert [task.label for task in file.tasks] == ["quality", "light"] and file.tasks[0].about
    for task in file.tasks:
        assert task.test is not None
        assert task.test["best"] == {test[task.name]["metric"]: pytest.approx(test[task.name]["best"])}
    assert "\ntask:" not in file.dump() and "## light" in file.judge_prompt
    again = read_judge_file(Path(write_judge(file, tmp_path / "again.yaml")))
    assert again == file and measuring_settings(again.settings) == measuring_settings(file.settings)


def test_all_criteria_of_an_image_cost_one_call(
    criteria_run: Path, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lines.jsonl"
    gates = ["--gate", "light:accuracy>=0, quality:mae<=9"]
    assert main(["judge", str(criteria_run), str(few), "--out", str(out), "--json", *gates]) == 0
    captured = capsys.readouterr()
    summary, lines = json.loads(captured.out), lines_in(out.read_text())
    assert (summary["judged"], summary["calls"]["issued"], summary["metrics"]) == (12, 6, None)
    assert [gate["gate"] for gate in summary["gates"]] == ["quality:mae<=9", "light:accuracy>=0"]
    assert [(line["id"], line["task"]) for line in lines[:3]] == [("s0", "quality"), ("s0", "light"), ("s1", "quality")]
    assert [line["usage"]["input_tokens"] > 0 for line in lines[:4]] == [True, False, True, False]
    run = {row.id: row for row in read_verdict_rows(criteria_run / "verdicts" / "best.jsonl")}
    rows = [(run[f"{line['task']}/{line['id']}"], line) for line in lines]
    assert all((row.verdict, row.label) == (line["verdict"], line["label"]) for row, line in rows)
    right = [row.is_right for row, line in rows if line["task"] == "light"]
    measured = summary["by_task"]["light"]["metrics"]
    assert measured["strict"]["accuracy"] == pytest.approx(sum(right) / len(right))
    assert "light: agreement with people, over 6 labelled: F1 of light" in captured.err

    out.write_text("".join(out.read_text().splitlines(keepends=True)[:3]))  # as after a kill between two criteria
    assert main(["judge", str(criteria_run), str(few), "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["calls"]["issued"] == 6 and lines_in(out.read_text()) == lines

    assert main(["judge", str(criteria_run), str(few), "--task", "light", "--baseline", str(out)]) == 0
    captured = capsys.readouterr()
    assert lines_in(captured.out)[0]["usage"]["input_tokens"] > 0
    assert [line["verdict"] for line in lines_in(captured.out)] == [line["verdict"] for line in lines[1::2]]
    assert "light: 0 of 6 samples changed the label" in captured.err and "quality" not in captured.err

    assert main(["judge", str(criteria_run), str(few), "--calibration", str(criteria_run), "--quiet"]) == 0
    assert main(["judge", str(criteria_run), str(few), "--gate", "light:accuracy>=2", "--quiet"]) == 3


def test_a_config_has_the_labels_and_splits_of_the_run(criteria_run: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    sections = criteria_config(draw_criteria(tmp_path / "set"), tmp_path / "run")
    del sections["run"]
    config.write_text(json.dumps(sections))
    judge = blpo.load_judge(criteria_run)
    summary = blpo.judge_set(judge, config, split="test", gates=["light:accuracy>=0"])
    test = json.loads((criteria_run / "result.json").read_text())["test"]["by_task"]
    measured = asyncio.run(summary)["by_task"]["light"]["metrics"]
    assert measured is not None
    assert measured["n"] == test["light"]["n"] and measured["strict"] == test["light"]["strict"]


def test_images_alone_and_lines_on_stdin_are_judged_by_all_criteria(
    criteria_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = criteria_run.parent / "images" / "000.png"
    verdicts = asyncio.run(blpo.load_judge(criteria_run)([image]))
    assert [verdict.sample_id for verdict in verdicts] == [f"quality/{image}", f"light/{image}"]
    assert asyncio.run(blpo.load_judge(criteria_run, "light")([image])) == verdicts[1:]
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"image": str(image), "label": "light"})))
    assert main(["judge", str(criteria_run), "-", "--quiet"]) == 0
    lines = lines_in(capsys.readouterr().out)
    assert [line["verdict"] for line in lines] == [verdict.label for verdict in verdicts]
    assert all("label" not in line for line in lines)


def test_a_judge_of_several_tasks_is_told_the_task_of_the_images(
    criteria_run: Path, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = read_judge_file(criteria_run)
    tasks = [task.model_copy(update={"label": None}) for task in file.tasks]
    path = write_judge(file.model_copy(update={"criteria_calls": None, "tasks": tuple(tasks)}), tmp_path / "j.yaml")
    assert main(["judge", path, str(few)]) == 2
    assert "several tasks (quality, light); name the one of the images: --task NAME" in capsys.readouterr().err
    with pytest.raises(BlpoError, match="several tasks"):
        asyncio.run(blpo.load_judge(path)([few]))
    assert main(["judge", path, str(few), "--task", "light", "--label-column", "light", "--gate", "accuracy>=0"]) == 0
    captured = capsys.readouterr()
    assert {line["task"] for line in lines_in(captured.out)} == {"light"} and "gate light:accuracy>=0" in captured.err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--task", "ligt"], "no task 'ligt'; did you mean 'light'? Its tasks are quality, light"),
        (["--gate", "accuracy>=0.5"], "put the name of the task in front: quality:accuracy>=0.5"),
        (["--as", "ranking", "--best", "lowest"], "--as ranking is for a judge of a single task"),
        (["--as", "pairwise"], "--as pairwise is for a judge of a single task"),
    ],
)
def test_options_that_do_not_fit_several_tasks_are_refused(
    criteria_run: Path, few: Path, options: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(criteria_run), str(few), *options]) == 2
    assert problem in capsys.readouterr().err


def test_a_config_of_other_tasks_is_refused(
    criteria_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("task: {min: 1, max: 5}\n")
    assert main(["judge", str(criteria_run), str(config)]) == 2
    assert "has a single task, and the judge is asked for the task quality" in capsys.readouterr().err


def test_the_last_criterion_of_an_image_has_the_share_of_a_checklist(
    criteria_run: Path, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = read_judge_file(criteria_run)
    labels = TaskSettings(kind="categorical", labels=("no", "yes"), positive="yes")
    light, heavy = (
        task.model_copy(update={"task": labels, "weight": weight})
        for task, weight in zip(file.tasks, (1.0, 3.0), strict=True)
    )
    changes = {"tasks": (light, heavy), "criteria_aggregate": "share"}
    path = write_judge(file.model_copy(update=changes), tmp_path / "judge.yaml")
    assert main(["judge", path, str(few), "--quiet"]) == 0
    lines = lines_in(capsys.readouterr().out)
    for first, last in zip(lines[::2], lines[1::2], strict=True):
        assert "share" not in first
        assert last["share"] == (0.25 * (first["verdict"] == "yes") + 0.75 * (last["verdict"] == "yes"))
    rows = [f"images/{Path(first['image']).name},{first['verdict']},yes" for first in lines[::2]]
    checks = few.with_name("checks.csv")
    checks.write_text("\n".join(["image,quality,light", *rows]) + "\n")
    command = ["judge", path, str(checks), "--json", "--out", str(tmp_path / "out.jsonl")]
    assert main(command) == 0
    printed, err = capsys.readouterr()
    checklist = json.loads(printed)["checklist"]
    shares = [last["share"] for last in lines[1::2]]
    wrong = sum(last["verdict"] == "no" for last in lines[1::2])
    assert (checklist["images"], checklist["labelled"]) == (6, 6)
    assert checklist["mean"] == pytest.approx(sum(shares) / 6)
    assert checklist["people"]["mae"] == pytest.approx(0.75 * wrong / 6)
    assert f"share of the checklist: {checklist['mean']:.1%} in the mean over 6 images" in err
