"""Questions to the optimizer that have no usable answer fail the trial, not the run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import blpo
from blpo.data.image_sources import file_sample
from blpo.inference.consult import Advice, consult
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judge_sample
from state.errors import TooManyFailures
from state.settings import ModelSettings, ModelsSettings, Settings
from tests.servers.chat_server import ChatServer, Fault
from tests.small_set import blpo as command
from tests.small_set import draw_dataset


@asynccontextmanager
async def models_at(server: ChatServer, **changes: Any) -> AsyncIterator[OpenModels]:
    model = ModelSettings(name="vllm:q", base_url=server.base_url, max_retries=0, **changes)
    async with open_models(Settings(models=ModelsSettings(judge=model, optimizer=model))) as models:
        yield models


async def advice_of(server: ChatServer, **changes: Any) -> Advice:
    async with server, models_at(server, **changes) as models:
        return await consult(models, "What is wrong?", "critique", lambda text: None)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(
            status=400, code="context_length_exceeded", message="This model's maximum context length is 8192 tokens."
        ),
        Fault(status=400, message="The prompt is longer than the maximum model length of 4096."),
        Fault(status=400, message="the request exceeds the available context size. try increasing the context size"),
        Fault(status=400, message="request (9001 tokens) exceeds the available context size (4096 tokens)"),
    ],
)
async def test_a_question_too_long_for_the_context_says_what_to_lower(fault: Fault) -> None:
    server = ChatServer(lambda messages: "", iter([fault]))
    advice = await advice_of(server)
    assert advice.text is None
    assert "longer than the optimizer's context: " in (advice.problem or "")
    assert fault.message.rstrip(".") + ". Lower search.error_batch, search.anchors" in (advice.problem or "")
    assert server.count == 1


async def test_a_refusal_is_not_argued_with() -> None:
    server = ChatServer(lambda messages: "no", iter([Fault(body="refusal")]))
    advice = await advice_of(server)
    assert (advice.problem or "").startswith("the optimizer refused: I can't help with this image. ")
    assert server.count == 1


@pytest.mark.parametrize(("most", "words"), [(700, r"(700)"), (None, "by the server's own limit")])
async def test_a_reply_that_is_cut_off_names_the_setting(most: int | None, words: str) -> None:
    server = ChatServer(lambda messages: "<critique>Too str", finish_reason="length")
    advice = await advice_of(server, max_tokens=most)
    assert "cut off at models.optimizer.max_tokens (" in (advice.problem or "")
    assert words in (advice.problem or "")
    assert server.count == 1


async def test_a_whole_text_in_a_reply_that_is_cut_off_is_used() -> None:
    server = ChatServer(lambda messages: "<critique>Too strict.</critique> And", finish_reason="length")
    assert await advice_of(server) == Advice("Too strict.", None)


async def test_a_request_that_the_server_rejects_fails_the_trial() -> None:
    server = ChatServer(lambda messages: "", iter([Fault(status=422, message="Some words never seen.")]))
    assert "the server refused the question: " in ((await advice_of(server)).problem or "")


async def test_a_server_in_trouble_ends_the_run() -> None:
    server = ChatServer(lambda messages: "", iter([Fault(status=500)]))
    with pytest.raises(TooManyFailures, match="the optimizer did not answer"):
        await advice_of(server)


async def test_a_verdict_that_is_cut_off_names_the_setting(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9), "teal").save(tmp_path / "a.png")
    server = ChatServer(lambda messages: "Let me think", finish_reason="length")
    async with server, models_at(server, max_tokens=50) as models:
        verdict = await judge_sample(models, "Rate it.", file_sample(tmp_path / "a.png"))
    assert verdict.status == "unparseable"
    assert verdict.reason.startswith("cut off at models.judge.max_tokens (50): ")


async def test_a_search_without_any_new_prompt_says_why(tmp_path: Path) -> None:
    folder, run = draw_dataset(tmp_path / "set", 60), tmp_path / "run"
    async with ChatServer(lambda messages: "", finish_reason="length") as server:
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["data"]["path"] = str(folder)
        config["models"] = {"optimizer": {"name": "vllm:o", "base_url": server.base_url, "max_tokens": 321}}
        config["search"] = {"trials": "scored", "outer_rounds": 1, "inner_steps": 1, "error_batch": 4}
        result = (await blpo.optimize({**config, "run": {"dir": str(run)}}, progress=False)).result
    assert result["status"] == "complete"
    warnings = result["warnings"]
    assert warnings[0].startswith("The search found no new prompt to try: all 2 trials failed, most often because ")
    assert "cut off at models.optimizer.max_tokens (321)" in warnings[0]
    assert "cut off at models.optimizer.max_tokens (321)" in (run / "report.html").read_text()
    resumed = await asyncio.to_thread(command, "resume", run)
    assert resumed.returncode == 0
    assert f"Warning: {warnings[0]}" in resumed.stdout
