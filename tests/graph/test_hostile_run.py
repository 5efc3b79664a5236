"""Whole runs against a server with hostile replies: they end, and they resume."""

import asyncio
import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import blpo
from state.errors import BlpoError
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.hostile_replies import LARGE, ODD, Raw, completion, plain
from tests.servers.mutations import mutated
from tests.small_set import draw_dataset

Respond = Callable[[dict[str, Any]], AsyncIterator[bytes]]


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(draw_dataset(tmp_path_factory.mktemp("data") / "set", 60))


def config(directory: Path, labels: str, url: str, client: str) -> dict[str, Any]:
    settings = {"base_url": url, "client": client, "timeout": 10, "max_retries": 1, "price": {"input": 0, "output": 0}}
    return {
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4},
        "data": {"path": labels},
        "models": {role: {"name": f"vllm:{role}", **settings} for role in ("judge", "verbalizer", "optimizer")},
        "run": {"dir": str(directory)},
        "limits": {"max_failure_rate": 1, "tokens": 10_000_000},
    }


def answering(change: Callable[[str], str] = str) -> Respond:
    """Return a server's behaviour: the embedded models answer, and `change` rewrites the judge's texts."""

    async def reply(request: dict[str, Any]) -> AsyncIterator[bytes]:
        answer = await embedded_answer(request)
        text = change(answer.text) if request["model"] == "judge" else answer.text
        usage = {"prompt_tokens": answer.input_tokens, "completion_tokens": answer.output_tokens}
        async for chunk in plain(completion(text, usage))():
            yield chunk

    return reply


def mixed(share: float, seed: int) -> Respond:
    """Return a server's behaviour: a share of the replies is mutated, large or odd."""
    generator, honest = random.Random(seed), answering()
    slow = ("7 MB of log-probabilities", "8 MB with an emoji")
    fixed = [reply for name, reply in {**LARGE, **ODD}.items() if name not in slow and not name.startswith("8 MB")]

    def reply(request: dict[str, Any]) -> AsyncIterator[bytes]:
        if generator.random() >= share:
            return honest(request)
        hostile: Raw = mutated(generator.randrange(10**6)) if generator.random() < 0.8 else generator.choice(fixed)
        return hostile()

    return reply


@pytest.mark.slow
@pytest.mark.parametrize("client", ["lean", "langchain"])
async def test_a_run_under_hostile_replies_ends_in_one_line_or_a_result_and_resumes(
    client: str, labels: str, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    async with ChatServer(raw=mixed(0.3, seed=3)) as server:
        settings = config(run, labels, server.base_url, client)
        try:
            await asyncio.wait_for(blpo.optimize(settings), 120)
        except BlpoError as error:
            assert "\n" not in str(error)
        for _ in range(3):
            try:
                await asyncio.wait_for(blpo.resume(run), 120)
            except BlpoError as error:
                assert "\n" not in str(error)
        server.raw = answering()
        result = (await asyncio.wait_for(blpo.resume(run), 120)).result
    assert result["status"] == "complete"
    for file in run.rglob("*"):
        if file.suffix in (".json", ".jsonl", ".md", ".yaml", ".html"):
            assert "\0" not in file.read_text(encoding="utf-8")
    assert all(usage["input_tokens"] >= 0 for usage in result["calls"].values())


async def test_half_an_emoji_inside_every_reason_changes_no_label_and_stops_no_resume(
    labels: str, tmp_path: Path
) -> None:
    def with_half_an_emoji(text: str) -> str:
        return json.dumps({**json.loads(text), "reason": "half \ud83d of an emoji, and \0"})

    run, clean = tmp_path / "run", tmp_path / "clean"
    async with ChatServer(raw=answering(with_half_an_emoji)) as server:
        result = (await blpo.optimize(config(run, labels, server.base_url, "lean"))).result
        with sqlite3.connect(run / "responses.sqlite") as db:
            texts = [text for (text,) in db.execute("SELECT text FROM responses WHERE text LIKE '%label%'")]
        db.close()
        (run / "result.json").unlink()
        count = server.count
        again = (await blpo.resume(run)).result
        assert server.count == count
        server.raw = answering(lambda text: json.dumps({**json.loads(text), "reason": "half ? of an emoji, and �"}))
        plainly = (await blpo.optimize(config(clean, labels, server.base_url, "lean"))).result
    assert any("\\ud83d" in text for text in texts)
    assert again["validation"] == result["validation"] == plainly["validation"]
    assert "half ? of an emoji" in (run / "verdicts" / "initial.jsonl").read_text(encoding="utf-8")
