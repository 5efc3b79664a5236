"""Labelled examples in the message to the judge: images of the train split, or descriptions by q_0, with labels."""

import json
from collections.abc import Iterator

from blpo.inference.answer_forms import asks_once
from blpo.inference.descriptions import describe_sample
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import OpenModels
from blpo.models.messages import Part
from blpo.prompts.delimiters import element
from state.sample import Example, Label, Sample
from state.settings import ModelSettings, Settings


async def example_parts(models: OpenModels, sample: Sample, model: ModelSettings) -> list[Part]:
    """Return the examples for the judgement of a sample: of its task, or of all criteria that are asked at once.

    Raises `DataError` for an unreadable image.
    """
    parts: list[Part] = []
    for number, (example, label) in enumerate(_labelled(models, sample), 1):
        parts.append(f"Example {number}:")
        if models.settings.prompts.examples_as == "images":
            parts += await (models.example_images or models.images).of(example.sample, model)
        else:
            parts.append(element("description", await described(models, example)))
        if example.sample.text:
            parts.append(element("text", example.sample.text))
        parts.append(f"Label of example {number}: {label}")
    return parts


async def described(models: OpenModels, example: Example) -> str:
    """Return the description of an example: its own, else by q_0."""
    if example.description is not None:
        return example.description
    description = await describe_sample(models, initial_prompts(models.settings)[1], example.sample)
    return description.text if description.status == "ok" else f"(none: {description.status})"


def _labelled(models: OpenModels, sample: Sample) -> Iterator[tuple[Example, str]]:
    """Yield the examples with their labels as the judge would answer them."""
    if not asks_once(models.settings):
        own = [example for example in models.examples if example.sample.task == sample.task]
        yield from ((each, _answer(each.sample.label, each.sample.task, models.settings)) for each in own)
        return
    by_item: dict[str, list[Example]] = {}
    for example in models.examples:
        by_item.setdefault(example.sample.item, []).append(example)
    for examples in by_item.values():
        answers = (f'"{e.sample.task}": {_answer(e.sample.label, e.sample.task, models.settings)}' for e in examples)
        yield examples[0], f"{{{', '.join(answers)}}}"


def _answer(label: Label | None, task: str, settings: Settings) -> str:
    """Return a label in JSON: a rating as its word if the judge answers words."""
    scale = settings.of_task(task).task
    word = dict(scale.scale).get(label) if scale.answer == "word" and isinstance(label, int) else label
    return json.dumps(word, ensure_ascii=False)
