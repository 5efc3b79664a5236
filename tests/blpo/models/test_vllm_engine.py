"""vLLM inside the process, with an engine of the same interface."""

import asyncio
import json
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from blpo.inference.verdicts import judge_sample
from blpo.models.registry import Provider, register
from blpo.models.vllm_engine.batch_chat import EngineChat
from blpo.models.vllm_engine.engine import engine_parameters, engine_schema_arguments
from state.errors import BlpoError, ModelError
from state.sample import Sample
from state.settings import ModelSettings
from tests.blpo.models.judges import GOOD, judging, model


@dataclass
class Output:
    text: str
    token_ids: tuple[int, ...] = (1, 2, 3)
    finish_reason: str | None = "stop"
    logprobs: list[dict[int, Any]] | None = None


@dataclass
class Logprob:
    """As `vllm.logprobs.Logprob`."""

    logprob: float
    rank: int | None = None
    decoded_token: str | None = None


@dataclass
class RequestOutput:
    outputs: list[Output]
    prompt_token_ids: list[int]
    num_cached_tokens: int | None = None


@dataclass
class Engine:
    """The interface of `vllm.LLM` in use; a refused conversation fails its whole batch, as in vLLM."""

    refused_text: str | None = None
    cached_tokens: int | None = None
    batches: list[list[Any]] = field(default_factory=list)
    sampling: list[Any] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def chat(
        self, messages: list[Any], sampling_params: Sequence[Any] | None = None, use_tqdm: bool = True
    ) -> list[RequestOutput]:
        assert sampling_params is not None
        assert len(messages) == len(sampling_params)
        assert not use_tqdm
        self.threads.add(threading.current_thread().name)
        self.batches.append(messages)
        self.sampling.extend(sampling_params)
        if self.refused_text is not None and any(self.refused_text in json.dumps(each) for each in messages):
            raise ValueError("The decoder prompt (length 9000) is longer than the maximum model length of 4096.")
        return [
            RequestOutput([self._output(self._answer(each), parameters)], [0] * 7, self.cached_tokens)
            for each, parameters in zip(messages, sampling_params, strict=True)
        ]

    def _output(self, text: str, sampling: Any) -> Output:
        """Return one token a piece; with log-probabilities a label of 4 at 0.9 and 5 at 0.1."""
        if "logprobs" in sampling and "choice" in (sampling["structured"] or {}):  # ends as the replies of real models
            first = {0: Logprob(math.log(0.8), 1, "4"), 1: Logprob(math.log(0.2), 2, "5")}
            return Output("4", (0, 2), logprobs=[first, {2: Logprob(0.0, 1, "<|im_end|>")}])
        if "logprobs" not in sampling or text != GOOD:
            return Output(text)
        pieces = [text[:-2], "4", "}"]
        at = [{i: Logprob(0.0, 1, piece)} for i, piece in enumerate(pieces)]
        at[1] = {1: Logprob(math.log(0.9), 1, "4"), 9: Logprob(math.log(0.1), 2, "5"), 8: Logprob(-math.inf)}
        return Output(text, (0, 1, 2), logprobs=at)

    def _answer(self, conversation: list[Any]) -> str:
        last = conversation[-1]["content"]
        return GOOD if isinstance(last, list) else f"echo {last}"


def engine_model(engine: Engine, **parameters: Any) -> EngineChat:
    return EngineChat(
        model_name="m",
        load=lambda: engine,
        sampling=lambda structured, **parameters: {"structured": structured, **parameters},
        parameters=parameters,
        cache=False,
        disable_streaming=True,
    )


def register_engine(engine: Engine) -> None:
    def build(settings: ModelSettings) -> EngineChat:
        return engine_model(engine, **engine_parameters(settings))

    register("test-engine", Provider(build, engine_parameters, engine_schema_arguments, local=True))


async def test_calls_that_come_together_are_one_batch_in_one_thread() -> None:
    engine = Engine()
    chat = engine_model(engine, temperature=0.0, max_tokens=None)
    replies = await asyncio.gather(*(chat.ainvoke(f"{i}") for i in range(50)))
    assert [reply.text for reply in replies] == [f"echo {i}" for i in range(50)]
    later = await chat.ainvoke("later")
    assert later.usage_metadata == {
        "input_tokens": 7,
        "output_tokens": 3,
        "total_tokens": 10,
        "input_token_details": {"cache_read": 0},
    }
    assert later.response_metadata["finish_reason"] == "stop"
    assert [len(batch) for batch in engine.batches] == [50, 1]
    assert len(engine.threads) == 1
    assert engine.sampling[0] == {"structured": None, "temperature": 0.0, "max_tokens": None}
    await chat.aclose()


async def test_a_judge_in_this_process_sends_openai_messages_and_the_schema(samples: list[Sample]) -> None:
    engine = Engine()
    register_engine(engine)
    async with judging(model("test-engine:m", max_concurrency=6)) as models:
        verdicts = await asyncio.gather(*(judge_sample(models, "Rate it.", sample) for sample in samples))
    assert [verdict.label for verdict in verdicts] == [4] * 6
    assert sum(len(batch) for batch in engine.batches) == 6
    assert len(engine.batches) < 6
    (message,) = engine.batches[0][0]
    assert message["role"] == "user"
    assert [part["type"] for part in message["content"]] == ["image_url", "text"]
    assert message["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    structured = engine.sampling[0]["structured"]
    assert structured["json"]["properties"]["label"]["enum"] == [1, 2, 3, 4, 5]
    assert list(structured) == ["json"]


async def test_an_engine_tells_how_probable_each_label_is(samples: list[Sample]) -> None:
    engine = Engine()
    register_engine(engine)
    async with judging(model("test-engine:m", logprobs=True)) as models:
        verdict = await judge_sample(models, "Rate it.", samples[0])
    assert engine.sampling[0]["logprobs"] == 20
    assert verdict.label == 4
    assert dict(verdict.scores) == pytest.approx({1: 0, 2: 0, 3: 0, 4: 0.9, 5: 0.1})


async def test_a_bare_label_can_be_asked_for(samples: list[Sample]) -> None:
    engine = Engine()
    register_engine(engine)
    async with judging(model("test-engine:m", structured_output="choice", temperature=None)) as models:
        await judge_sample(models, "Rate it.", samples[0])
    assert engine.sampling == [{"structured": {"choice": ["1", "2", "3", "4", "5"]}, "max_tokens": None}]


async def test_a_bare_label_before_an_end_of_turn_token_has_scores(samples: list[Sample]) -> None:
    register_engine(Engine())
    async with judging(model("test-engine:m", structured_output="choice", logprobs=True)) as models:
        verdict = await judge_sample(models, "Rate it.", samples[0])
    assert verdict.label == 4
    assert dict(verdict.scores) == pytest.approx({1: 0, 2: 0, 3: 0, 4: 0.8, 5: 0.2})


async def test_a_conversation_that_the_engine_refuses_fails_alone(samples: list[Sample]) -> None:
    engine = Engine(refused_text="too long for it")
    register_engine(engine)
    long = Sample("long", samples[0].images, None, text="too long for it")
    async with judging(model("test-engine:m")) as models:
        verdicts = await asyncio.gather(*(judge_sample(models, "Rate.", s) for s in [*samples, long]))
    assert [verdict.status for verdict in verdicts] == ["ok"] * 6 + ["error"]
    assert "longer than the maximum model length" in verdicts[-1].reason


async def test_an_engine_that_cannot_be_loaded_ends_the_run() -> None:
    def load() -> Engine:
        raise ModelError("vllm-engine:m: can't be loaded: no GPU")

    chat = EngineChat(model_name="m", load=load, sampling=dict, parameters={})
    with pytest.raises(BlpoError, match="no GPU"):
        await chat.ainvoke([HumanMessage("x")])
