"""Comparison, disagreements and corrections of runs with several criteria."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

import blpo
from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.reports.comparison import compare_runs
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import strict_difference
from state.errors import ConfigError, RunError


@pytest.fixture(scope="module")
def worse(criteria_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with the first prompt's verdicts in place of the selected ones."""
    run = tmp_path_factory.mktemp("worse") / "worse"
    shutil.copytree(criteria_run, run)
    shutil.copy(run / "verdicts" / "initial.jsonl", run / "verdicts" / "best.jsonl")
    return run


def test_runs_of_the_same_criteria_are_compared_over_all(
    criteria_run: Path, worse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["compare", str(criteria_run), str(worse), "--out", str(page)]) == 0
    out = capsys.readouterr().out
    comparison = compare_runs([RunRecord.read(criteria_run), RunRecord.read(worse)])
    test, against = RunRecord.read(criteria_run).result["test"], comparison.entries[1].against
    assert test is not None and against is not None
    assert against.difference == pytest.approx(-strict_difference(test, "above_chance"))
    assert against.p_value == pytest.approx(test["p_value"])
    assert "agreement above chance on 24 shared test samples in 12 groups" in out
    names = [line.split()[0] for line in out.splitlines() if line.startswith(("quality", "light"))]
    assert names == ["quality", "light"]
    assert "By task, selected prompt of each run" in page.read_text()


def test_one_task_is_compared_as_a_single_task(
    criteria_run: Path, worse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", str(criteria_run), str(worse), "--task", "quality", "--out", str(tmp_path / "page.html")]
    assert main([*arguments, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    test = RunRecord.read(criteria_run).result["test"]
    assert test is not None
    quality = test["by_task"]["quality"]
    assert (numbers["metric"], numbers["shared"]) == ("quadratic_kappa", 12)
    first, second = numbers["runs"]
    assert first["best"]["strict"]["quadratic_kappa"] == pytest.approx(quality["best"])
    assert second["against_first"]["p_value"] == pytest.approx(quality["p_value"])
    assert 'alt="Image of sample s' in (tmp_path / "page.html").read_text()
    with pytest.raises(RunError, match="has no task sharp; its tasks are quality, light"):
        compare_runs([RunRecord.read(criteria_run), RunRecord.read(worse)], "sharp")


def test_runs_of_other_tasks_name_a_task_in_common(criteria_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(criteria_run, other)
    text = (other / "config.yaml").read_text()
    (other / "config.yaml").write_text(text.replace("- dark\n", "- dim\n"))
    assert load_settings(other / "config.yaml").task_names == ("quality", "light")
    with pytest.raises(RunError, match=r"has other tasks than .*; compare by one task of both: --task quality"):
        compare_runs([RunRecord.read(criteria_run), RunRecord.read(other)])


def test_disagreements_name_their_task(criteria_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = blpo.disagreements(criteria_run)
    of_light = blpo.disagreements(criteria_run, "light")
    assert of_light == [each for each in everything if each.task == "light"] and len(of_light) > 0
    assert main(["disagreements", str(criteria_run), "--task", "light", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == len(of_light) and {row["task"] for row in rows} == {"light"}
    with pytest.raises(ConfigError, match="no task sharp; its tasks are quality, light"):
        blpo.disagreements(criteria_run, "sharp")
