"""Inputs of a judge of several tasks: samples of one named task, or a sample of an image for each criterion."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from blpo.deployment.image_inputs import SamplesInput
from blpo.deployment.inputs import Input
from blpo.deployment.judge import in_task
from blpo.deployment.table_input import TableInput
from blpo.deployment.task_judging import TaskJudging
from state.sample import Sample


def inputs_of_tasks(names: Sequence[str | Path], works: Mapping[str, TaskJudging]) -> list[Input]:
    """Return the named inputs for the judged tasks; of several, each is a criterion of every image."""
    by_task = {name: work.inputs(names) for name, work in works.items()}
    for name, work in works.items():
        work.require_labels(by_task[name])
    if list(works) == [""]:
        return by_task[""]
    return [TasksInput(dict(zip(by_task, sources, strict=True))) for sources in zip(*by_task.values(), strict=True)]


@dataclass(frozen=True, slots=True)
class TasksInput:
    """One input, with a sample of every image for each judged task."""

    sources: Mapping[str, Input]
    """The input by task: tables and configs have labels of each task."""

    @property
    def may_be_labelled(self) -> bool:
        """True if a task has human labels, as far as is known."""
        return any(source.may_be_labelled for source in self.sources.values())

    def count(self) -> int | None:
        """Return the number of samples; None if only reading would tell."""
        images = max((source.count() or 0 for source in self.sources.values()), default=0)
        return None if self._first.count() is None else len(self.sources) * images

    def samples(self) -> Iterator[Sample]:
        """Yield the samples of the first image, one for each task, then those of the second, and so on."""
        for members in self._images():
            yield from (in_task(sample, name) for name, sample in members.items())

    @property
    def _first(self) -> Input:
        return next(iter(self.sources.values()))

    def _images(self) -> Iterator[dict[str, Sample]]:
        if len(self.sources) == 1 or isinstance(self._first, TableInput):
            for members in zip(*(source.samples() for source in self.sources.values()), strict=True):
                yield dict(zip(self.sources, members, strict=True))
        elif isinstance(self._first, SamplesInput):
            yield from self._of_configs()
        else:  # images alone have no label of any criterion, and stdin is read once
            for sample in self._first.samples():
                yield dict.fromkeys(self.sources, replace(sample, label=None, rating=None))

    def _of_configs(self) -> Iterator[dict[str, Sample]]:
        """Yield the images of a config; a criterion without a label of an image has the image without one."""
        by_task = {name: {each.id: each for each in source.samples()} for name, source in self.sources.items()}
        images = {name: sample for samples in by_task.values() for name, sample in samples.items()}
        for identity, image in images.items():
            unlabelled = replace(image, label=None, rating=None)
            yield {name: samples.get(identity, unlabelled) for name, samples in by_task.items()}
