"""Runs over samples in groups: the test treats a group as one observation, and every page gives the number."""

import json
import shutil
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.metrics.significance import compare_prompts
from blpo.runs.run_record import RunRecord
from state.verdict import Verdict
from tests.small_set import draw_dataset, edit_labels

pytestmark = pytest.mark.slow


def add_groups(rows: list[dict[str, str]]) -> None:
    """Put three samples into a group; the last six samples have no group."""
    for i, row in enumerate(rows):
        row["group"] = f"text {i // 3}" if i < len(rows) - 6 else ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_dataset(tmp_path_factory.mktemp("groups") / "set", 60)
    edit_labels(folder, add_groups)
    command = ["optimize", str(folder / "config.yaml"), "--set", "data.group=group", "--quiet"]
    assert main([*command, "--run-dir", str(folder.parent / "run")]) == 0
    return folder.parent / "run"


def test_the_test_of_a_run_swaps_its_groups(finished: Path) -> None:
    run = RunRecord.read(finished)
    test = run.result["test"]
    assert test is not None
    keys = [key for key, row in run.best.items() if row.split == "test"]
    names = [run.best[key].group for key in keys]
    assert any(names)
    assert test["groups"] == len(set(names) - {None}) + names.count(None) < len(keys)
    old, new = ([Verdict(key, "ok", rows[key].verdict) for key in keys] for rows in (run.initial, run.best))
    labels = [run.best[key].label for key in keys]
    p_value, interval = compare_prompts(old, new, labels, run.settings.task, run.settings.search.metric, 0, names)
    assert (test["p_value"], test["difference_ci95"]) == (p_value, list(interval))


def test_terminal_and_report_give_the_number_of_groups(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    test = RunRecord.read(finished).result["test"]
    assert test is not None
    n, groups = test["best"]["n"], test["groups"]
    assert main(["resume", str(finished), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert f"{n} untouched samples in {groups} groups" in text
    assert "Agreement with people on test" in text
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert f"on the test split, {n} samples in {groups} groups</caption>" in page
    assert f"A test of {n} samples in {groups} groups is small" in page


def test_a_comparison_gives_the_number_of_groups(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = RunRecord.read(finished).result["test"]
    assert test is not None
    shutil.copytree(finished, tmp_path / "copy")
    command = ["compare", str(finished), str(tmp_path / "copy"), "--out", str(tmp_path / "page.html")]
    assert main(command) == 0
    size = f"{test['best']['n']} shared test samples in {test['groups']} groups"
    assert size in " ".join(capsys.readouterr().out.split())
    assert size in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["groups"] == test["groups"]


@pytest.fixture(scope="module")
def of_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("sample") / "run"
    small = ["data.limit=40", "search.outer_rounds=1", "search.inner_steps=0"]
    assert main(["optimize", *(word for key in small for word in ("--set", key)), "--run-dir", str(run), "-q"]) == 0
    return run


def test_tables_name_the_labels_of_the_sample(of_sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", str(of_sample), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Agreement with the sample's labels on test" in text and "people" not in text
    page = (of_sample / "report.html").read_text(encoding="utf-8")
    assert "Agreement with the sample&#39;s labels on the test split" in page
    assert "with people" not in page


def test_a_run_of_another_version_of_the_sample_is_read_but_not_resumed(
    of_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(of_sample, run)
    shutil.copy(of_sample.parent / "checkpoints.sqlite", tmp_path)
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "dataset": "0" * 64}))
    assert main(["resume", str(run), "--quiet"]) == 0
    assert main(["report", str(run)]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "the run used another version of the built-in sample" in page and "data.path=NEW" not in page
    (run / "result.json").unlink()
    capsys.readouterr()
    assert main(["resume", str(run), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "the run began with another version of the built-in sample; start a new run" in error
