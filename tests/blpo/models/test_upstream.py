"""Callers over an upstream caller: every caller is charged for its requests, and the model is called once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import repeat
from pathlib import Path

import pytest

from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.retries import Backoff
from blpo.storage.response_store import ResponseStore
from state.errors import BudgetSpent
from state.response import Failure, Response
from state.settings import LimitSettings, ModelSettings, ModelsSettings, PriceSettings
from tests.servers.chat_server import ChatServer, Fault

QUICK = Backoff(first=0.01, longest=0.05)


@asynccontextmanager
async def cells(models: ModelsSettings, folder: Path, count: int, **limits: int) -> AsyncIterator[list[ModelCaller]]:
    """Yield `count` callers, and last the upstream caller."""
    async with AsyncExitStack() as stack:

        async def new_caller(name: str, limits: LimitSettings, upstream: ModelCaller | None) -> ModelCaller:
            store = await ResponseStore.open(folder / f"{name}.sqlite")
            stack.push_async_callback(store.close)
            calls = await ModelCaller.create(models, limits, store, QUICK, upstream=upstream)
            stack.push_async_callback(calls.close)
            return calls

        upstream = await new_caller("shared", LimitSettings(), None)
        own = [await new_caller(f"cell{i}", LimitSettings(**limits), upstream) for i in range(count)]
        yield [*own, upstream]


def served(server: ChatServer) -> ModelsSettings:
    price = PriceSettings(input=2, output=10)
    model = ModelSettings(name="vllm:tiny", base_url=server.base_url, price=price, max_concurrency=3)
    return ModelsSettings(judge=model, optimizer=model)


@pytest.fixture(autouse=True)
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "sk-0123456789")


async def test_each_cell_is_charged_and_the_server_asked_once(tmp_path: Path) -> None:
    async with ChatServer(lambda messages: "yes", latency=0.02) as server:
        async with cells(served(server), tmp_path, 3) as (*own, upstream):
            questions = [[user(f"{i % 4}")] for i in range(12)]
            answers = await asyncio.gather(*(cell.ask("judge", messages) for messages in questions for cell in own))
            usages = [(await cell.usage())["judge"] for cell in own]
            spent = (await upstream.usage())["judge"]
        async with cells(served(server), tmp_path, 4) as (*_, new, upstream):  # a new cell; all answers are shared
            await asyncio.gather(*(new.ask("judge", messages) for messages in questions))
            usages.append((await new.usage())["judge"])
            assert (await upstream.usage())["judge"]["issued"] == 4
    assert len(server.requests) == 4
    assert all(isinstance(answer, Response) for answer in answers)
    assert spent["issued"] == 4
    for usage in usages:
        assert usage["issued"] == 4
        assert usage["usd"] == pytest.approx(spent["usd"])
        assert (usage["input_tokens"], usage["output_tokens"]) == (spent["input_tokens"], spent["output_tokens"])


async def test_the_cells_share_the_limits_of_the_model(tmp_path: Path) -> None:
    async with (
        ChatServer(lambda messages: "yes", latency=0.02) as server,
        cells(served(server), tmp_path, 4) as (*own, _),
    ):
        await asyncio.gather(*(cell.ask("judge", [user(f"{i}/{k}")]) for i, cell in enumerate(own) for k in range(5)))
    assert server.most_at_once == 3


async def test_no_cell_uses_more_than_its_budget_though_all_is_answered_already(tmp_path: Path) -> None:
    async with (
        ChatServer(lambda messages: "yes") as server,
        cells(served(server), tmp_path, 2, calls=5) as (first, second, _),
    ):
        for cell in (first, second):
            with pytest.raises(BudgetSpent):
                await asyncio.gather(*(cell.ask("judge", [user(f"{i}")]) for i in range(8)))
            assert (await cell.usage())["judge"]["issued"] == 5
    assert len(server.requests) <= 8


async def test_a_failure_is_seen_alike_by_all_cells_and_charged_to_each(tmp_path: Path) -> None:
    async with (
        ChatServer(lambda messages: "yes", faults=repeat(Fault(400))) as server,
        cells(served(server), tmp_path, 2) as (first, second, _),
    ):
        outcomes = [await cell.ask("judge", [user("a")]) for cell in (first, second)]
        assert all(isinstance(outcome, Failure) for outcome in outcomes)
        assert [(await cell.usage())["judge"]["failed"] for cell in (first, second)] == [1, 1]
    assert len(server.requests) == 1
