"""Support of servers for structured output: obeyed, ignored or refused."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.recall import Recall
from blpo.models.verdict_format import obeys, verdict_schema
from blpo.models.verdict_reading import parse_verdict
from state.response import Response
from state.settings import ModelSettings, TaskSettings
from tests.blpo.models.callers import SCHEMA, caller, question, served, served_by
from tests.blpo.models.test_label_scores import RATINGS, token
from tests.servers.chat_server import ChatServer, Fault

GOOD = '{"reason": "fine", "label": 4}'


TASK = TaskSettings()


WORDS = TaskSettings(kind="categorical", labels=("safe", "unsafe"))


async def test_a_server_that_refuses_schemas_is_asked_without_and_never_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r.sqlite"
    async with ChatServer(lambda messages: GOOD, structured="refused") as server:
        models = served_by(served(server))
        async with caller(models, path) as (calls, _):
            assert isinstance(await calls.ask("judge", question("a"), schema=SCHEMA), Response)
            assert server.count == 2
            await asyncio.gather(*(calls.ask("judge", question(str(i)), schema=SCHEMA) for i in range(20)))
            assert server.count == 22
            usage = (await calls.usage())["judge"]
            assert (usage["issued"], usage["failed"]) == (21, 0)
        async with caller(models, path) as (calls, store):
            await calls.ask("judge", question("b"), schema=SCHEMA)
            assert server.count == 23
            assert isinstance(await Recall(models, store).ask("judge", question("a"), schema=SCHEMA), Response)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "refuses structured output" in warnings[0].getMessage()


async def test_refusals_met_at_the_same_time_cost_a_try_each_and_no_call() -> None:
    async with (
        ChatServer(lambda messages: GOOD, structured="refused", latency=0.02) as server,
        caller(served_by(served(server, max_concurrency=8))) as (calls, _),
    ):
        work = (calls.ask("judge", question(str(i)), schema=SCHEMA) for i in range(30))
        assert all(isinstance(outcome, Response) for outcome in await asyncio.gather(*work))
        assert (await calls.usage())["judge"]["issued"] == 30
    assert server.count <= 30 + 8


async def test_another_bad_request_is_no_refusal_of_schemas() -> None:
    faults = iter([Fault(status=400, message="cannot identify image file")])
    async with ChatServer(lambda messages: GOOD, faults) as server, caller(served_by(served(server))) as (calls, _):
        await calls.ask("judge", question("a"), schema=SCHEMA)
        await calls.ask("judge", question("b"), schema=SCHEMA)
    assert all("response_format" in request for request in server.requests)


async def test_a_server_that_does_not_constrain_is_noticed_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replies = iter([GOOD, "I'd say 4.", "Rating: 4"])
    async with ChatServer(lambda messages: next(replies, "4")) as server:
        for process in range(2):
            async with caller(served_by(served(server)), tmp_path / "r.sqlite") as (calls, store):
                for i in range(4):
                    await calls.ask("judge", question(f"{process} {i}"), schema=SCHEMA)
                assert set((await store.servers()).values()) == {"ignores"}
    assert len(caplog.records) == 1
    assert "does not keep to it" in caplog.text


async def test_what_is_known_belongs_to_the_address_also_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789")
    models = served_by(ModelSettings(name="openai:tiny"))
    for structured in ("refused", "ignored"):
        async with ChatServer(lambda messages: GOOD, structured=structured) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            async with caller(models, tmp_path / "r.sqlite") as (calls, store):
                await calls.ask("judge", question("a"), schema=SCHEMA)
                support = await store.servers()
            assert "response_format" in server.requests[0]
    assert sorted(support.values()) == ["obeys", "refuses"]


@pytest.mark.parametrize("changes", [{"finish_reason": "length"}, {"extra": {"refusal": "no"}}])
async def test_an_answer_that_was_cut_off_or_declined_is_no_evidence(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        ChatServer(lambda messages: '{"reason": "a lo', **changes) as server,
        caller(served_by(served(server))) as (calls, store),
    ):
        await calls.ask("judge", question("a"), schema=SCHEMA)
        assert await store.servers() == {}
    assert not caplog.records


@given(st.integers(-3, 9), st.text(max_size=20))
def test_what_obeys_the_schema_is_read_as_its_label(label: int, reason: str) -> None:
    text = json.dumps({"reason": reason, "label": label})
    assert obeys(text, verdict_schema(TASK)) == (1 <= label <= 5)
    if obeys(text, verdict_schema(TASK)):
        assert parse_verdict(text, TASK)[:2] == ("ok", label)


@pytest.mark.parametrize(
    "text",
    ["", "4.", "[4]", "null", '{"label": 4}', '{"reason": "", "label": "4"}', '{"reason": "", "label": true}',
     "{" * 5000, '```json\n{"reason": "", "label": 4}\n```', '{"reason": "", "label": 4, "more": 1}'],
)  # fmt: skip
def test_what_a_constrained_server_can_not_say(text: str) -> None:
    assert not obeys(text, verdict_schema(TASK))


def test_bare_labels_thoughts_and_long_scales() -> None:
    assert obeys("4", verdict_schema(TASK))
    assert obeys("<think>hm</think>unsafe", verdict_schema(WORDS))
    long = verdict_schema(TaskSettings(min=0, max=1000))
    assert obeys('{"reason": "", "label": 1000}', long)
    assert not obeys('{"reason": "", "label": 1001}', long)


async def test_scores_are_asked_for_kept_and_served_again(tmp_path: Path) -> None:
    content = [token('{"reason": "", "label": '), token("4", **{"4": 0.9, "5": 0.1}), token("}")]
    async with ChatServer(lambda messages: GOOD, choice={"logprobs": {"content": content}}) as server:
        models = served_by(served(server, logprobs=True))
        async with caller(models, tmp_path / "r.sqlite") as (calls, _):
            first = await calls.ask("judge", question("a"), schema=SCHEMA)
        async with caller(models, tmp_path / "r.sqlite") as (calls, _):
            again = await calls.ask("judge", question("a"), schema=SCHEMA)
    assert isinstance(first, Response)
    assert dict(first.scores) == pytest.approx({"1": 0, "2": 0, "3": 0, "4": 0.9, "5": 0.1})
    assert again == first
    assert (server.requests[0]["logprobs"], server.requests[0]["top_logprobs"], server.count) == (True, 20, 1)


async def test_a_server_without_usable_log_probabilities_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        ChatServer(lambda messages: GOOD) as server,
        caller(served_by(served(server, logprobs=True))) as (calls, _),
    ):
        for i in range(3):
            answer = await calls.ask("judge", question(str(i)), schema=SCHEMA)
            assert isinstance(answer, Response)
            assert not answer.scores
    assert caplog.text.count("verdicts have no scores") == 1


async def test_a_choice_is_asked_for_in_vllms_words() -> None:
    async with (
        ChatServer(lambda messages: "4") as server,
        caller(served_by(served(server, structured_output="choice"))) as (calls, store),
    ):
        answer = await calls.ask("judge", question("a"), schema=SCHEMA)
        assert set((await store.servers()).values()) == {"obeys"}
    assert isinstance(answer, Response)
    assert parse_verdict(answer.text, TASK)[:2] == ("ok", 4)
    assert server.requests[0]["structured_outputs"] == {"choice": RATINGS}
    assert "response_format" not in server.requests[0]
