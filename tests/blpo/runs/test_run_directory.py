"""Run directories after a kill, a move, a copy or damage: nothing is paid twice, and messages are clear."""

import asyncio
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from langgraph.runtime import RunControl
from PIL import Image

import blpo
from blpo.cli.main import main
from state.errors import BlpoError
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import Fault, staying
from tests.small_set import blpo as blpo_command
from tests.small_set import draw_dataset

SEARCH = {"outer_rounds": 1, "inner_steps": 0, "error_batch": 4, "anchors": 2}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return draw_dataset(tmp_path / "set")


def config(folder: Path, run: Path, **sections: dict[str, Any]) -> dict[str, Any]:
    return {"data": {"path": str(folder / "labels.csv")}, "search": SEARCH, "run": {"dir": str(run)}, **sections}


def issued(run: Path) -> int:
    database = sqlite3.connect(run / "responses.sqlite")
    number = int(database.execute("SELECT count(*) FROM calls").fetchone()[0])
    database.close()
    return number


async def test_writing_the_files_of_a_finished_run_asks_for_nothing(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    wrong = staying(0.15, [Fault(status=400), Fault(status=500), Fault(body="wrong_label")])
    async with ChatServer(respond=embedded_answer, faults=wrong) as server:
        judge = {"name": "vllm:judge", "base_url": server.base_url, "max_retries": 0}
        models = {"judge": judge, "optimizer": {"name": "embedded:optimizer"}}
        await blpo.optimize(config(folder, run, models=models, limits={"max_failure_rate": 1}))
        paid, requests = issued(run), server.count
        texts = {path: path.read_text() for path in run.rglob("*.jsonl") if path.name != "events.jsonl"}
        shutil.rmtree(run / "verdicts")
        shutil.rmtree(run / "rounds")
        (run / "result.json").unlink()  # as a kill before it was written would leave it
        assert (await blpo.resume(run)).result["status"] == "complete"
        assert (issued(run), server.count) == (paid, requests)
    assert {path: path.read_text() for path in texts} == texts
    rows = [json.loads(line) for line in (run / "verdicts" / "initial.jsonl").read_text().splitlines()]
    failed = [row for row in rows if row["status"] == "error"]
    assert failed
    assert all(row["verdict"] is None and row["reason"].endswith(" (not asked again)") for row in failed)


async def interrupted(config: dict[str, Any]) -> None:
    """Run until the first trial begins."""
    control = RunControl()

    def drain(event: Any) -> None:
        if event["event"] == "errors":
            control.request_drain("test")

    assert (await blpo.optimize(config, control=control, on_event=drain)).result["status"] == "interrupted"


async def resumed(run: Path, *overrides: str) -> tuple[dict[str, Any], list[str]]:
    """Resume a run; return the comparable result and the missing checkpoints."""
    missed: list[str] = []

    def look(event: Any) -> None:
        if event["event"] == "replayed":
            missed.append(event["checkpoints"])

    result = (await blpo.resume(run, overrides=overrides, on_event=look)).result
    counts = {role: usage["issued"] for role, usage in result["calls"].items()}
    return {**result, "calls": counts, "seconds": None}, missed


async def test_a_moved_or_copied_run_goes_on(folder: Path, tmp_path: Path) -> None:
    await interrupted(config(folder, tmp_path / "runs" / "a"))
    shutil.copytree(tmp_path / "runs" / "a", tmp_path / "runs" / "copy")
    shutil.copytree(tmp_path / "runs" / "a", tmp_path / "other" / "a")
    shutil.move(tmp_path / "runs", tmp_path / "moved")
    assert json.loads((tmp_path / "moved" / "a" / "run.json").read_text())["checkpoints"] == "../checkpoints.sqlite"

    expected, missed = await resumed(tmp_path / "moved" / "a")
    assert (expected["status"], missed) == ("complete", [])
    assert not (tmp_path / "runs").exists()
    without, missed = await resumed(tmp_path / "other" / "a")
    assert missed == [str(tmp_path / "other" / "checkpoints.sqlite")]
    assert without == expected


async def test_a_copy_leaves_the_thread_to_the_run_it_was_made_of(folder: Path, tmp_path: Path) -> None:
    await interrupted(config(folder, tmp_path / "a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    copied, missed = await resumed(tmp_path / "b")
    assert missed == [str(tmp_path / "checkpoints.sqlite")]
    original, missed = await resumed(tmp_path / "a")
    assert missed == []
    assert original == copied
    threads = {json.loads((tmp_path / name / "run.json").read_text())["thread_id"] for name in "ab"}
    assert len(threads) == 2


async def test_checkpoints_kept_elsewhere_may_move_or_go(folder: Path, tmp_path: Path) -> None:
    runs = {"dir": str(tmp_path / "a"), "checkpoints": str(tmp_path / "far" / "c.sqlite")}
    await interrupted({**config(folder, tmp_path / "a"), "run": runs})
    shutil.copytree(tmp_path / "a", tmp_path / "spare" / "a")
    shutil.move(tmp_path / "far", tmp_path / "near")
    expected, missed = await resumed(tmp_path / "a", f"run.checkpoints={tmp_path}/near/c.sqlite")
    assert missed == []
    shutil.rmtree(tmp_path / "a")
    again, missed = await resumed(tmp_path / "spare" / "a")
    assert missed == [str(tmp_path / "spare" / "checkpoints.sqlite")]
    assert again == expected
    assert not (tmp_path / "far").exists()


def test_a_replay_is_said_in_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(interrupted(config(folder, tmp_path / "a")))
    (tmp_path / "checkpoints.sqlite").unlink()
    assert main(["resume", "a"]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "replaying" in line]
    assert f"at no cost (no checkpoints to go on from in {tmp_path}/checkpoints.sqlite)" in line


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"judge": {"name": "openai:gpt-4o"}}, "openai:gpt-4o: needs a key; set OPENAI_API_KEY in the environment"),
        ({"judge": {"name": "opnai:gpt-4o"}}, "unknown provider 'opnai'"),
        ({"optimizer": {"name": "vllm:x"}}, "vllm:x: needs the server's address"),
        ({"optimizer": {"name": "community:ChatNobody"}}, "community"),
        ({"prompts": {"judge": "x" * 9000}}, "prompts.judge: it has about 2250 tokens"),
        ({"prompts": {"i2t": "Tell {{image}}."}}, "prompts.i2t: it holds the placeholder {{image}}; write out"),
    ],
)
async def test_what_can_be_known_is_known_before_anything_is_made(
    sections: dict[str, Any], message: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    prompts = sections.pop("prompts", {})
    models = {"optimizer": {"name": "embedded:optimizer"}, **sections}
    with pytest.raises(BlpoError, match=re.escape(message)):
        await blpo.optimize(config(folder, tmp_path / "runs" / "a", models=models, prompts=prompts))
    assert not (tmp_path / "runs").exists()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("finished")
    asyncio.run(blpo.optimize(config(draw_dataset(place / "set"), place / "run")))
    return place / "run"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": "long"}, "is damaged: seconds: Input should be a valid number; restore the file"),
        ({"seconds": -1}, "is damaged: seconds: "),
        ({"thread_id": None}, "is damaged: thread_id: "),
        ({"checkpoints": "a\0b"}, "is damaged: checkpoints: "),
        ({"dataset": ["x"]}, "is damaged: dataset: "),
    ],
)
def test_a_damaged_field_of_a_run_is_named(
    change: dict[str, Any], message: str, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    info = json.loads((finished / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps({**info, **change}))
    assert main(["resume", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith(f"blpo: {tmp_path}/run/run.json {message}")


@pytest.mark.parametrize("damage", [{"status": "fine"}, {"rounds": [{}]}, {"best_round": "x"}, {"calls": 3}, None])
def test_a_damaged_result_is_written_again_at_no_cost(
    damage: dict[str, Any] | None, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished.parent, tmp_path / "place")
    run, before = tmp_path / "place" / "run", json.loads((finished / "result.json").read_text())
    (run / "result.json").write_text(json.dumps({**before, **damage} if damage else [1]))
    assert main(["resume", str(run), "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["test"] == before["test"]
    assert issued(run) == issued(finished)


def test_what_cannot_change_on_resume_is_blamed_on_who_sets_it(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resume", str(finished), "--set", "limits.calls=9000", "--set", "search.seed=3"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("blpo: --set search.seed=3: can't change on resume (only approval, limits, ")
    assert len(err.splitlines()) == 1


def test_how_to_resume_is_said_only_where_it_helps(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    (tmp_path / "checkpoints.sqlite").write_bytes(b"no database at all, but some text" * 100)
    assert main(["resume", str(tmp_path / "run"), "--quiet"]) == 2
    err = capsys.readouterr().err
    assert f"the checkpoints {tmp_path / 'checkpoints.sqlite'} are damaged" in err
    assert "Delete the file" in err
    assert len(err.splitlines()) == 1


def test_a_huge_image_is_one_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("1", (10_000, 9_500)).save(folder / "images" / "002.png")
    done = blpo_command("check", str(folder / "config.yaml"))
    assert done.returncode == 2
    assert done.stdout.endswith("images/002.png: has more than 80 million pixels; scale the image down\n")
    assert done.stderr == "blpo: 1 problem found\n"


def test_a_config_that_is_no_runs_is_not_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "config.yaml").read_text()
    assert main(["optimize", str(folder / "config.yaml"), "--run-dir", str(folder)]) == 2
    assert "holds a config.yaml that is no run's" in capsys.readouterr().err
    assert (folder / "config.yaml").read_text() == before


def test_a_run_without_its_answers_does_not_pay_for_all_again(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    for name in ("result.json", "responses.sqlite"):
        (tmp_path / "run" / name).unlink()
    assert main(["resume", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(f"blpo: {tmp_path}/run/responses.sqlite is missing; restore it")
    assert not (tmp_path / "run" / "responses.sqlite").exists()
