"""`resume` makes missing and damaged files of a run again; other damage is told in one line with the remedy."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.runs.run_progress import past_progress
from blpo.runs.start_and_resume import are_raised
from state.errors import BlpoError, ConfigError, RunError, StoreError
from state.settings import LimitSettings
from tests.small_set import draw_dataset

SEARCH = {"outer_rounds": 3, "inner_steps": 0, "error_batch": 4, "anchors": 2, "patience": None}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    draw_dataset(folder / "set")
    return folder


@pytest.fixture
async def run(finished: Path, tmp_path: Path) -> Path:
    if not (finished / "runs").exists():
        config = {"data": {"path": str(finished / "set")}, "search": SEARCH}
        await blpo.optimize({**config, "run": {"dir": str(finished / "runs" / "run")}}, progress=False)
    shutil.copytree(finished / "runs", tmp_path / "runs")
    return tmp_path / "runs" / "run"


def issued(run: Path) -> int:
    database = sqlite3.connect(run / "responses.sqlite")
    number = int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
    database.close()
    return number


def texts(run: Path) -> dict[str, str]:
    files = [*run.glob("verdicts/*"), *run.glob("rounds/*/*"), run / "judge.yaml"]
    return {str(file.relative_to(run)): file.read_text() for file in files}


DAMAGE: list[Callable[[Path], Any]] = [
    lambda run: shutil.rmtree(run / "verdicts"),
    lambda run: (run / "verdicts" / "best.jsonl").write_text("{half"),
    lambda run: (run / "rounds" / "00" / "trials.jsonl").unlink(),
    lambda run: (run / "rounds" / "00" / "record.json").write_text("{}"),
    lambda run: (run / "rounds" / "01" / "errors.jsonl").write_bytes(b"\xff\n"),
    lambda run: (run / "judge.yaml").unlink(),
    lambda run: (run / "result.json").write_text("[" * 100_000),
]


@pytest.mark.parametrize("damage", DAMAGE)
async def test_resume_writes_missing_and_damaged_files_again(run: Path, damage: Callable[[Path], Any]) -> None:
    before, paid = texts(run), issued(run)
    damage(run)
    result = (await blpo.resume(run, progress=False)).result
    assert texts(run) == before
    assert issued(run) == paid
    assert result["status"] == "complete"


async def test_resume_makes_a_report_that_is_missing_or_old(run: Path) -> None:
    page = run / "report.html"
    page.unlink()
    await blpo.resume(run, progress=False)
    assert page.exists()
    new = page.stat().st_mtime_ns
    await blpo.resume(run, progress=False)
    assert page.stat().st_mtime_ns == new  # a report that is new stays
    os.utime(page, (0, 0))
    await blpo.resume(run, progress=False)
    assert page.stat().st_mtime > 0


def overwrite(file: Path, start: int) -> None:
    content = bytearray(file.read_bytes())
    content[start:] = b"\x55" * (len(content) - start)
    file.write_bytes(content)


@pytest.mark.parametrize("start", [0, 4096])
async def test_damaged_checkpoints_are_deleted_and_replayed_at_no_cost(run: Path, start: int) -> None:
    result, paid = json.loads((run / "result.json").read_text()), issued(run)
    (run / "result.json").unlink()
    checkpoints = run.parent / "checkpoints.sqlite"
    overwrite(checkpoints, start)
    with pytest.raises(RunError, match=r"checkpoints .* are damaged .*Delete the file: `blpo resume` .* no cost"):
        await blpo.resume(run, progress=False)
    checkpoints.unlink()
    again = (await blpo.resume(run, progress=False)).result
    assert (again["rounds"], again["test"]) == (result["rounds"], result["test"])
    assert issued(run) == paid


@pytest.mark.parametrize("start", [0, 4096])
async def test_a_damaged_response_store_is_to_be_restored(run: Path, start: int) -> None:
    (run / "result.json").unlink(missing_ok=True)
    overwrite(run / "responses.sqlite", start)
    with pytest.raises(RunError, match=r"responses.sqlite is damaged .*Restore the file from a backup"):
        await blpo.resume(run, progress=False)


async def test_damaged_scores_of_an_answer_are_one_line(run: Path) -> None:
    (run / "result.json").unlink()
    database = sqlite3.connect(run / "responses.sqlite")
    database.execute("UPDATE responses SET scores = '[1, 2'")
    database.commit()
    database.close()
    with pytest.raises(StoreError, match="damaged scores of an answer"):
        await blpo.resume(run, progress=False)


def test_a_deep_run_json_is_one_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "run.json").write_text("[" * 200_000)
    assert main(["resume", str(run)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "run.json can't be read" in line


def test_a_deep_event_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("[" * 200_000 + "\n")
    assert past_progress(tmp_path).run == ""


@pytest.mark.parametrize("name", ["run.dir", "run.checkpoints", "data.path", "prompts.judge_file"])
def test_a_nul_in_a_path_is_one_line(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: holds a NUL"):
        load_settings(None, [f'{name}="a\\0b"'])


async def test_a_nul_in_the_path_of_a_run_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BlpoError, match="null"):
        await blpo.resume(f"{tmp_path}/a\0b", progress=False)


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [
        ({"calls": 10}, {"calls": 11}, True),
        ({"calls": 10}, {}, True),
        ({"calls": 10}, {"calls": 9}, False),
        ({"calls": 10}, {"calls": 10, "tokens": 5}, False),
        ({"calls": 10}, {"calls": 10, "max_failure_rate": 1}, False),
    ],
)
def test_only_a_higher_limit_goes_on(before: dict[str, Any], after: dict[str, Any], raised: bool) -> None:
    assert are_raised(LimitSettings(**before), LimitSettings(**after)) is raised


async def test_a_lower_limit_keeps_a_finished_test(finished: Path, run: Path, tmp_path: Path) -> None:
    config = {"data": {"path": str(finished / "set")}, "search": SEARCH, "run": {"dir": str(tmp_path / "b" / "run")}}
    whole = issued(run)
    spent = (await blpo.optimize({**config, "limits": {"calls": whole - 5}}, progress=False)).result
    assert (spent["status"], spent["test"] is None) == ("budget", False)
    again = (await blpo.resume(tmp_path / "b" / "run", overrides=["limits.calls=20"], progress=False)).result
    assert again == spent
