"""A finished run with several criteria: terminal, page, verdict files, and the view of one criterion."""

import json
from pathlib import Path
from typing import Any

import pytest

from blpo.cli.summary import print_summary
from blpo.reports.evidence import Evidence
from blpo.reports.gallery import MOST_ITEMS, gallery
from blpo.reports.label_source import PEOPLE
from blpo.reports.progress_lines import progress_line
from blpo.reports.task_rows import MEAN, fallen, of_result
from blpo.runs.run_progress import Progress
from blpo.runs.run_record import RunRecord
from blpo.runs.task_record import TaskRecord
from blpo.runs.task_sentence import not_adopted, task_sentence
from blpo.runs.verdict_sentence import verdict
from state.events import JudgedEvent


def test_terminal_has_a_row_by_task_and_one_for_all(criteria_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunRecord.read(criteria_run)
    print_summary(run.result, str(criteria_run), PEOPLE)
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert run.result["test"] is not None
    for name, test in run.result["test"]["by_task"].items():
        cells = next(line for line in lines if line[:1] == [name])
        assert f"{test['initial']:.3f}" in cells and f"{test['best']:.3f}" in cells and f"{test['chance']:.3f}" in cells
    assert MEAN in out and "agreement above chance" in verdict(run.result)
    table = [line for line in out.splitlines() if line.startswith(("task ", "quality ", "light ", "all, "))]
    assert len(table) == 4 and max(map(len, table)) <= 80


def test_tasks_that_fell_are_named(criteria_run: Path) -> None:
    result = json.loads((criteria_run / "result.json").read_text())
    quality = result["test"]["by_task"]["quality"]
    quality |= {"initial": 0.9, "best": 0.5, "p_value": 0.001, "difference_ci95": [-0.6, -0.2]}
    sentence = task_sentence(result)
    assert "quality (quadratic kappa 0.900 -> 0.500, p = 0.001, worse)" in sentence and sentence in verdict(result)
    assert "no clear fall" in task_sentence(_with(result, "quality", p_value=0.04))
    result["test"]["initial"]["by_task"]["quality"]["value"] = 0.9
    result["test"]["best"]["by_task"]["quality"]["value"] = 0.5
    assert [row.name for row in fallen(of_result(result))] == ["quality"]
    result["rounds"][1]["fallen"] = ["quality", "light"]
    assert not_adopted(result).endswith("by more than search.floor: round 1 (quality, light).")


def test_line_of_a_round_names_the_tasks_that_fell() -> None:
    event = JudgedEvent(event="judged", round=2, metric="above_chance", validation=0.25, fallen=["match"])
    expected = "round 2: agreement above chance 0.250 on validation; not adopted: match fell"
    assert progress_line(event, Progress()) == expected


def _with(result: Any, task: str, **fields: object) -> Any:
    by_task = {**result["test"]["by_task"], task: {**result["test"]["by_task"][task], **fields}}
    return {**result, "test": {**result["test"], "by_task": by_task}}


def test_page_has_a_part_for_every_task(criteria_run: Path) -> None:
    page = (criteria_run / "report.html").read_text()
    assert page.count('<details class="edit task"') == 2 and '<option value="light">' in page
    assert "Correlations between criteria" in page and 'id="confusions"' not in page
    assert "how good the image looks" in page and 'data-task="quality"' in page


def test_gallery_has_the_same_share_of_every_task(criteria_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunRecord.read(criteria_run)
    whole = gallery(run, Evidence())
    assert whole.total == len(whole.items) <= MOST_ITEMS and set(whole.tasks) == {"quality", "light"}
    monkeypatch.setattr("blpo.reports.gallery.MOST_ITEMS", 5)
    assert [item.task for item in gallery(run, Evidence()).items] == ["quality"] * 2 + ["light"] * 2


def test_lines_of_verdicts_name_the_task(criteria_run: Path) -> None:
    lines = [json.loads(line) for line in (criteria_run / "verdicts" / "best.jsonl").read_text().splitlines()]
    assert {line["task"] for line in lines} == {"quality", "light"}
    assert all(line["id"].startswith(f"{line['task']}/") for line in lines)
    assert {row.item for row in RunRecord.read(criteria_run).best.values()} == {f"s{i}" for i in range(40)}


def test_one_task_is_seen_as_a_run_of_its_own(criteria_run: Path) -> None:
    run = RunRecord.read(criteria_run)
    assert run.result["test"] is not None
    for name, recorded in run.result["test"]["by_task"].items():
        task = TaskRecord.of(run, name)
        test, metric = task.result["test"], recorded["metric"]
        assert test is not None and task.result["metric"] == metric == task.settings.search.metric
        assert test["best"]["strict"] == recorded["strict"] and test["best"]["n"] == recorded["n"]
        assert test["initial"]["strict"][metric] == recorded["initial"]  # type: ignore[literal-required]
        assert all("/" not in key for key in task.best) and task.rounds == run.rounds
        values = [record["validation"]["strict"][metric] for record in task.result["rounds"]]  # type: ignore[literal-required]
        assert values == [record["validation"]["by_task"][name]["value"] for record in run.result["rounds"]]


def test_correlations_are_in_the_result(criteria_run: Path) -> None:
    test = RunRecord.read(criteria_run).result["test"]
    assert test is not None
    (record,) = test["correlations"]
    assert (record["criteria"], record["measure"], record["n"]) == (["quality", "light"], "spearman", 12)
    assert record["people"] is not None and -1 <= record["people"] <= 1
