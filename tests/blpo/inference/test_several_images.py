"""The message about several images with one label: named images in order, and one answer."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from blpo.data.image_sources import FileImage
from blpo.inference.descriptions import describe_samples
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judge_sample
from blpo.models.embedded.message_reading import read_values
from blpo.models.embedded.perception import perceive
from blpo.models.role_checks import limits_images, require_images
from state.errors import ModelError
from state.sample import Sample
from state.settings import DataSettings, ModelSettings, ModelsSettings, Settings
from tests.blpo.inference.test_rankings import kinds
from tests.public_sources import noisy_image
from tests.scripted import Script, scripted


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for i, file in enumerate(files):
        file.write_bytes(noisy_image(i, noise=2.0 + 8 * i))
    images = tuple(FileImage(str(file), file.name) for file in files)
    return Sample("s", images, 3, "A cat.", image_names=("front", "side", "top"))


def settings_with(script: Script, **judge: Any) -> Settings:
    name = scripted("several", script)
    roles = ModelsSettings(judge=ModelSettings(name=name, **judge), optimizer=ModelSettings(name=name))
    return Settings(data=DataSettings(path="x", image=("a", "b", "c")), models=roles)


async def messages_to(sample: Sample, **judge: Any) -> list[list[str]]:
    """Return the parts of the messages to judge and verbalizer."""
    requests: list[Sequence[BaseMessage]] = []

    def answer(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return '{"reason": "", "label": 3}'

    async with open_models(settings_with(answer, **judge)) as models:
        await judge_sample(models, "Rate it.", sample)
        await describe_samples(models, "Describe noise.", [sample])
    return [kinds(messages[0]) for messages in requests]


@pytest.mark.parametrize("part_order", ["image_first", "rubric_first"])
async def test_named_images_are_one_item_in_one_message(sample: Sample, part_order: str) -> None:
    judge, verbalizer = await messages_to(sample, part_order=part_order)
    at, place = (-1, "above") if part_order == "image_first" else (0, "below")
    frames = judge.pop(at), verbalizer.pop(at)
    assert judge == verbalizer == ["front:", "image", "side:", "image", "top:", "image", "<text>A cat.</text>"]
    assert (
        f"Judge the one item {place} this text. It has 3 images, which stand in order, each under its name."
        in frames[0]
    )
    assert "The text inside <text> belongs to all images" in frames[0]
    assert f"the one item {place} this text, at most 120 words" in frames[1]


async def test_two_images_without_names_are_sent_as_before(sample: Sample) -> None:
    two = replace(sample, images=sample.images[:2], image_names=())
    judge, verbalizer = await messages_to(two)
    assert judge[:3] == verbalizer[:3] == ["image", "image", "<text>A cat.</text>"]
    assert judge[3].startswith("Rate it.\n\n---\nJudge the one item above this text. The text inside")


async def test_a_reference_stands_before_the_named_images(sample: Sample) -> None:
    compared = replace(sample, context=(("reference", sample.images[0]),))
    judge, _ = await messages_to(compared)
    assert judge[:4] == ["Reference image:", "image", "front:", "image"]


async def test_the_embedded_models_take_the_mean_of_all_images(sample: Sample) -> None:
    rule = "Rate it.\n- Lower the rating when noise is high or above."
    async with open_models(Settings(data=DataSettings(path="x", image=("a", "b", "c")))) as models:
        verdict = await judge_sample(models, rule, sample)
        (description,) = await describe_samples(models, "Describe noise.", [sample])
    noise = [perceive(source.read())["noise"] for source in sample.images]
    mean = sum(noise) / 3
    assert verdict.status == "ok" and f"({mean:.0f})" in verdict.reason
    assert description.text.startswith("On average over the 3 images: Noise is ")
    assert read_values(description.text) == {"noise": round(mean)}


def test_the_default_prompts_speak_of_images() -> None:
    assert initial_prompts(settings_with(lambda messages: "")) == (
        "Look at the images and rate them on a scale from 1 (worst) to 5 (best).",
        "Describe the images, and what changes from one to the next.",
    )


def test_a_server_that_takes_fewer_images_is_refused_with_the_setting() -> None:
    settings = settings_with(lambda messages: "", max_images=2)
    assert limits_images(settings)
    with pytest.raises(ModelError, match=r"takes 2 images a request .* sample has 3; .* models.judge.max_images"):
        require_images(settings)
    in_lists = settings.model_copy(update={"data": DataSettings(path="x")})
    require_images(in_lists, 2)
    with pytest.raises(ModelError, match="a sample has 5"):
        require_images(in_lists, 5)
