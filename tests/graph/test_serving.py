"""Whole optimizations over HTTP: the embedded models behind a server with faults and restarts."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

import blpo
from state.errors import ModelError, TooManyFailures
from state.result import Result
from tests.forked_blpo import ForkedBlpo
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import FINE, PASSING, Body, Fault, staying, weather
from tests.small_set import ROOT, draw_dataset

pytestmark = pytest.mark.slow

KEY = "sk-serving+0123/456789&abcdef"
SMALL: dict[str, Any] = {"search": {"outer_rounds": 2, "inner_steps": 1, "error_batch": 6}}
FREE = {"input": 0, "output": 0}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)


def over_http(directory: Path, url: str, changes: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    model = {"base_url": url, "price": FREE, **(changes or {})}
    models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
    return {**SMALL, "models": models, "run": {"dir": str(directory)}, **sections}


def comparable(result: Result) -> dict[str, Any]:
    """Prompts, metrics and tokens: all but times, and numbers of calls."""
    counted = ("issued", "cached", "failed")
    usage = {role: {k: v for k, v in use.items() if k not in counted} for role, use in result["calls"].items()}
    return {**result, "calls": usage, "spent": None, "seconds": None}


def outcomes(directory: Path) -> Counter[str]:
    with sqlite3.connect(directory / "responses.sqlite") as db:
        rows = db.execute("SELECT outcome FROM calls").fetchall()
    db.close()
    return Counter(str(outcome) for (outcome,) in rows)


def answered_twice(directory: Path) -> int:
    with sqlite3.connect(directory / "responses.sqlite") as db:
        again = "SELECT count(*) FROM (SELECT 1 FROM calls WHERE outcome = 'ok' GROUP BY key HAVING count(*) > 1)"
        count = int(db.execute(again).fetchone()[0])
    db.close()
    return count


@pytest.fixture(scope="module", autouse=True)
def dataset(tmp_path_factory: pytest.TempPathFactory) -> None:
    SMALL["data"] = {"path": str(draw_dataset(tmp_path_factory.mktemp("data") / "set", 90))}


@pytest.fixture(scope="module")
def calm_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same search with the embedded models in the test process."""
    directory = tmp_path_factory.mktemp("calm") / "run"
    asyncio.run(blpo.optimize({**SMALL, "run": {"dir": str(directory)}}))
    return directory


@pytest.fixture(scope="module")
def calm(calm_run: Path) -> Result:
    result: Result = json.loads((calm_run / "result.json").read_text())
    return result


async def test_over_http_as_in_process(calm: Result, tmp_path: Path) -> None:
    async with ChatServer(respond=embedded_answer) as server:
        result = (await blpo.optimize(over_http(tmp_path / "run", server.base_url))).result
    assert comparable(result) == comparable(calm)
    assert result["calls"] == calm["calls"]
    assert server.count == sum(usage["issued"] for usage in result["calls"].values())
    assert server.most_at_once <= 3 * 16


async def test_a_tenth_of_all_responses_failing_in_every_way_changes_nothing(calm: Result, tmp_path: Path) -> None:
    met: Counter[Fault] = Counter()
    faults = (Fault(delay=20), *PASSING)

    def counted() -> Iterator[Fault]:
        for fault in weather(0.1, seed=1, faults=faults):
            met[fault] += 1
            yield fault

    async with ChatServer(respond=embedded_answer, faults=counted()) as server:
        config = over_http(tmp_path / "run", server.base_url, {"timeout": 2.5, "max_retries": 6})
        result = (await blpo.optimize(config)).result
    assert comparable(result) == comparable(calm)
    assert result["calls"]["judge"]["failed"] == 0
    assert set(met) == {*faults, FINE}
    assert 0.05 < 1 - met[FINE] / met.total() < 0.2


async def test_what_stays_wrong_gets_its_status_and_is_never_a_label(tmp_path: Path) -> None:
    bodies: tuple[Body, ...] = ("refusal", "malformed", "wrong_label", "empty")
    wrong = staying(0.4, [Fault(body=body) for body in bodies])

    def fault_of(request: dict[str, Any]) -> Fault:
        return wrong(request) if request["model"] == "judge" else FINE

    async with ChatServer(respond=embedded_answer, faults=fault_of) as server:
        limits = {"max_failure_rate": 1}
        config = over_http(tmp_path / "run", server.base_url, {"max_retries": 1}, limits=limits)
        result = (await blpo.optimize(config)).result
    rows = [json.loads(line) for line in (tmp_path / "run" / "verdicts" / "initial.jsonl").read_text().splitlines()]
    statuses = Counter(row["status"] for row in rows)
    assert set(statuses) == {"ok", "refused", "unparseable", "error"}
    assert all((row["verdict"] is None) == (row["status"] != "ok") for row in rows)
    assert all(row["verdict"] in (None, 1, 2, 3, 4, 5) for row in rows)
    batch = (tmp_path / "run" / "rounds" / "00" / "errors.jsonl").read_text().splitlines()
    assert all(json.loads(line)["status"] == "ok" for line in batch)
    assert result["status"] == "complete"
    measured = result["rounds"][0]["validation"]
    assert measured["coverage"] < 1
    strict, answered = measured["strict"]["accuracy"], measured["accuracy"]
    assert strict is not None and answered is not None and strict <= answered


async def test_most_responses_failing_stops_the_run_which_resumes_when_the_server_is_well(
    calm: Result, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, faults=weather(0.6, seed=2)) as server:
        with pytest.raises(TooManyFailures, match=r"judge calls failed after retries.*max_failure_rate.*resume"):
            await blpo.optimize(over_http(run, server.base_url, {"max_retries": 1}))
        result = json.loads((run / "result.json").read_text())
        assert result["status"] == "failed"
        assert "failed after retries" in result["stop_reason"]
        paid = outcomes(run)
        assert paid["ok"] > 0
        assert paid["failed"] > 0
        server.faults = iter(())
        before = server.count
        result = (await blpo.resume(run)).result
        assert server.count - before == outcomes(run).total() - paid.total()
    assert comparable(result) == comparable(calm)
    assert answered_twice(run) == 0


@contextmanager
def process(*options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-m", "tests.servers.chat_server", "--latency", "0.03", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server, server.stdout.readline().strip()
        finally:
            server.kill()


async def paid_for(run: Path, calls: int) -> None:
    while not (run / "run.json").exists() or not _has_calls(run) or outcomes(run)["ok"] < calls:
        await asyncio.sleep(0.02)


def _has_calls(run: Path) -> bool:
    if not (run / "responses.sqlite").exists():
        return False
    with sqlite3.connect(run / "responses.sqlite") as db:
        has_calls = db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'calls'").fetchone()[0] == 1
    db.close()
    return bool(has_calls)


@pytest.mark.parametrize("killed_at", [40, 85])
async def test_a_server_that_is_killed_and_started_again_costs_nothing_that_was_paid_for(
    killed_at: int, calm: Result, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    with process("--killed-at", str(killed_at)) as (
        server,
        url,
    ):  # in the midst of a batch: a few failures are tolerated
        with pytest.raises(TooManyFailures, match="Is a server running at"):
            await blpo.optimize(over_http(run, url, {"max_retries": 2}))
        assert server.wait() == -signal.SIGKILL
    assert outcomes(run)["ok"] >= killed_at - 3 * 16
    with process("--port", url.rpartition(":")[2].partition("/")[0]):
        result = (await blpo.resume(run)).result
    assert comparable(result) == comparable(calm)
    assert answered_twice(run) == 0


async def test_a_run_lives_through_a_short_outage(calm: Result, tmp_path: Path) -> None:
    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, latency=0.02) as server:
        url = server.base_url
        search = asyncio.create_task(blpo.optimize(over_http(run, url)))
        await paid_for(run, 30)
    await asyncio.sleep(0.6)
    async with ChatServer(respond=embedded_answer, port=int(url.rpartition(":")[2].partition("/")[0])):
        result = (await search).result
    assert comparable(result) == comparable(calm)
    assert answered_twice(run) == 0


async def command(*arguments: str | Path) -> tuple[int, str, str]:
    """Return exit code, output and messages of `blpo`."""
    with ForkedBlpo(*arguments, environment={"VLLM_API_KEY": KEY}) as process:
        return await asyncio.to_thread(process.wait), process.stdout, process.stderr


async def test_a_key_is_found_nowhere_also_where_the_server_tells_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [KEY, quote(KEY, safe=""), *(b64encode(f"{user}{KEY}".encode()).decode() for user in ("", "u:", "me:"))]
    dumped = json.dumps({"Authorization": f"Bearer {KEY}", "Host": "localhost"})
    echoed = Fault(status=400, message=f"Invalid image for key {KEY} (Bearer {KEY})")
    broken = Fault(status=500, message=f"could not authorise {' '.join(secrets)}; the headers were {dumped}")
    folder = tmp_path / "runs"
    async with ChatServer(
        respond=embedded_answer, faults=staying(0.6, [echoed, broken, Fault(body="tells_key")])
    ) as server:
        (tmp_path / "c.yaml").write_text(yaml.safe_dump(over_http(folder / "run", server.base_url, {"max_retries": 0})))
        code, output, errors = await command("optimize", tmp_path / "c.yaml", "--json")
        assert code == 1
        assert server.headers["authorization"] == f"Bearer {KEY}"
        server.faults, server.api_key = iter(()), "another"
        with pytest.raises(ModelError, match=r"Incorrect API key provided: \*\*\*") as refused:
            await blpo.resume(folder / "run")
    assert "***" in output
    assert "***" in errors
    forms = [form[2:-3] for form in secrets]
    messages = output + errors + str(refused.value) + caplog.text
    assert not [form for form in forms if form in messages]
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert any(file.name == "checkpoints.sqlite" for file in files)
    assert any(b"***" in file.read_bytes() for file in files)
    assert not [file for file in files if any(form.encode() in file.read_bytes() for form in forms)]


SPENT: dict[str, Callable[[Any], float]] = {
    "calls": lambda usage: usage["issued"],
    "tokens": lambda usage: usage["input_tokens"] + usage["output_tokens"],
    "usd": lambda usage: usage["usd"],
}


def spent(result: Result, what: str) -> float:
    return sum(SPENT[what](usage) for usage in result["calls"].values())


def dearest(run: Path, what: str) -> float:
    """Highest cost of a call so far; 0 for calls, because the budget counts calls beforehand."""
    cost = {"calls": "0", "tokens": "input_tokens + output_tokens", "usd": "usd"}[what]
    with sqlite3.connect(run / "responses.sqlite") as db:
        highest = float(db.execute(f"SELECT max({cost}) FROM calls").fetchone()[0])
    db.close()
    return highest


PRICE = {"input": 1.0, "output": 4.0}


def mean_of_first_judge_calls(run: Path, what: str) -> float:
    """Mean cost of a judge call under p_0."""
    with sqlite3.connect(run / "responses.sqlite") as db:
        first = "SELECT input_tokens, output_tokens FROM calls WHERE role = 'judge' ORDER BY id LIMIT 50"
        rows = db.execute(first).fetchall()
    db.close()
    costs = {"calls": (0, 0), "tokens": (1, 1), "usd": (PRICE["input"] / 1e6, PRICE["output"] / 1e6)}[what]
    return 1.0 if what == "calls" else sum(a * costs[0] + b * costs[1] for a, b in rows) / len(rows)


SCORED: dict[str, Any] = {"search": {**SMALL["search"], "trials": "scored"}}
"""A search that spends a budget call by call; pooled trials begin no round that the budget can't pay for."""


@pytest.fixture(scope="module")
def scored_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("scored") / "run"
    asyncio.run(blpo.optimize({**SMALL, **SCORED, "run": {"dir": str(directory)}}))
    return directory


@pytest.mark.parametrize("what", ["calls", "tokens", "usd"])
async def test_a_budget_is_kept_over_three_resumes_and_nothing_is_lost(
    what: str, scored_run: Path, tmp_path: Path
) -> None:
    run, at_once, before = tmp_path / "run", 4, 0.0
    each = mean_of_first_judge_calls(scored_run, what)
    calm: Result = json.loads((scored_run / "result.json").read_text())
    test = calm["test"]
    assert test is not None
    async with ChatServer(respond=embedded_answer) as server:
        config = over_http(run, server.base_url, {"max_concurrency": at_once, "price": PRICE}, **SCORED)
        for _ in range(4):
            limit = before + each * (2 * test["best"]["n"] + 7)  # the budget kept back for the test, and a few calls
            limit = limit if what == "usd" else round(limit)
            if not run.exists():
                result = (await blpo.optimize({**config, "limits": {what: limit}})).result
            else:
                result = (await blpo.resume(run, overrides=[f"limits.{what}={limit}"])).result
            assert (result["status"], result["stop_reason"]) == ("budget", "budget")
            assert before < spent(result, what) <= limit + at_once * dearest(run, what)
            best = yaml.safe_load((run / "judge.yaml").read_text())["judge_prompt"]
            assert best == calm["rounds"][0]["judge_prompt"]
            before = spent(result, what)
        count = server.count
        assert (await blpo.resume(run)).result == result
        assert server.count == count == spent(result, "calls")
        whole = (await blpo.resume(run, overrides=[f"limits.{what}="])).result
    assert (whole["rounds"], whole["test"]) == (calm["rounds"], calm["test"])
    assert answered_twice(run) == 0


async def test_a_budget_that_is_spent_while_the_batch_is_described_ends_the_run(calm: Result, tmp_path: Path) -> None:
    test = calm["test"]
    assert test is not None
    searched = 90 - test["best"]["n"]
    limits = {"calls": 2 * test["best"]["n"] + searched + 2}
    async with ChatServer(respond=embedded_answer) as server:
        result = (await blpo.optimize(over_http(tmp_path / "run", server.base_url, limits=limits))).result
    assert result["status"] == "budget"
