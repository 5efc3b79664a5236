"""`blpo runs`: a line per run, also for killed, running and broken runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from blpo.cli.main import main
from blpo.reports.run_rows import run_rows
from blpo.runs.run_directory import RunDirectory
from tests.made_run import draw_images, make_run

USAGE = {"issued": 7, "cached": 0, "failed": 0, "input_tokens": 1, "output_tokens": 1, "usd": None}
EVENTS = [
    {"event": "started", "run": "", "metric": "kappa", "outer_rounds": 5, "inner_steps": 5},
    {"event": "judged", "round": 0, "metric": "kappa", "validation": 0.2},
    {"event": "phase", "round": 0, "phase": "verbalize", "usage": {"judge": USAGE}},
    {"event": "judged", "round": 1, "metric": "kappa", "validation": 0.3},
    {"event": "judged", "round": 2, "metric": "kappa", "validation": 0.25},
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs")
    draw_images(folder, "abababab" * 2, 32)
    task: dict[str, object] = {"kind": "categorical", "labels": ["a", "b"]}
    return make_run(folder, task, ["First.", "Second."], lambda i, _: "a", lambda i, sample: sample.label)


@pytest.fixture
def runs(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder `runs` with a finished run in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished, tmp_path / "runs" / "done")
    return tmp_path / "runs"


def another(runs: Path, name: str, **change: Any) -> Path:
    """Copy the finished run with a changed result.json, or without result.json if nothing changes."""
    shutil.copytree(runs / "done", runs / name)
    result = json.loads((runs / name / "result.json").read_text())
    (runs / name / "result.json").unlink()
    if change:
        (runs / name / "result.json").write_text(json.dumps({**result, **change}))
    return runs / name


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, Any]]:
    assert main(["runs", "--json", *arguments]) == 0
    return {Path(row["run"]).name: row for row in json.loads(capsys.readouterr().out)}


def test_a_finished_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = listed(capsys)["done"]
    result = json.loads((runs / "done" / "result.json").read_text())
    assert (row["run"], row["status"], row["split"], row["rounds"]) == ("runs/done", "complete", "test", 1)
    assert row["before"] == result["test"]["initial"]["strict"]["macro_f1"] < row["after"] == 1.0
    assert (row["calls"], row["usd"], row["p_value"]) == (2412, 3.25, result["test"]["p_value"])
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "runs/done complete 0.333 -> 1.000" in out and "2412" in out and "3.25" in out
    assert listed(capsys, "runs/done").keys() == {"done"}


def test_runs_without_a_last_word_tell_what_their_events_do(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("killed", "working", "asking", "failed"):
        another(runs, name)
        lines = [json.dumps(event) for event in EVENTS]
        (runs / name / "events.jsonl").write_text("\n".join(lines) + '\n{"event": "jud')  # a line cut short by a kill
    question = {"round": 1, "prompt": "judge", "old": "a", "new": "b", "diff": "", "score": None, "judged": 0}
    question |= {"max_prompt_tokens": 9, "fixed": 0, "broken": 0, "fixes": [], "breaks": []}
    result = json.loads((runs / "done" / "result.json").read_text()) | {"test": None}
    (runs / "asking" / "result.json").write_text(json.dumps(result | {"status": "interrupted", "question": question}))
    (runs / "failed" / "result.json").write_text(json.dumps(result | {"status": "failed", "stop_reason": "it\nbroke"}))
    run = RunDirectory.open(runs / "working")
    try:
        rows = listed(capsys)
        assert (runs / "working" / "lock").exists() and rows["working"]["status"] == "running"
        with pytest.raises(Exception, match="another process"):
            RunDirectory.open(runs / "working")
    finally:
        run.close()
    assert rows["killed"]["status"] == "stopped" and rows["asking"]["status"] == "waiting"
    assert (rows["failed"]["status"], rows["failed"]["note"]) == ("failed", "it broke")
    for name in ("killed", "working"):
        values = {key: rows[name][key] for key in ("metric", "split", "before", "after", "rounds", "calls", "usd")}
        expected = {"metric": "kappa", "split": "validation", "before": 0.2, "after": 0.3, "rounds": 2, "calls": 7}
        assert values == {**expected, "usd": None}
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    assert "kappa 0.200 -> 0.300 (val)" in out and "macro-F1 0.333 -> 1.000 " in out
    assert "runs/failed: it broke" in out


def test_broken_directories_are_rows_that_say_so(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, file, text in [
        ("empty", "lock", ""),
        ("torn", "run.json", '{"format"'),
        ("future", "run.json", '{"format": 99}'),
        ("hostile\x1b[31m", "run.json", "[]"),
    ]:
        (runs / name).mkdir()
        (runs / name / file).write_text(text)
    another(runs, "damaged", stop_reason=3)
    (runs / "notes").mkdir()
    (runs / "checkpoints.sqlite").write_text("")
    rows = listed(capsys)
    assert {name for name, row in rows.items() if row["status"] == "broken"} == rows.keys() - {"done"}
    assert "notes" not in rows and len(rows) == 6
    assert "has no run.json" in rows["empty"]["note"] and "run format 99" in rows["future"]["note"]
    assert rows["damaged"]["note"] == "result.json is damaged; blpo resume writes it again"
    assert main(["runs"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["runs"]) == 0
    assert capsys.readouterr().err == "blpo: no runs in runs; blpo optimize begins one\n"
    assert main(["runs", "elsewhere"]) == 2
    assert capsys.readouterr().err == "blpo: elsewhere: is no folder; give one that holds runs\n"
    assert listed(capsys) == {}


def test_the_newest_is_the_last(runs: Path) -> None:
    for name, created in (("b", "2026-01-02T00:00:00+00:00"), ("a", "2027-01-01T00:00:00+00:00")):
        info = json.loads((another(runs, name, status="budget") / "run.json").read_text())
        (runs / name / "run.json").write_text(json.dumps({**info, "created": created}))
    assert [Path(row.run).name for row in run_rows(runs)] == ["b", "done", "a"]
