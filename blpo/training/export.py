"""Export of a judge's train split for a trainer: data, reward, recipe and README in a new folder."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from blpo.data.splits import draw_by_label, seeded
from blpo.storage.whole_files import whole_folder
from blpo.training.example_stream import ExampleStream
from blpo.training.examples import Question, TrainingExample, questions_about
from blpo.training.export_files import write_files
from blpo.training.exported import SAMPLES, Exported
from blpo.training.frameworks import FRAMEWORKS, FrameworkName
from blpo.training.held_out import held_out
from blpo.training.recipe import Recipe, Stage
from blpo.training.sources import Source, read_sources
from state.errors import ConfigError, DataError
from state.settings import Settings

_WIDEST = 4096
"""Longest side in pixels: the paper limits pixels alone."""
_OUTSIDE = "all samples of the train split share an image with validation or test"
_NOTHING: dict[Stage, str] = {
    "sft": _OUTSIDE,
    "grpo": _OUTSIDE,
    "dpo": "no question has a right and a wrong answer in the store; preferences need a run whose judge was asked"
    " repeatedly: models.judge.votes above 1",
}


def _uncounted(done: int, total: int) -> None:
    """Ignore the progress."""


async def export_training(
    paths: Sequence[str],
    out: Path,
    name: FrameworkName,
    recipe: Recipe,
    *,
    limit: int | None = None,
    overrides: Sequence[str] = (),
    count: Callable[[int, int], None] = _uncounted,
) -> Exported:
    """Write the train split of configurations and runs for a trainer, into a new folder.

    `limit` is the largest number of examples; tasks and labels keep their shares. `overrides` are `key=value` for the
    settings of each source. `count` is called with the questions done and all. Raises `BlpoError`; then nothing is
    written.
    """
    FRAMEWORKS[name].require(recipe.stage)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} holds something; give a new or empty folder to --out")
    sources = await asyncio.to_thread(read_sources, paths, overrides)
    settings = {source.name: _with_pixels(source.settings, recipe.max_pixels) for source in sources}
    exclusions = await asyncio.to_thread(held_out, sources, settings[sources[0].name].models.of("judge"))
    items = drawn([_Item(source, question) for source in sources for question in _train(source)], limit, recipe.seed)
    with whole_folder(out) as folder:
        async with AsyncExitStack() as stack:
            streams = {
                source.name: await ExampleStream.open(source, settings[source.name], exclusions, recipe.stage, stack)
                for source in sources
            }
            exported = await _write_data(folder, name, recipe.stage, streams, items, count)
        if exported.examples == 0:
            raise DataError(_NOTHING[recipe.stage])
        exclusions.require_absent(folder / SAMPLES)
        prompts = {source.name: source.prompts[0] for source in sources}
        write_files(folder, name, recipe, exported, settings, prompts)
    return replace(exported, folder=out)


@dataclass(frozen=True, slots=True)
class _Item:
    """A question of a source."""

    source: Source
    question: Question

    @property
    def id(self) -> str:
        return self.source.id_of(self.question.id)

    @property
    def task(self) -> str:
        """Name of the task; of several sources with the source's name in front."""
        return "/".join(filter(None, ("" if self.source.is_alone else self.source.name, self.question.task)))


def _train(source: Source) -> list[Question]:
    return questions_about(source.settings, source.dataset.splits["train"])


def drawn(items: Sequence[_Item], limit: int | None, seed: int) -> list[_Item]:
    """Return at most `limit` questions in a seeded order. Tasks and labels keep their shares."""
    if limit is not None and limit < len(items):
        items = draw_by_label(items, [(item.task, item.question.right) for item in items], limit, seed)
    return sorted(items, key=lambda item: seeded(seed, "training order", item.id))


async def _write_data(
    folder: Path,
    name: FrameworkName,
    stage: Stage,
    streams: Mapping[str, ExampleStream],
    items: Sequence[_Item],
    count: Callable[[int, int], None],
) -> Exported:
    """Write the data and samples.jsonl."""
    tasks, reasons, images = Counter[str](), 0, 0
    with FRAMEWORKS[name].data(folder, stage) as data, (folder / SAMPLES).open("w", encoding="utf-8") as lines:
        for done, item in enumerate(items, 1):
            async for example in streams[item.source.name].of(item.question):
                await asyncio.to_thread(data.add, example)
                lines.write(_sample_line(item.task, example))
                tasks[item.task] += 1
                reasons += example.has_reason
                images = max(images, len(example.images))
            count(done, len(items))
    left_out = sum(len(stream.left_out) for stream in streams.values())
    return Exported(folder, tasks.total(), dict(tasks), reasons, left_out, images)


def _sample_line(task: str, example: TrainingExample) -> str:
    fields = {"id": example.id, "sample": example.sample_id, "task": task, "images": example.judged_images}
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _with_pixels(settings: Settings, max_pixels: int) -> Settings:
    """Return the settings with the pixel limit of the recipe for the judge, asked for the reason first."""
    judge = settings.models.of("judge")
    changes = {"max_pixels": max_pixels, "max_side": max(judge.max_side, _WIDEST), "reason": "before"}
    models = settings.models.model_copy(update={"judge": judge.model_copy(update=changes)})
    return settings.model_copy(update={"models": models})
