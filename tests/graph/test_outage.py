"""Failed requests are asked again on resume, from the first step in which an answer is missing."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import blpo
from state.errors import BlpoError, TooManyFailures
from state.result import Result
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import FINE, Fault, staying, weather
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

FREE = {"input": 0, "output": 0}
SEARCH = {"outer_rounds": 2, "inner_steps": 1, "error_batch": 6}
SCORED = {**SEARCH, "trials": "scored"}
"""Trials are scored on samples outside the batch."""
DOWN = Fault(status=500, message="out of order")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("data") / "set", 90)


@pytest.fixture(scope="module")
def calm_run(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("calm") / "run"
    config = {"data": {"path": str(dataset)}, "search": SEARCH, "run": {"dir": str(directory)}}
    asyncio.run(blpo.optimize(config, progress=False))
    return directory


@pytest.fixture(scope="module")
def calm(calm_run: Path) -> Result:
    result: Result = json.loads((calm_run / "result.json").read_text())
    return result


def over_http(dataset: Path, run: Path, url: str, rate: float, **changes: Any) -> dict[str, Any]:
    model = {"base_url": url, "price": FREE, "max_retries": 0, **changes}
    return {
        "data": {"path": str(dataset)},
        "search": SEARCH,
        "models": {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")},
        "limits": {"max_failure_rate": rate},
        "run": {"dir": str(run)},
    }


def history(result: Result) -> dict[str, Any]:
    """Prompts, metrics and warnings. A step with missing answers may ask questions that the clean run never asks."""
    return {**result, "calls": None, "spent": None, "seconds": None}


def record_files(run: Path) -> dict[str, bytes]:
    """Records of rounds and all verdicts: the files of a run that don't tell models, times or calls."""
    paths = [path for folder in ("rounds", "verdicts") for path in (run / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def some_then_all(rate: float, outage: str, after: int, some_of: str = "judge") -> Callable[[dict[str, Any]], Fault]:
    """A share of the requests to `some_of` fails from the beginning; `outage` fails after so many requests."""
    some, requests = staying(rate, [DOWN]), 0

    def fault_of(request: dict[str, Any]) -> Fault:
        nonlocal requests
        requests += request["model"] == outage
        if request["model"] == outage and requests > after:
            return DOWN
        return some(request) if request["model"] == some_of else FINE

    return fault_of


@pytest.mark.parametrize(("outage", "after"), [("optimizer", 0), ("optimizer", 5), ("verbalizer", 8), ("judge", 90)])
async def test_after_an_outage_the_run_ends_as_the_clean_run(
    dataset: Path, calm: Result, tmp_path: Path, outage: str, after: int
) -> None:
    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, faults=some_then_all(0.1, outage, after)) as server:
        with pytest.raises(TooManyFailures):
            await blpo.optimize(over_http(dataset, run, server.base_url, 0.4), progress=False)
        partial = json.loads((run / "result.json").read_text())
        missing = [record["validation"]["coverage"] < 1 for record in partial["rounds"]]
        server.faults = iter(())
        events: list[Any] = []
        result = (await blpo.resume(run, on_event=events.append, progress=False)).result
    assert history(result) == history(calm)
    assert missing[:1] in ([True], [])  # the first round went on without some answers, or was not judged
    assert [event["event"] for event in events[:2]] == ["started", "asked_again"]
    assert 0 < events[1]["requests"] <= sum(usage["failed"] for usage in partial["calls"].values())


async def test_many_outages_in_a_row_change_nothing(dataset: Path, calm: Result, tmp_path: Path) -> None:
    run, after = tmp_path / "run", 40
    async with ChatServer(respond=embedded_answer, faults=some_then_all(0.1, "judge", after)) as server:
        with pytest.raises(TooManyFailures):
            await blpo.optimize(over_http(dataset, run, server.base_url, 0.4), progress=False)
        for outage in ("judge", "optimizer", "verbalizer"):
            server.faults = some_then_all(0.1, outage, 2)
            with pytest.raises(TooManyFailures):
                await blpo.resume(run, progress=False)
        server.faults = iter(())
        result = (await blpo.resume(run, progress=False)).result
    assert history(result) == history(calm)


@pytest.mark.parametrize(("client", "seed"), [("lean", 0), ("lean", 2), ("langchain", 2)])
async def test_a_server_that_fails_most_requests_changes_no_record(
    dataset: Path, calm_run: Path, calm: Result, client: str, seed: int, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, faults=weather(0.6, seed)) as server:
        settings = over_http(dataset, run, server.base_url, 0.05, max_retries=1, client=client, timeout=5)
        with pytest.raises(TooManyFailures):
            await blpo.optimize(settings, progress=False)
        for _ in range(3):
            with suppress(BlpoError):
                await blpo.resume(run, progress=False)
        server.faults = iter(())
        result = (await blpo.resume(run, progress=False)).result
    assert history(result) == history(calm)
    assert record_files(run) == record_files(calm_run)


@pytest.mark.parametrize(
    ("some_of", "noun", "search"),
    [("judge", "verdict", SEARCH), ("verbalizer", "description", SEARCH), ("judge", "verdict", SCORED)],
)
async def test_a_run_that_ended_within_the_limit_keeps_its_numbers(
    dataset: Path, some_of: str, noun: str, search: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, faults=some_then_all(0.1, "nobody", 0, some_of)) as server:
        config = {**over_http(dataset, run, server.base_url, 0.4), "search": search}
        result = (await blpo.optimize(config, progress=False)).result
        server.faults, count = iter(()), server.count
        resumed = await blpo.resume(run, progress=False)
        assert server.count == count
    assert resumed.result == result
    assert result["status"] == "complete"
    (warning,) = result["warnings"]
    failed = result["calls"][some_of]["failed"]
    missing = f"{failed} {noun}{'' if failed == 1 else 's'}"
    assert failed > 0
    assert warning.startswith(
        f"The run went on without {missing}, because requests failed within limits.max_failure_rate"
    )
    assert warning in repr(resumed)


async def test_verdicts_that_score_trials_are_counted_after_a_stop_in_a_trial(dataset: Path, tmp_path: Path) -> None:
    run, some = tmp_path / "run", staying(0.1, [DOWN])
    is_down = False

    def faults(request: dict[str, Any]) -> Fault:
        return (
            DOWN if is_down and request["model"] == "judge" else some(request) if request["model"] == "judge" else FINE
        )

    def stop_in_the_trial(event: Any) -> None:
        nonlocal is_down
        is_down = is_down or (event["event"] == "phase" and event["phase"] == "judge" and event.get("step") == 1)

    async with ChatServer(respond=embedded_answer, faults=faults) as server:
        config = {**over_http(dataset, run, server.base_url, 0.4), "search": SCORED}
        with pytest.raises(TooManyFailures):
            await blpo.optimize(config, on_event=stop_in_the_trial, progress=False)
        is_down = False
        result = (await blpo.resume(run, progress=False)).result
    with closing(sqlite3.connect(run / "responses.sqlite")) as store:
        ((unanswered,),) = store.execute(
            "SELECT count(*) FROM (SELECT 1 FROM calls WHERE role='judge' GROUP BY key HAVING sum(outcome = 'ok') < 1)"
        ).fetchall()
    assert result["status"] == "complete"
    assert len(result["rounds"][0]["trials"]) == 2
    assert unanswered > 0
    assert result["warnings"][0].startswith(f"The run went on without {unanswered} verdicts, because")


async def test_an_answer_to_a_question_is_used_although_requests_failed_before(dataset: Path, tmp_path: Path) -> None:
    events: list[Any] = []
    async with ChatServer(respond=embedded_answer, faults=some_then_all(0.1, "nobody", 0)) as server:
        config = {**over_http(dataset, tmp_path / "run", server.base_url, 0.4), "approval": "judge"}
        run = await blpo.optimize(config, progress=False)
        assert "question" in run.result
        while "question" in run.result:
            run = await blpo.resume(run.directory, answer="approve", on_event=events.append, progress=False)
    assert run.result["status"] == "complete"
    assert [event["decision"] for event in events if event["event"] == "decided"].count("approve") >= 1
    assert not [event for event in events if event["event"] == "asked_again"]


async def test_a_budget_just_enough_is_enough_after_an_outage_in_the_test(dataset: Path, tmp_path: Path) -> None:
    """One verdict of the last round fails, then most of the test. The resume needs just the calls without an answer."""
    one_round: dict[str, Any] = {"search": {**SEARCH, "outer_rounds": 1}}
    embedded = {"data": {"path": str(dataset)}, **one_round, "run": {"dir": str(tmp_path / "calm")}}
    calm = (await blpo.optimize(embedded, progress=False)).result
    test, last = calm["test"], calm["rounds"][1]
    assert test is not None
    assert calm["best_round"] == 1
    searched, requests = 90 - test["best"]["n"], 0

    def fault_of(request: dict[str, Any]) -> Fault:
        nonlocal requests
        if request["model"] != "judge" or last["judge_prompt"] not in prompt_in(request):
            return FINE
        requests += 1
        return DOWN if requests == 1 or requests > searched + 9 else FINE

    run = tmp_path / "run"
    async with ChatServer(respond=embedded_answer, faults=fault_of) as server:
        with pytest.raises(TooManyFailures, match="on the test split"):
            await blpo.optimize({**over_http(dataset, run, server.base_url, 0.4), **one_round}, progress=False)
        server.faults = iter(())
        before = json.loads((run / "result.json").read_text())["calls"].values()
        due = calls_of(calm) - sum(usage["issued"] - usage["failed"] for usage in before)
        limit = due + sum(usage["issued"] for usage in before)
        result = (await blpo.resume(run, overrides=[f"limits.calls={limit}"], progress=False)).result
    assert 10 < due < test["best"]["n"]
    assert history(result) == history(calm)
    assert calls_of(result) == limit


def calls_of(result: Result) -> int:
    return sum(usage["issued"] for usage in result["calls"].values())


def prompt_in(request: dict[str, Any]) -> str:
    """Return all texts of a request."""
    contents = [message["content"] for message in request["messages"]]
    parts = [part for content in contents for part in ([{"text": content}] if isinstance(content, str) else content)]
    return "\n".join(part.get("text", "") for part in parts)
