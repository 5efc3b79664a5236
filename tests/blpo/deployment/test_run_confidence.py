"""`blpo confidence`: calibration split, measured quality, thresholds, and the section of the report."""

import asyncio
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import cast

import altair
import pytest
import yaml

import blpo
from blpo.cli.main import main
from blpo.data.run_dataset import dataset_of
from blpo.deployment.confidence_replay import replay
from blpo.deployment.run_confidence import RunConfidence, TaskConfidence, read_run_confidence
from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.confidence import coverage_curve
from blpo.reports.confidence_charts import confidence_charts, write_charts
from blpo.reports.confidence_section import confidence_section
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict
from tests.criteria_set import criteria_config, draw_criteria
from tests.small_set import draw_dataset

SPLIT = {"train": 0.2, "validation": 0.2, "test": 0.3, "calibration": 0.3}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run whose config sets a calibration split aside."""
    place = tmp_path_factory.mktemp("confidence")
    config = draw_dataset(place / "set", 80) / "config.yaml"
    content = yaml.safe_load(config.read_text())
    content["data"]["split"] = SPLIT
    config.write_text(yaml.safe_dump(content))
    prompt = "prompts.judge=Start from a rating of 5. Lower the rating strongly when noise is above 90."
    settings = ["search.outer_rounds=0", prompt]
    command = ["optimize", str(config), "--run-dir", str(place / "run"), "--quiet"]
    assert main([*command, *(word for setting in settings for word in ("--set", setting))]) == 0
    return place / "run"


def test_the_calibration_split_is_in_no_other_split(run: Path) -> None:
    data = {"path": str(run.parent / "set" / "labels.csv")}
    dataset = dataset_of(Settings.model_validate({"data": {**data, "split": SPLIT}}))
    sizes = [len(dataset.splits[name]) for name in ("train", "validation", "test")]
    assert (sizes, len(dataset.calibration)) == ([16, 16, 24], 24)
    assert not {sample.id for sample in dataset.calibration} & dataset.by_id.keys()
    shares = {name: share for name, share in SPLIT.items() if name != "calibration"}
    plain, unset = (
        dataset_of(Settings.model_validate({"data": {**data, "split": split}}))
        for split in (shares, {**shares, "calibration": None})
    )
    assert plain.splits == unset.splits and plain.calibration == ()


def test_a_run_is_measured_once_and_reported(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["confidence", str(run), "--confidence", "words"]
    assert main([*command, "--json"]) == 0
    printed, err = capsys.readouterr()
    content = json.loads(printed)
    assert json.loads((run / "confidence" / "confidence.json").read_text()) == content
    assert content["confidence"]["calibration_samples"] == 24
    assert content["confidence"]["quality"]["samples"] == 24
    lines = [json.loads(line) for line in (run / "confidence" / "words.jsonl").read_text().splitlines()]
    right = [line["verdict"] == line["label"] for line in lines]
    points = coverage_curve([line["confidence"] for line in lines], right)
    assert content["replay"][-1]["agreement"] == pytest.approx(points[-1].agreement)
    assert [row["target_agreement"] for row in content["guarantees"]] == [0.7, 0.8, 0.9, 0.95]
    assert "over 24 labelled: calibration error" in err
    page = (run / "report.html").read_text()
    assert 'id="confidence"' in page and "Agreement with people by confidence, on the test split" in page
    assert "Agreement with people by coverage" in page and "Another judge was measured" not in page
    plot = (run / "confidence" / "coverage.svg").read_text()
    assert "var(" not in plot and plot.count("verdicts of the judge, coverage") == len(content["replay"])
    answered = content["calls"]["issued"]
    assert answered == 24 + 24 + 24  # the run's answers about the test split are there; two questions about the others
    assert main(command) == 0
    table = capsys.readouterr().out
    assert "Guaranteed agreement at delta 0.05" in table and "left to others" in table
    again = json.loads((run / "confidence" / "confidence.json").read_text())
    assert again["calls"]["issued"] == answered
    draw_dataset(run.parent / "other", 10)
    assert main([*command, "--calibrate-on", str(run.parent / "other")]) == 2  # its images are among the run's
    assert "is of the train or validation split" in capsys.readouterr().err
    assert main([*command, "--calibrate-on", str(run.parent / "set" / "config.yaml"), "--delta", "0.2"]) == 0


def test_a_second_judge_is_replayed_and_paid_once(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = run.parent / "second.yaml"
    second.write_text((run / "judge.yaml").read_text().replace("Start from a rating of 5", "Start from a rating of 2"))
    command = ["confidence", str(run), "--confidence", "words", "--escalate", str(second)]
    assert main([*command, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["cascade"]
    assert (rows[0]["escalated"], rows[-1]["escalated"], rows[-1]["threshold"]) == (0, 24, None)
    assert rows[0]["agreement"] == rows[0]["agreement_of_both"]
    store = sqlite3.connect(run / "confidence" / "escalation" / "responses.sqlite")
    answers = store.execute("SELECT count(*) FROM responses").fetchone()
    assert main(command) == 0
    assert "all escalated" in capsys.readouterr().out
    assert store.execute("SELECT count(*) FROM responses").fetchone() == answers == (24,)
    store.close()
    assert not (run / "confidence" / "cost.svg").exists()  # the embedded judges cost nothing


def test_charts_keep_to_the_schema_of_altair_and_tell_the_cost_of_two_judges(run: Path) -> None:
    measured = read_run_confidence(run)
    assert measured is not None
    part = measured.by_task[""]
    rows = [{**row, "usd": row["escalated"] / 100} for row in part.get("cascade", [])]
    priced = cast(TaskConfidence, {**part, "cascade": rows})
    charts = confidence_charts(priced)
    assert [chart.title.split(",")[0].rpartition(" by ")[2] for chart in charts] == [
        "coverage",
        "cost of both judges",
        "confidence",
    ]
    for chart in charts:
        altair.LayerChart.from_dict(chart.specification).to_dict()  # refuses names and values outside of the schema
    stale = RunConfidence(measured.delta, replace(measured.judge, prompt="0" * 16), {"": priced})
    copy = shutil.copytree(run, run.parent / "stale")
    (copy / "confidence" / "confidence.json").write_text(json.dumps(stale.content))
    assert [path.name for path in write_charts(copy, stale)] == ["coverage.svg", "cost.svg"]
    section = confidence_section(copy)
    assert section is not None and section.is_stale and len(section.parts[0].charts) == 3


@pytest.mark.slow
def test_each_criterion_has_a_map_and_thresholds_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = criteria_config(draw_criteria(tmp_path / "set", 60), tmp_path / "run", search={"outer_rounds": 0})
    config["data"]["split"] = SPLIT
    asyncio.run(blpo.optimize(config))
    dataset = dataset_of(Settings.model_validate(config))
    by_task = {name: {s.item for s in dataset.calibration if s.task == name} for name in ("quality", "light")}
    assert by_task["quality"] == by_task["light"] and len(by_task["light"]) == 18
    assert not {sample.id for sample in dataset.calibration} & dataset.by_id.keys()
    capsys.readouterr()
    assert main(["confidence", str(tmp_path / "run"), "--confidence", "words", "--json"]) == 0
    printed, err = capsys.readouterr()
    parts = json.loads(printed)["by_task"]
    assert list(parts) == ["quality", "light"] and "light: over 18 labelled" in err
    calls = [part["calls"]["issued"] for part in parts.values()]
    assert calls == [18 + 18 + 18, 18 + 18]  # an answer for both criteria, and a question of its own for each
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<h3><bdi>light</bdi></h3>" in page and (tmp_path / "run" / "confidence" / "coverage.light.svg").exists()
    assert main(["confidence", str(tmp_path / "run"), "--confidence", "words", "--task", "light", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["by_task"]) == ["quality", "light"]  # the earlier numbers stay
    command = ["judge", str(tmp_path / "run"), str(tmp_path / "set" / "labels.csv"), "--confidence", "words"]
    out = tmp_path / "out.jsonl"
    assert main([*command, "--target-agreement", "0.05", "--delta", "0.5", "--out", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    for name, part in summary["by_task"].items():
        own = [line for line in lines if line["task"] == name]
        assert part["trust"]["trusted"] == sum(line["trusted"] for line in own) > 0
    assert main([*command, "--target-agreement", "0.9"]) == 2
    assert "has 18 labelled samples, one a group" in capsys.readouterr().err
    draw_criteria(tmp_path / "new", 65)  # the first 60 are those of the run
    next_command = ["disagreements", str(tmp_path / "run"), "--unlabelled", str(tmp_path / "new" / "images"), "-n", "2"]
    assert main([*next_command, "--confidence", "words"]) == 2
    assert "several criteria (quality, light); add --task NAME" in capsys.readouterr().err
    assert main([*next_command, "--confidence", "words", "--task", "light"]) == 0
    assert "60 with a label or in the run's dataset" in capsys.readouterr().err
    rows = (tmp_path / "run" / "to-label.light" / "labels.csv").read_text().splitlines()
    assert rows[0] == "id,image,light,verdict,confidence" and len(rows) == 3


def test_the_runs_own_split_sets_a_threshold(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = str(run.parent / "set" / "images" / "000.png")
    assert main(["judge", str(run), image, "--confidence", "words", "--target-agreement", "0.9"]) == 2
    assert "has 24 labelled samples, one a group, and an agreement of 0.9" in capsys.readouterr().err


def test_a_judge_without_a_confidence_and_a_damaged_file_are_named(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["confidence", str(run), "--confidence", "words", "--delta", "1"]) == 2
    assert "--delta 1: must be above 0 and below 1" in capsys.readouterr().err
    assert main(["confidence", str(run)]) == 2
    assert "its judge has no confidence; give --confidence repeats or words" in capsys.readouterr().err
    damaged = shutil.copytree(run, run.parent / "damaged")
    (damaged / "confidence").mkdir(exist_ok=True)
    (damaged / "confidence" / "confidence.json").write_text("{}")
    assert main(["report", str(damaged)]) == 2
    assert "is damaged; write it again with `blpo confidence" in capsys.readouterr().err


def test_a_replay_covers_verdicts_without_a_confidence_never() -> None:
    usage = {"input_tokens": 0, "output_tokens": 0, "usd": None}
    items = [
        JudgedSample(Sample(str(n), (), 3), Verdict(str(n), "ok", 3 if n < 5 else 2), usage, None, c)  # type: ignore[arg-type]
        for n, c in enumerate([0.9, 0.9, 0.8, 0.7, 0.7, 0.6, 0.5, None, None, None])
    ]
    rows = replay(items)
    assert [(row["threshold"], row["coverage"], row["left"]) for row in rows] == [
        (0.9, 0.2, 8),
        (0.8, 0.3, 7),
        (0.7, 0.5, 5),
        (0.6, 0.6, 4),
        (0.5, 0.7, 3),
    ]
    assert [row["agreement"] for row in rows] == pytest.approx([1, 1, 1, 5 / 6, 5 / 7])
    assert replay([]) == []
