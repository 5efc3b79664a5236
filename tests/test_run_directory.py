"""Run directories that are killed, moved, copied, damaged or missing: what is kept, said, and never paid again."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import blpo
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import Fault, staying
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
        paid, asked = issued(run), server.count
        written = {path: path.read_text() for path in run.rglob("*.jsonl") if path.name != "events.jsonl"}
        shutil.rmtree(run / "verdicts")
        shutil.rmtree(run / "rounds")
        (run / "result.json").unlink()  # as a kill before it was written would leave it
        assert (await blpo.resume(run))["status"] == "complete"
        assert (issued(run), server.count) == (paid, asked)
    assert {path: path.read_text() for path in written} == written
    rows = [json.loads(line) for line in (run / "verdicts" / "initial.jsonl").read_text().splitlines()]
    failed = [row for row in rows if row["status"] == "error"]
    assert failed
    assert all(row["verdict"] is None and row["reason"].endswith(" (not asked again)") for row in failed)
