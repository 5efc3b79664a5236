"""Models that are no server of our own: any LangChain class, langchain-community, and vLLM in this process."""

import asyncio
import json
import math
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from PIL import Image

from blpo.data.image_sources import file_sample
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judge_sample
from blpo.models.registry import Provider, chat_model, provider_of, register
from blpo.models.vllm_engine.batch_chat import EngineChat
from blpo.models.vllm_engine.engine import engine_parameters, engine_schema_arguments
from state.errors import BlpoError, ModelError
from state.sample import Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings
from tests.servers.chat_server import ChatServer, Fault

GOOD = json.dumps({"reason": "fine", "label": 4})
FAKE = "langchain_core.language_models.fake_chat_models"


def model(name: str, **settings: Any) -> ModelSettings:
    return ModelSettings(name=name, **settings)


@asynccontextmanager
async def judging(judge: ModelSettings) -> AsyncIterator[OpenModels]:
    roles = ModelsSettings(judge=judge, optimizer=judge)
    settings = Settings(models=roles, limits=LimitSettings(max_failure_rate=1))
    async with open_models(settings) as models:
        yield models


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    for i in range(6):
        Image.new("RGB", (40, 30), (40 * i, 0, 0)).save(tmp_path / f"{i}.png")
    return [file_sample(tmp_path / f"{i}.png") for i in range(6)]


async def test_any_langchain_class_judges(samples: list[Sample]) -> None:
    fake = model(f"langchain:{FAKE}.FakeListChatModel", arguments={"responses": [GOOD]})
    async with judging(fake) as models:
        verdict = await judge_sample(models, "Rate it.", samples[0])
        usage = await models.caller.usage()
    assert (verdict.status, verdict.label) == ("ok", 4)
    assert usage["judge"]["usd"] is None  # its price is unknown


async def test_a_class_of_langchain_gets_the_settings_it_has_fields_for(
    samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment-only")
    fine = ChatServer(lambda messages: GOOD, faults=iter([Fault(status=500)]), api_key="sk-environment-only")
    async with fine as server:
        arguments = {"model": "m", "top_p": 0.5}
        judge = model(
            "langchain:langchain_openai.ChatOpenAI",
            base_url=server.base_url,
            arguments=arguments,
            temperature=0.25,
            max_tokens=99,
        )
        async with judging(judge) as models:
            verdict = await judge_sample(models, "Rate it.", samples[0])
    assert verdict.label == 4
    assert len(server.requests) == 2  # retried by us
    sent = server.requests[-1]
    assert (sent["model"], sent["top_p"], sent["temperature"], sent["max_completion_tokens"]) == ("m", 0.5, 0.25, 99)
    assert sent["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


async def test_what_a_foreign_class_raises_is_an_error_of_that_call(
    samples: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign_models.py").write_text(
        f"from {FAKE} import FakeListChatModel\n"
        "class Broken(Exception): pass\n"
        "class Sulking(FakeListChatModel):\n"
        "    def _call(self, *args, **kwargs): raise Broken('not today')\n"
        "NotAModel = dict\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sulking = model("langchain:foreign_models.Sulking", arguments={"responses": ["x"]}, max_retries=0)
    async with judging(sulking) as models:
        verdict = await judge_sample(models, "Rate it.", samples[0])
    assert verdict.status == "error"
    assert "not today" in verdict.reason
    with pytest.raises(ModelError, match="no LangChain chat model"):
        chat_model(model("langchain:foreign_models.NotAModel"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (model("langchain:ChatOpenAI"), "write langchain:package.Class"),
        (model("langchain:no_such_package.Chat"), "no package no_such_package"),
        (model(f"langchain:{FAKE}.NoSuchModel"), "no such class"),
        (model(f"langchain:{FAKE}.FakeListChatModel"), "can't be built from models.ROLE.arguments"),
        (model("langchain:pathlib.Path"), "no LangChain chat model"),
    ],
)
def test_what_is_wrong_with_a_class_is_said_in_one_line(settings: ModelSettings, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        chat_model(settings)
    assert settings.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("community:ChatTongyi", "langchain_community", "community"), ("vllm-engine:Qwen/Qwen2.5-VL-3B", "vllm", "vllm")],
)
def test_a_missing_extra_is_named_with_the_command_that_installs_it(name: str, package: str, extra: str) -> None:
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed here")
    with pytest.raises(ModelError, match=rf"extra '{extra}'; install it with: pip install -e '\.\[{extra}\]'"):
        chat_model(model(name))


def test_a_class_of_langchain_community_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("langchain_community") is not None:
        pytest.skip("langchain_community is installed here; this uses a small package of that name")
    folder = tmp_path / "langchain_community"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "chat_models.py").write_text(f"from {FAKE} import ParrotFakeChatModel as ChatParrot\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert chat_model(model("community:ChatParrot")).invoke("hello").text == "hello"
    with pytest.raises(ModelError, match="no such class"):
        chat_model(model("community:ChatCuckoo"))


@pytest.mark.parametrize("name", ["embedded:judge", f"langchain:{FAKE}.FakeListChatModel"])
def test_log_probabilities_are_refused_where_there_are_none(name: str) -> None:
    with pytest.raises(ModelError, match="gives no log-probabilities; take logprobs out"):
        chat_model(model(name, logprobs=True, arguments={"responses": ["x"]} if "Fake" in name else {}))


@pytest.mark.parametrize("name", ["langchain:a.B", "community:B"])
def test_what_changes_answers_is_in_the_key_of_a_request(name: str) -> None:
    one, other = model(name, arguments={"model": "x"}), model(name, arguments={"model": "y"})
    parameters = provider_of(one).parameters
    assert parameters(one) != parameters(other)
    assert parameters(one) != parameters(model(name, arguments={"model": "x"}, temperature=1))
    assert json.dumps(parameters(one))


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


@dataclass
class Engine:
    """The part of `vllm.LLM` that is used; like that it refuses a whole batch for one conversation."""

    refused: str | None = None
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
        if self.refused is not None and any(self.refused in json.dumps(each) for each in messages):
            raise ValueError("The decoder prompt (length 9000) is longer than the maximum model length of 4096.")
        return [
            RequestOutput([self._output(self._answer(each), given)], [0] * 7)
            for each, given in zip(messages, sampling_params, strict=True)
        ]

    def _output(self, text: str, sampling: Any) -> Output:
        """One token a piece; a label of 4 at 0.9, with 5 at 0.1, where log-probabilities are asked for."""
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
        sampling=lambda structured, **given: {"structured": structured, **given},
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
    assert later.usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
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
    assert structured["disable_any_whitespace"]


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


async def test_a_conversation_that_the_engine_refuses_fails_alone(samples: list[Sample]) -> None:
    engine = Engine(refused="too long for it")
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
