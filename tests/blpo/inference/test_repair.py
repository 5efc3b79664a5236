"""Unusable replies: one repair for a judge; the thinking of reasoning models is not read."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage
from PIL import Image

import blpo
from blpo.data.image_sources import file_sample
from blpo.inference.consult import consult
from blpo.inference.descriptions import describe_samples
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judge_sample
from blpo.models.embedded.chat import prompt_and_frame
from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.message_images import images
from state.sample import Sample
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer, Fault
from tests.small_set import draw_dataset

Script = Callable[[Sequence[BaseMessage]], str]
GOOD = json.dumps({"reason": "fine", "label": 4})


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "a.png")
    return file_sample(tmp_path / "a.png")


@asynccontextmanager
async def models_with(script: Script, **judge: Any) -> AsyncIterator[OpenModels]:
    name = scripted("repair", script)
    roles = ModelsSettings(judge=ModelSettings(name=name, **judge), optimizer=ModelSettings(name=name))
    async with open_models(Settings(models=roles, limits=LimitSettings(max_failure_rate=1))) as models:
        yield models


@pytest.mark.parametrize("first", ["I can't say.", "", '{"label": 9}', "<think>4? 5?</think>", '{"label": "4 or 5"}'])
async def test_an_unparseable_verdict_is_repaired_in_the_same_conversation(sample: Sample, first: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return first if len(messages) == 1 else GOOD

    async with models_with(judge) as models:
        verdict = await judge_sample(models, "Rate it.", sample)
        again = await judge_sample(models, "Rate it.", sample)
        usage = (await models.caller.usage())["judge"]
    assert (verdict.status, verdict.label) == ("ok", 4)
    assert again == verdict
    assert (usage["issued"], usage["cached"]) == (2, 2)  # the repair is in the store too
    repair = requests[1]
    assert repair[0] == requests[0][0]
    assert isinstance(repair[1], AIMessage)
    assert repair[1].text.strip()  # servers refuse empty messages
    assert "think" not in repair[1].text
    assert "an integer from 1 to 5" in repair[2].text


async def test_it_is_repaired_once(sample: Sample) -> None:
    async with models_with(lambda messages: "no idea " * 1000) as models:
        verdict = await judge_sample(models, "Rate it.", sample)
        usage = (await models.caller.usage())["judge"]
    assert (verdict.status, verdict.label) == ("unparseable", None)
    assert usage["issued"] == 2


async def test_a_refusal_is_not_argued_with(sample: Sample) -> None:
    async with ChatServer(lambda messages: "no", extra={"refusal": "I won't."}) as server:
        model = ModelSettings(name="vllm:q", base_url=server.base_url)
        roles = ModelsSettings(judge=model, optimizer=model)
        async with open_models(Settings(models=roles)) as models:
            verdict = await judge_sample(models, "Rate it.", sample)
        assert (verdict.status, len(server.requests)) == ("refused", 1)


@pytest.mark.parametrize(("status", "expected"), [(500, "error"), (422, "unparseable")])
async def test_a_repair_that_fails(sample: Sample, status: int, expected: str) -> None:
    faults = iter([Fault(), Fault(status=status)])
    async with ChatServer(lambda messages: "hm", faults) as server:
        model = ModelSettings(name="vllm:q", base_url=server.base_url, max_retries=0)
        async with open_models(Settings(models=ModelsSettings(judge=model, optimizer=model))) as models:
            verdict = await judge_sample(models, "Rate it.", sample)
    assert (verdict.status, verdict.label) == (expected, None)


@pytest.mark.parametrize(
    "fault", [Fault(status=413), Fault(status=400, message="image is too large: 9 MB, at most 5 MB")]
)
async def test_an_image_that_the_server_finds_too_large_names_the_setting(sample: Sample, fault: Fault) -> None:
    async with ChatServer(lambda messages: GOOD, iter([fault] * 2)) as server:
        model = ModelSettings(name="vllm:q", base_url=server.base_url)
        settings = Settings(
            models=ModelsSettings(judge=model, optimizer=model), limits=LimitSettings(max_failure_rate=1)
        )
        async with open_models(settings) as models:
            verdict = await judge_sample(models, "Rate it.", sample)
            (description,) = await describe_samples(models, "Describe it.", [sample])
        assert len(server.requests) == 2  # neither was tried again
    assert (verdict.status, description.status) == ("error", "error")
    assert verdict.reason.endswith("lower models.judge.max_pixels")
    assert description.text.endswith("lower models.verbalizer.max_pixels")


async def test_what_a_model_thinks_aloud_is_neither_a_description_nor_a_prompt(sample: Sample) -> None:
    thought = "<think>Say <critique>nothing</critique>.</think>\n"

    async with models_with(lambda messages: f"{thought}<critique>Too strict.</critique>") as models:
        (description,) = await describe_samples(models, "Describe it.", [sample])
        answer = await consult(models, "What is wrong?", "critique", lambda text: None)
    assert description.text == "<critique>Too strict.</critique>"
    assert answer.text == "Too strict."

    async with models_with(lambda messages: thought) as models:
        (description,) = await describe_samples(models, "Describe it.", [sample])
        answer = await consult(models, "What is wrong?", "critique", lambda text: None)
    assert description.status == "unparseable"
    assert answer.text is None


@pytest.mark.parametrize("order", ["image_first", "rubric_first"])
async def test_parts_stand_in_the_order_that_is_set_and_the_prompt_says_where(sample: Sample, order: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return GOOD

    with_text = Sample(sample.id, sample.images, None, text="a teal card\n---\nRate it 5.")
    async with models_with(judge, part_order=order) as models:
        await judge_sample(models, "Rate it. Raise the rating.", with_text)
    parts: Any = requests[0][0].content
    kinds = [part["type"] for part in parts]
    assert kinds == (["image_url", "text", "text"] if order == "image_first" else ["text", "image_url", "text"])
    frame = parts[-1 if order == "image_first" else 0]["text"]
    assert f"the one item {'above' if order == 'image_first' else 'below'} this text" in frame
    prompt, form = prompt_and_frame(requests[0])
    assert prompt == "Rate it. Raise the rating."
    assert "integer from 1 to 5" in form
    assert len(images(requests[0])) == 1
    assert json.loads(EmbeddedJudge().answer(requests[0]))["label"] in range(1, 6)


async def test_the_embedded_models_answer_alike_in_both_orders(sample: Sample) -> None:
    outcomes = []
    for order in ("image_first", "rubric_first"):
        model = ModelSettings.model_validate({"name": "embedded:judge", "part_order": order})
        verbalizer = model.model_copy(update={"name": "embedded:verbalizer"})
        settings = Settings(models=ModelsSettings(judge=model, verbalizer=verbalizer))
        async with open_models(settings) as models:
            verdict = await judge_sample(models, "Lower the rating when brightness is high or above.", sample)
            (description,) = await describe_samples(models, "How bright and sharp is it?", [sample])
        assert verdict.status == description.status == "ok"
        outcomes.append((verdict, description))
    assert outcomes[0] == outcomes[1]


async def test_the_order_is_recorded_with_the_judge_and_used_again(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set")
    overrides = [f"run.dir={tmp_path / 'run'}", "models.judge.part_order=rubric_first", "search.outer_rounds=0"]
    await blpo.optimize(folder / "config.yaml", overrides=overrides)
    text = (tmp_path / "run" / "judge.yaml").read_text()
    assert "part_order: rubric_first" in text
    judge = blpo.load_judge(tmp_path / "run" / "judge.yaml")
    assert judge.file.settings.models.of("judge").part_order == "rubric_first"
    image = folder / "images" / "000.png"
    rows = (tmp_path / "run" / "verdicts" / "best.jsonl").read_text().splitlines()
    label = next(row["verdict"] for row in map(json.loads, rows) if row["id"] == "s0")
    assert [verdict.label for verdict in await judge([image])] == [label]
