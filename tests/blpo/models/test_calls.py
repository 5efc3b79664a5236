"""The call path, with a real server of the chat-completions protocol."""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from blpo.models.messages import user
from blpo.models.recall import Recall
from blpo.models.registry import Provider, register
from state.errors import BudgetSpent, ModelError
from state.response import Failure, Response
from state.sample import EncodedImage
from state.settings import ModelSettings, ModelsSettings, PriceSettings
from tests.blpo.models.callers import KEY, SCHEMA, arrived, caller, echo, question, served, served_by
from tests.servers.chat_server import ChatServer, Fault


@pytest.fixture(autouse=True)
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


async def test_an_answer_is_paid_for_once_and_kept(tmp_path: Path) -> None:
    async with ChatServer(echo) as server:
        models = served_by(served(server, price=PriceSettings(input=2, output=10)))
        async with caller(models, tmp_path / "r.sqlite") as (calls, store):
            assert not isinstance(await Recall(models, store).ask("judge", question("a")), Response)
            first = await calls.ask("judge", question("a"))
            assert isinstance(await Recall(models, store).ask("judge", question("a")), Response)
            assert isinstance(first, Response)
            assert (first.text, first.refused, first.finish_reason) == ("echo a", False, "stop")
            assert first.model_version == "tiny-2026-01"
            assert await calls.ask("verbalizer", question("a")) == first
        async with caller(models, tmp_path / "r.sqlite") as (calls, store):
            assert await calls.ask("judge", question("a")) == first
            usage = await calls.usage()
            assert await store.issued_twice() == 0
    assert len(server.requests) == 1
    assert (usage["judge"]["issued"], usage["judge"]["cached"], usage["verbalizer"]["cached"]) == (1, 1, 1)
    assert usage["judge"]["usd"] == pytest.approx((first.input_tokens * 2 + first.output_tokens * 10) / 1e6)
    assert usage["optimizer"] == {
        "issued": 0, "cached": 0, "failed": 0, "input_tokens": 0, "output_tokens": 0, "usd": 0.0, "cached_tokens": 0
    }  # fmt: skip


@pytest.mark.parametrize("client", ["lean", "langchain"])
@pytest.mark.parametrize(("told", "counted"), [(None, 0), (3, 6), (0, 0), (-1, 0), (2**63, 0)])
async def test_tokens_from_the_servers_prefix_cache_are_counted(
    client: str, told: int | None, counted: int, tmp_path: Path
) -> None:
    async with ChatServer(echo, cached_tokens=told) as server:
        models = served_by(served(server, client=client))
        for texts in (["one two three four five"] * 2, ["six seven eight nine ten"]):
            async with caller(models, tmp_path / "r.sqlite") as (calls, _):
                for text in texts:
                    assert isinstance(await calls.ask("judge", question(text)), Response)
                usage = (await calls.usage())["judge"]
    assert (usage["issued"], usage["cached"], usage["cached_tokens"]) == (2, 1, counted)


async def test_identical_concurrent_requests_share_one_call() -> None:
    async with ChatServer(echo, latency=0.05) as server, caller(served_by(served(server))) as (calls, _):
        answers = await asyncio.gather(*(calls.ask("judge", question(f"{i % 3}")) for i in range(30)))
        assert [a.text for a in answers if isinstance(a, Response)] == [f"echo {i % 3}" for i in range(30)]
        usage = (await calls.usage())["judge"]
    assert len(server.requests) == 3
    assert (usage["issued"], usage["cached"]) == (3, 27)


async def test_one_limiter_for_the_roles_of_one_model() -> None:
    async with ChatServer(echo, latency=0.02) as server:
        judge, optimizer = served(server, max_concurrency=4), served(server, max_concurrency=9, temperature=1.0)
        async with caller(ModelsSettings(judge=judge, optimizer=optimizer)) as (calls, _):
            await asyncio.gather(
                *(calls.ask("judge", question(str(i))) for i in range(10)),
                *(calls.ask("optimizer", question(str(i))) for i in range(10)),
            )
    assert len(server.requests) == 20
    assert server.most_at_once == 4


TRANSIENT = [
    Fault(status=429, retry_after="0.05"),
    Fault(status=429),
    Fault(status=408),
    Fault(status=409),
    Fault(status=500),
    Fault(status=503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    Fault(body="malformed"),
    Fault(body="html"),
    Fault(body="no_choices"),
    Fault(body="half"),
    Fault(body="dropped"),
    Fault(delay=2),
]


@pytest.mark.parametrize("fault", TRANSIENT, ids=lambda f: f"{f.status} {f.body} {f.delay:g}")
async def test_what_may_pass_is_tried_again(fault: Fault) -> None:
    async with (
        ChatServer(echo, faults=iter([fault, fault])) as server,
        caller(served_by(served(server, timeout=1.2 if fault.delay else 10))) as (calls, _),
    ):
        answer = await calls.ask("judge", question("a"))
        usage = (await calls.usage())["judge"]
    assert isinstance(answer, Response)
    assert answer.text == "echo a"
    assert len(server.requests) == 3
    assert (usage["issued"], usage["failed"]) == (1, 0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=429), "rate_limit"),
        (Fault(status=500), "server"),
        (Fault(body="dropped"), "connection"),
        (Fault(body="malformed"), "malformed"),
        (Fault(body="no_choices"), "malformed"),
        (Fault(delay=2), "timeout"),
    ],
)
async def test_what_does_not_pass_is_a_failure_seen_once_and_asked_again_on_resume(
    fault: Fault, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "r.sqlite"
    async with ChatServer(echo, faults=iter([fault] * 3)) as server:
        models = served_by(served(server, max_retries=2, timeout=1.2 if fault.delay else 10))
        async with caller(models, path) as (calls, _):
            failure = await calls.ask("judge", question("a"))
            assert isinstance(failure, Failure)
            assert failure.kind == kind
            assert await calls.ask("judge", question("a")) == failure
            assert len(server.requests) == 3
        async with caller(models, path) as (calls, store):
            assert isinstance(await calls.ask("judge", question("a")), Response)
            usage = (await calls.usage())["judge"]
            assert await store.issued_twice() == 1
    assert (usage["issued"], usage["failed"]) == (2, 1)


async def test_retry_after_is_honoured_and_a_very_long_one_gives_up() -> None:
    faults = [Fault(status=429, retry_after="0.4"), Fault(status=429, retry_after="3600")]
    async with ChatServer(echo, faults=iter(faults)) as server, caller(served_by(served(server))) as (calls, _):
        start = time.monotonic()
        failure = await calls.ask("judge", question("a"))
        assert 0.4 <= time.monotonic() - start < 60
    assert isinstance(failure, Failure)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(status=400, message="cannot identify image file"), "rejected"),
        (Fault(status=413), "too_large"),
        (Fault(status=400, message="Image exceeds the maximum of 5 MB"), "too_large"),
        (Fault(status=422), "rejected"),
        (Fault(status=400, code="context_length_exceeded", message="context_length_exceeded"), "too_long"),
        (Fault(status=429, code="insufficient_quota"), "quota"),
    ],
)
async def test_a_request_that_can_not_succeed_fails_alone_and_at_once(fault: Fault, kind: str) -> None:
    async with ChatServer(echo, faults=iter([fault])) as server, caller(served_by(served(server))) as (calls, _):
        failure = await calls.ask("judge", question("a"))
        assert isinstance(await calls.ask("judge", question("b")), Response)
    assert isinstance(failure, Failure)
    assert failure.kind == kind
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "setting"),
    [
        (Fault(status=404, message="The model `tiny` does not exist"), "name"),
        (Fault(status=403, message="This API key may not use the model"), "key"),
        (Fault(status=400, param="temperature", code="unsupported_value"), "temperature"),
        (Fault(status=400, param="response_format"), "structured_output"),
    ],
)
async def test_where_no_request_can_succeed_the_run_ends(fault: Fault, setting: str) -> None:
    faults = itertools.repeat(fault)
    async with ChatServer(echo, faults=faults) as server, caller(served_by(served(server))) as (calls, _):
        outcomes = await asyncio.gather(
            *(calls.ask("judge", question(str(i))) for i in range(50)), return_exceptions=True
        )
        usage = (await calls.usage())["judge"]
    assert all(isinstance(outcome, ModelError) for outcome in outcomes)
    assert setting in str(outcomes[0])
    assert "\n" not in str(outcomes[0])
    assert len(server.requests) == usage["issued"] == usage["failed"] <= 16


async def test_a_key_is_never_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with ChatServer(echo, api_key="another") as server:
        async with caller(served_by(served(server)), tmp_path / "r.sqlite") as (calls, _):
            with pytest.raises(ModelError) as caught:
                await calls.ask("judge", question("a"))
        server.api_key = None
        server.faults = iter([Fault(status=400, message=f"your key {KEY} sent a bad image")])
        async with caller(served_by(served(server)), tmp_path / "r.sqlite") as (calls, _):
            failure = await calls.ask("judge", question("a"))
    assert isinstance(failure, Failure)
    assert "***" in failure.detail
    assert KEY not in failure.detail + str(caught.value) + caplog.text
    assert "vllm:tiny" in str(caught.value)
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()


async def test_refusals_are_answers(tmp_path: Path) -> None:
    models: list[ModelsSettings] = []
    async with ChatServer(echo, extra={"refusal": "I can't judge this"}) as server:
        models.append(served_by(served(server)))
        async with caller(models[0], tmp_path / "r.sqlite") as (calls, _):
            by_model = await calls.ask("judge", question("a"))
            server.extra, server.finish_reason = {}, "content_filter"
            by_filter = await calls.ask("judge", question("b"))
            server.finish_reason = "stop"
            server.faults = iter([Fault(status=400, code="content_policy_violation", message="not allowed")])
            by_status = await calls.ask("judge", question("c"))
        async with caller(models[0], tmp_path / "r.sqlite") as (calls, _):
            again = [await calls.ask("judge", question(text)) for text in "abc"]
    assert again == [by_model, by_filter, by_status]
    assert all(isinstance(answer, Response) and answer.refused for answer in again)
    assert isinstance(by_model, Response)
    assert by_model.text == "I can't judge this"
    assert len(server.requests) == 3


async def test_what_is_sent() -> None:
    image = EncodedImage("0" * 64, "image/png", "aGVsbG8=")
    async with ChatServer(echo) as server:
        models = served_by(served(server, max_tokens=77))
        async with caller(models) as (calls, _):
            await calls.ask("judge", [user(image, "rate it")], schema=SCHEMA)
        plain = served_by(served(server, structured_output=False))
        async with caller(plain) as (calls, _):
            await calls.ask("judge", [user(image, "rate it")], schema=SCHEMA)
        reasoning = served_by(served(server, name="openai:o3"))
        async with caller(reasoning) as (calls, _):
            await calls.ask("optimizer", question("think"))
    first, second, third = server.requests
    content = first["messages"][0]["content"]
    assert content[0]["image_url"]["url"] == "data:image/png;base64,aGVsbG8="
    assert content[1] == {"type": "text", "text": "rate it"}
    assert (first["model"], first["temperature"], first["max_completion_tokens"]) == ("tiny", 0.0, 77)
    assert list(first["response_format"]["json_schema"]["schema"]["properties"]) == ["reason", "label"]
    assert not first.get("stream")
    assert "response_format" not in second
    assert third["model"] == "o3"
    assert "temperature" not in third


async def test_an_answer_that_was_cut_off_is_an_answer() -> None:
    async with (
        ChatServer(echo, finish_reason="length", usage=False) as server,
        caller(served_by(served(server))) as pair,
    ):
        answer = await pair[0].ask("judge", question("abcd" * 5), schema=SCHEMA)
    assert isinstance(answer, Response)
    assert (answer.finish_reason, answer.input_tokens, answer.output_tokens) == ("length", 5, 7)


async def test_half_a_character_is_kept_as_a_question_mark() -> None:
    async with ChatServer(lambda messages: "so \ud83d") as server, caller(served_by(served(server))) as (calls, _):
        answer = await calls.ask("judge", question("a"))
    assert isinstance(answer, Response)
    assert answer.text == "so ?"


async def test_calls_are_never_above_the_budget_also_over_resumes(tmp_path: Path) -> None:
    async with ChatServer(echo) as server:
        models = served_by(served(server))
        for limit in (7, 7, 12):
            async with caller(models, tmp_path / "r.sqlite", calls=limit) as (calls, _):
                work = (calls.ask("judge", question(str(i))) for i in range(40))
                outcomes = await asyncio.gather(*work, return_exceptions=True)
                assert sum(isinstance(outcome, Response) for outcome in outcomes) == limit
                assert sum(isinstance(outcome, BudgetSpent) for outcome in outcomes) == 40 - limit
                assert calls.budget.remaining_calls == 0
            assert len(server.requests) == limit


async def test_calls_left_over_from_a_spent_budget_do_not_use_what_is_released() -> None:
    async with (
        ChatServer(echo, latency=0.05) as server,
        caller(served_by(served(server, max_concurrency=3)), calls=20) as (calls, _),
    ):
        calls.budget.reserve(15)
        with pytest.raises(BudgetSpent):  # gather leaves the remaining calls behind
            await asyncio.gather(*(calls.ask("judge", question(f"search {i}")) for i in range(40)))
        calls.budget.release()
        assert calls.budget.affords(15)
        await asyncio.gather(*(calls.ask("judge", question(f"test {i}")) for i in range(15)))
        with pytest.raises(BudgetSpent):
            await calls.ask("judge", question("one more"))
    assert len(server.requests) == 20


async def test_a_token_budget_stops_close_to_its_limit() -> None:
    async with (
        ChatServer(echo, latency=0.01) as server,
        caller(served_by(served(server, max_concurrency=4)), tokens=500) as (calls, _),
    ):
        work = (calls.ask("judge", question(f"{i:04}")) for i in range(200))
        outcomes = await asyncio.gather(*work, return_exceptions=True)
        usage = (await calls.usage())["judge"]
    answers = [outcome for outcome in outcomes if isinstance(outcome, Response)]
    each = answers[0].input_tokens + answers[0].output_tokens
    assert all(isinstance(outcome, Response | BudgetSpent) for outcome in outcomes)
    assert 500 - each <= usage["input_tokens"] + usage["output_tokens"] <= 500 + 4 * each


async def test_a_cancelled_call_costs_nothing_before_it_is_sent_and_is_kept_after() -> None:
    async with (
        ChatServer(echo, latency=0.3) as server,
        caller(served_by(served(server, max_concurrency=2))) as (calls, store),
    ):
        work = [asyncio.create_task(calls.ask("judge", question(str(i)))) for i in range(10)]
        await arrived(server, 2)
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        while (await store.usage())["judge"].answered < 2:
            await asyncio.sleep(0.01)
        assert len(server.requests) == 2
        counts = (await store.usage())["judge"]
        assert (counts.issued, counts.answered) == (2, 2)
        assert isinstance(await calls.ask("judge", question("0")), Response)
        assert len(server.requests) == 2


async def test_one_waiter_of_two_may_leave() -> None:
    async with ChatServer(echo, latency=0.1) as server, caller(served_by(served(server))) as (calls, _):
        leaver = asyncio.create_task(calls.ask("judge", question("a")))
        stayer = asyncio.create_task(calls.ask("judge", question("a")))
        await asyncio.sleep(0)
        leaver.cancel()
        assert isinstance(await stayer, Response)
    assert len(server.requests) == 1


async def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    async with ChatServer(echo, latency=0.2) as server:
        async with caller(served_by(served(server, max_concurrency=2)), tmp_path / "r.sqlite") as (calls, _):
            work = [asyncio.create_task(calls.ask("judge", question(str(i)))) for i in range(6)]
            await arrived(server, 2)
        outcomes = await asyncio.gather(*work, return_exceptions=True)
    assert sum(isinstance(outcome, Response) for outcome in outcomes) == 2
    assert len(server.requests) == 2
    with sqlite3.connect(tmp_path / "r.sqlite") as db:
        assert db.execute("SELECT outcome, count(*) FROM calls").fetchall() == [("ok", 2)]
    db.close()


class FaultyModel(GenericFakeChatModel):
    """A model inside the process, with a fault in the code."""


async def test_a_fault_in_a_model_of_this_process_is_not_hidden_and_is_recorded() -> None:
    def faulty(settings: ModelSettings) -> BaseChatModel:
        def broken() -> Iterable[AIMessage]:
            yield AIMessage("fine")
            raise ZeroDivisionError("a fault")

        return FaultyModel(messages=iter(broken()))

    register("unsound", Provider(faulty, local=True))
    settings = ModelsSettings(judge=ModelSettings(name="unsound:x"), optimizer=ModelSettings(name="unsound:x"))
    async with caller(settings) as (calls, store):
        assert isinstance(await calls.ask("judge", question("a")), Response)
        with pytest.raises(ZeroDivisionError):
            await calls.ask("judge", question("b"))
        counts = (await store.usage())["judge"]
    assert (counts.issued, counts.answered, counts.failed) == (2, 1, 1)


async def test_cached_answers_are_cheap(measure: Callable[[], float]) -> None:
    async with ChatServer(echo) as server, caller(served_by(served(server))) as (calls, _):
        await asyncio.gather(*(calls.ask("judge", question(str(i))) for i in range(50)))
        before = measure()
        for _repeat in range(20):
            await asyncio.gather(*(calls.ask("judge", question(str(i))) for i in range(50)))
        seconds = measure() - before
    assert len(server.requests) == 50
    assert seconds / 1000 < 0.001  # measured: 0.0001


@pytest.fixture
def measure() -> Callable[[], float]:
    return time.process_time
