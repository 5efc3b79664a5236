"""Repeats of a question: requests of their own, sampled, paid for once each."""

from pathlib import Path
from typing import Any

import pytest

from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judgement_of
from blpo.models.named_model import NamedModel
from blpo.models.recall import Recall
from state.response import Response
from state.sample import Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings
from tests.blpo.models.callers import caller, question, served, served_by
from tests.servers.chat_server import ChatServer, Reply

VLLM = {"base_url": "http://127.0.0.1:8000/v1"}


@pytest.mark.parametrize(
    ("name", "settings", "sampling"),
    [
        ("vllm:q", VLLM, {"temperature": 1.0, "seed": 2}),
        ("vllm:q", {**VLLM, "temperature": 0.3}, {"seed": 2}),
        ("openai:gpt-4o", {}, {"temperature": 1.0}),
        ("openai:gpt-4o", {"temperature": None}, {}),
        ("openai:o3", {}, {}),  # refuses a temperature, and samples anyway
        ("vllm-engine:q", {}, {"sampling": {"temperature": 1.0, "seed": 2}}),
        ("langchain:a.B", {}, {"temperature": 1.0}),
        ("embedded:judge", {}, {}),
    ],
)
def test_a_further_repeat_is_sampled_and_has_a_key_of_its_own(
    name: str, settings: dict[str, Any], sampling: dict[str, Any]
) -> None:
    model = NamedModel.of(ModelSettings(name=name, **settings))
    requests = [model.request(question("a"), None, repeat) for repeat in range(4)]
    assert requests[0] == model.request(question("a"))
    assert requests[0].sampling == {}
    assert requests[2].sampling == sampling
    assert len({request.key for request in requests}) == 4


async def test_each_repeat_is_sent_and_stored_once(tmp_path: Path) -> None:
    async def respond(body: dict[str, Any]) -> Reply:
        return Reply(str(body.get("seed")), 1, 1)

    async with ChatServer(respond=respond) as server:
        models = served_by(served(server))
        async with caller(models, tmp_path / "store.sqlite") as (calls, store):
            for _ in range(2):
                answers = [await calls.ask("judge", question("a"), repeat=repeat) for repeat in range(3)]
                assert [answer.text for answer in answers if isinstance(answer, Response)] == ["None", "1", "2"]
            again = await Recall(models, store).ask("judge", question("a"), repeat=2)
            assert isinstance(again, Response) and again.text == "2"
    assert [body["temperature"] for body in server.requests] == [0.0, 1.0, 1.0]


async def test_a_sample_is_judged_again_by_every_repeat(samples: list[Sample], tmp_path: Path) -> None:
    async def respond(body: dict[str, Any]) -> Reply:
        return Reply(f'{{"reason": "", "label": {1 + body.get("seed", 0)}}}', 1, 1)

    async with ChatServer(respond=respond) as server:
        judge = served(server)
        roles = ModelsSettings(judge=judge, optimizer=judge)
        settings = Settings(models=roles, limits=LimitSettings(max_failure_rate=1))
        async with open_models(settings, tmp_path / "store.sqlite") as models:
            labels = [(await judgement_of(models, "Rate it.", samples[0], repeat)).verdict.label for repeat in range(3)]
    assert labels == [1, 2, 3]
