"""The message about a list: numbered images in one request, one repair, and the answer as a ranking."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from blpo.data.image_sources import FileImage
from blpo.inference.descriptions import describe_samples
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.verdicts import judge_sample, judgement_of
from blpo.models.embedded.chat import prompt_and_frame
from blpo.prompts.cases import Case, cases, labels_in_words
from state.sample import Sample
from state.settings import DataSettings, LimitSettings, ModelSettings, ModelsSettings, Settings, TaskSettings
from state.verdict import Description, Verdict
from tests.public_sources import noisy_image
from tests.scripted import Script, scripted

TASK = TaskSettings(kind="ranking", best="lowest")


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    images = [tmp_path / f"{i}.png" for i in range(3)]
    for i, file in enumerate(images):
        file.write_bytes(noisy_image(i))
    return Sample("s", tuple(FileImage(str(file), file.name) for file in images), "2>1=3", "A cat.")


def settings_with(script: Script, **judge: Any) -> Settings:
    name = scripted("rankings", script)
    roles = ModelsSettings(judge=ModelSettings(name=name, **judge), optimizer=ModelSettings(name=name))
    data = DataSettings(path="x", group="list")
    return Settings(task=TASK, data=data, models=roles, limits=LimitSettings(max_failure_rate=1))


@asynccontextmanager
async def models_with(script: Script, **judge: Any) -> AsyncIterator[OpenModels]:
    async with open_models(settings_with(script, **judge)) as models:
        yield models


def kinds(message: BaseMessage) -> list[str]:
    parts: Any = message.content
    return [part["text"] if part["type"] == "text" else "image" for part in parts]


@pytest.mark.parametrize("part_order", ["image_first", "rubric_first"])
async def test_a_list_is_asked_about_in_one_message_with_numbered_images(sample: Sample, part_order: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return json.dumps({"reason": "calm", "label": [2, 3, 1]})

    async with models_with(judge, part_order=part_order) as models:
        verdict = await judge_sample(models, "Rank them.", sample)
    assert (verdict.label, verdict.reason, verdict.orders) == ("2>3>1", "calm", ())
    (messages,) = requests
    parts = kinds(messages[0])
    frame = parts.pop() if part_order == "image_first" else parts.pop(0)
    assert parts == ["Image 1:", "image", "Image 2:", "image", "Image 3:", "image", "<text>A cat.</text>"]
    assert prompt_and_frame(messages)[0] == "Rank them."
    place = "above" if part_order == "image_first" else "below"
    assert f"Rank the 3 images {place} this text, from best to worst. Their order has no meaning." in frame
    assert '"label": an array of all image numbers from 1 to 3, each once, best image first}' in frame


@pytest.mark.parametrize("reply", ["[2, 1]", '{"reason": "", "label": [1, 1, 2]}', "Image 2 is the best.", ""])
async def test_a_reply_that_is_no_permutation_is_repaired_once(sample: Sample, reply: str) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def judge(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return reply if len(requests) == 1 else '{"reason": "", "label": [3, 1, 2]}'

    async with models_with(judge) as models:
        judgement = await judgement_of(models, "Rank them.", sample)
    assert judgement.verdict.label == "3>1>2"
    assert [len(messages) for messages in requests] == [1, 3]
    problem = "an array of all image numbers from 1 to 3, each once, best image first"
    assert problem in str(requests[1][-1].content)


async def test_a_second_reply_that_is_no_permutation_is_no_ranking(sample: Sample) -> None:
    async with models_with(lambda messages: '{"label": [1, 2]}') as models:
        verdict = await judge_sample(models, "Rank them.", sample)
    assert (verdict.status, verdict.label) == ("unparseable", None)


async def test_all_images_are_described_in_one_message(sample: Sample) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def verbalizer(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return "Image 1: calm. Image 2: busy. Image 3: calm."

    async with models_with(verbalizer) as models:
        (description,) = await describe_samples(models, "Describe noise.", [sample])
    assert description.text.startswith("Image 1: calm.")
    (messages,) = requests
    parts = kinds(messages[0])
    assert parts[:2] == ["Image 1:", "image"] and parts.count("image") == 3
    assert "the 3 images above this text, at most 180 words" in parts[-1]
    assert "gives no ranking" not in parts[-1] and "no label and no\nranking" in parts[-1]


def test_the_default_prompts_ask_for_a_ranking() -> None:
    judge, i2t = initial_prompts(settings_with(lambda messages: ""))
    assert judge == "Rank the images from best to worst."
    assert i2t == "Describe each image, and how the images differ."


def test_the_optimizer_reads_rankings_with_their_meaning(sample: Sample) -> None:
    assert labels_in_words(TASK).startswith("rankings of the images of an item, best first: 2>1=3 says that image 2")
    row = Case(sample, Verdict("s", "ok", "2>3>1"), (Description("s", "ok", "Image 1: calm."),))
    assert row.right
    assert "<human>2>1=3</human>\n<judge>2>3>1</judge>" in cases([row])
    assert not Case(sample, Verdict("s", "ok", "3>2>1")).right
