"""Models by class: any LangChain class, and langchain-community."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from blpo.inference.verdicts import judge_sample
from blpo.models.registry import chat_model, provider_of
from state.errors import ModelError
from state.sample import Sample
from state.settings import ModelSettings, ModelsSettings, Settings
from tests.blpo.models.judges import GOOD, judging, model
from tests.servers.chat_server import ChatServer, Fault

FAKE = "langchain_core.language_models.fake_chat_models"


async def test_any_langchain_class_judges(samples: list[Sample]) -> None:
    fake = model(f"langchain:{FAKE}.FakeListChatModel", arguments={"responses": [GOOD]})
    async with judging(fake) as models:
        verdict = await judge_sample(models, "Rate it.", samples[0])
        usage = await models.caller.usage()
    assert (verdict.status, verdict.label) == ("ok", 4)
    assert usage["judge"]["usd"] is None  # unknown price


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
    body = server.requests[-1]
    assert (body["model"], body["top_p"], body["temperature"], body["max_completion_tokens"]) == ("m", 0.5, 0.25, 99)
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


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


def test_arguments_hold_no_secret() -> None:
    for arguments in ({"api_key": "x"}, {"client": {"headers": [{"Authorization": "x"}]}}, {"openai_api_token": "x"}):
        with pytest.raises(ValueError, match="looks like a secret"):
            ModelSettings.model_validate({"name": "langchain:a.B", "arguments": arguments})
    assert ModelSettings.model_validate({"name": "langchain:a.B", "arguments": {"max_tokens": 5, "top_k": 1}}).arguments


def test_settings_with_arguments_can_be_told_apart_and_found() -> None:
    one, other = (model("langchain:a.B", arguments={"model": name}) for name in ("x", "y"))
    assert {one: 1, other: 2}[model("langchain:a.B", arguments={"model": "y"})] == 2
    assert json.loads(Settings(models=ModelsSettings(judge=one, optimizer=other)).model_dump_json())
