"""Examples of a judge: in judge.yaml, and their images in a folder beside it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath

from pydantic import BaseModel, ConfigDict

from blpo.data.image_sources import FileImage
from blpo.inference.examples import described
from blpo.inference.open_run import OpenRun
from blpo.runs.run_directory import RunDirectory
from state.sample import Example, Label, Sample

FOLDER = "examples"
"""Folder of the images, in the run directory."""


class JudgeExample(BaseModel):
    """Labelled item that the judge is shown before each judged item."""

    model_config = ConfigDict(frozen=True)

    item: str
    """Id of the item; the criteria of an item share it."""
    label: Label
    task: str = ""
    image: str | None = None
    """Image file; in judge.yaml relative to the file. None with a description."""
    text: str | None = None
    description: str | None = None
    """Description that is shown in place of the image."""

    def example(self) -> Example:
        """Return the example; the image is read when it is needed."""
        images = () if self.image is None else (FileImage(self.image, f"example {self.item}"),)
        name = f"{self.task}/{self.item}" if self.task else self.item
        return Example(Sample(name, images, self.label, self.text, task=self.task), self.description)


async def write_examples(directory: RunDirectory, run: OpenRun) -> tuple[JudgeExample, ...]:
    """Copy the images of the run's examples into the run directory, and return the examples of judge.yaml."""
    return tuple([await _written(directory, run, example) for example in run.examples])


async def _written(directory: RunDirectory, run: OpenRun, example: Example) -> JudgeExample:
    sample = example.sample
    assert sample.label is not None
    judge_example = JudgeExample(item=sample.item, label=sample.label, task=sample.task, text=sample.text)
    if run.settings.prompts.examples_as == "descriptions":
        return judge_example.model_copy(update={"description": await described(run.recall, example)})
    places = list(dict.fromkeys(each.sample.item for each in run.examples))
    suffix = PurePath(sample.images[0].name).suffix.lower() or ".png"
    image = f"{FOLDER}/{places.index(sample.item):02}{suffix if suffix.isascii() else '.png'}"
    if not (directory.path / image).exists():
        data = await asyncio.to_thread(sample.images[0].read)
        await asyncio.to_thread(directory.write, image, data)
    return judge_example.model_copy(update={"image": image})


def placed(examples: Sequence[JudgeExample], folder: Path) -> tuple[JudgeExample, ...]:
    """Return the examples with the paths of their images, relative to the folder of judge.yaml."""
    return tuple(
        example if example.image is None else example.model_copy(update={"image": str(folder / example.image)})
        for example in examples
    )
