"""Runs in a team's PostgreSQL: the same results as in files, clear errors, and no password in files."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import blpo
from blpo.runs.run_info import read_info
from blpo.storage.checkpoints import open_checkpoints
from state.errors import RunError, StoreError, TooManyFailures
from state.result import Result
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import Fault, staying
from tests.servers.postgres import PASSWORD, Cluster, cluster, programs
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

SMALL: dict[str, Any] = {"search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 6}}


def config(directory: Path, checkpoints: str | None = "postgres", **sections: Any) -> dict[str, Any]:
    return {**SMALL, **sections, "run": {"dir": str(directory), "checkpoints": checkpoints}}


def comparable(result: Result) -> dict[str, Any]:
    return {**result, "calls": None, "spent": None, "seconds": None}


@pytest.fixture(scope="module", autouse=True)
def dataset(tmp_path_factory: pytest.TempPathFactory) -> None:
    SMALL["data"] = {"path": str(draw_dataset(tmp_path_factory.mktemp("data") / "set", 60))}


@pytest.fixture(scope="module")
def in_files(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Result of the same run with files."""
    return asyncio.run(blpo.optimize(config(tmp_path_factory.mktemp("files") / "run", None))).result


async def test_runs_share_answers_and_agree_with_one_in_files(
    database_url: str, in_files: Result, tmp_path: Path
) -> None:
    first = (await blpo.optimize(config(tmp_path / "first"))).result
    second = (await blpo.optimize(config(tmp_path / "second"))).result
    assert comparable(first) == comparable(second) == comparable(in_files)
    assert first["calls"] == in_files["calls"]
    assert {role: usage["issued"] for role, usage in second["calls"].items()} == dict.fromkeys(second["calls"], 0)
    for role, usage in second["calls"].items():
        assert usage["cached"] == first["calls"][role]["issued"] + first["calls"][role]["cached"]
    assert not [path for path in tmp_path.rglob("*.sqlite*")]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and PASSWORD in path.read_text()]


async def test_two_runs_at_the_same_time_pay_once(database_url: str, in_files: Result, tmp_path: Path) -> None:
    first, second = await asyncio.gather(*(blpo.optimize(config(tmp_path / name)) for name in ("a", "b")))
    assert comparable(first.result) == comparable(second.result) == comparable(in_files)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT count(*), count(DISTINCT key) FROM blpo.run_calls").fetchone()
    assert row is not None and row[0] == row[1] > 90


async def test_answers_of_another_run_are_used_in_the_steps_that_lacked_them(
    database_url: str, in_files: Result, tmp_path: Path
) -> None:
    """A run goes on without some answers, and stops in an outage. Another run pays for the same requests."""
    model = {"price": {"input": 0, "output": 0}, "max_retries": 0}
    requests, failing = 0, staying(0.1, [Fault(status=500)])

    def fault_of(request: dict[str, Any]) -> Fault:
        nonlocal requests
        requests += 1
        return failing(request) if requests <= 60 else Fault(status=500)

    async with ChatServer(respond=embedded_answer, faults=fault_of) as server:
        roles = ("judge", "verbalizer", "optimizer")
        models = {role: {"name": f"vllm:{role}", "base_url": server.base_url, **model} for role in roles}
        settings = config(tmp_path / "first", models=models, limits={"max_failure_rate": 0.4})
        with pytest.raises(TooManyFailures):
            await blpo.optimize(settings, progress=False)
        partial = json.loads((tmp_path / "first" / "result.json").read_text())
        server.faults = iter(())
        second = (await blpo.optimize(config(tmp_path / "second", models=models), progress=False)).result
        count = server.count
        first = (await blpo.resume(tmp_path / "first", progress=False)).result
        assert server.count == count
    assert partial["rounds"][0]["validation"]["coverage"] < 1
    assert comparable(first) == comparable(second) == comparable(in_files)
    assert "warnings" not in first


async def test_a_higher_budget_goes_on_and_pays_nothing_twice(
    database_url: str, in_files: Result, tmp_path: Path
) -> None:
    spent = (await blpo.optimize(config(tmp_path / "run", limits={"calls": 60}))).result
    assert spent["status"] == "budget"
    assert sum(usage["issued"] for usage in spent["calls"].values()) <= 60
    result = (await blpo.resume(tmp_path / "run", overrides=["limits.calls=null"])).result
    assert comparable(result) == comparable(in_files)
    assert {r: u["issued"] for r, u in result["calls"].items()} == {
        r: u["issued"] for r, u in in_files["calls"].items()
    }


async def test_without_its_checkpoints_a_run_is_replayed_at_no_cost(
    database_url: str, in_files: Result, tmp_path: Path
) -> None:
    before = (await blpo.optimize(config(tmp_path / "run"))).result
    async with open_checkpoints("postgres") as saver:
        await saver.adelete_thread(read_info(tmp_path / "run").thread_id)
    (tmp_path / "run" / "result.json").unlink()
    result = (await blpo.resume(tmp_path / "run")).result
    assert comparable(result) == comparable(in_files)
    assert {r: u["issued"] for r, u in result["calls"].items()} == {r: u["issued"] for r, u in before["calls"].items()}


async def test_another_database_does_not_know_the_run(
    database_url: str, postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await blpo.optimize(config(tmp_path / "run"))
    (tmp_path / "run" / "result.json").unlink()
    monkeypatch.setenv("BLPO_DATABASE_URL", postgres.url(postgres.new_database()))
    with pytest.raises(RunError, match="this database does not know the run"):
        await blpo.resume(tmp_path / "run")
    with pytest.raises(RunError, match="do not move between a file and a database"):
        monkeypatch.setenv("BLPO_DATABASE_URL", database_url)
        await blpo.resume(tmp_path / "run", overrides=["run.checkpoints=null"])


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """A PostgreSQL server for a test that stops the server."""
    if programs() is None and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with cluster() as running:
        yield running


@pytest.mark.parametrize("moment", ["judge", "evaluate_test"])
async def test_a_server_that_is_gone_ends_the_run_and_resuming_goes_on(
    own_server: Cluster, in_files: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The server crashes in the first round, and again in the test."""
    monkeypatch.setenv("BLPO_DATABASE_URL", own_server.url(own_server.new_database()))
    crashed = False

    def crash(event: Any) -> None:
        nonlocal crashed
        if not crashed and event.get("phase") == moment:
            crashed = True
            own_server.stop(abruptly=True)

    with pytest.raises(StoreError, match=r"BLPO_DATABASE_URL: .*was lost; when the server is back, resume") as caught:
        await blpo.optimize(config(tmp_path / "run"), on_event=crash)
    assert PASSWORD not in str(caught.value) and "\n" not in str(caught.value)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert (result["status"], result["stop_reason"]) == ("failed", str(caught.value))
    with pytest.raises(StoreError, match=r"no server answers at 127\.0\.0\.1"):
        await blpo.resume(tmp_path / "run")
    own_server.start()
    result = (await blpo.resume(tmp_path / "run")).result
    assert comparable(result) == comparable(in_files)
    with psycopg.connect(os.environ["BLPO_DATABASE_URL"]) as connection:
        paid_again = connection.execute(
            "SELECT count(*) FROM blpo.run_calls WHERE outcome = 'ok' GROUP BY key HAVING count(*) > 1"
        ).fetchall()
    assert paid_again == []


async def test_a_saver_that_outlives_its_server_connects_again(
    own_server: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLPO_DATABASE_URL", own_server.url(own_server.new_database()))
    thread: Any = {"configurable": {"thread_id": "t"}}
    async with open_checkpoints("postgres") as saver:
        assert await saver.aget_tuple(thread) is None
        own_server.stop()
        for _ in range(2):
            with pytest.raises(StoreError, match="BLPO_DATABASE_URL"):
                await saver.aget_tuple(thread)
        own_server.start()
        assert await saver.aget_tuple(thread) is None
