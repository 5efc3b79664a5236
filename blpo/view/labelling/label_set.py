"""Samples to label: disagreements or a split of a run, or a folder of images without labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from blpo.data.dataset import Dataset
from blpo.data.image_listing import images_below
from blpo.data.image_sources import file_sample
from blpo.data.images import encode_stored_file
from blpo.data.run_dataset import dataset_of
from blpo.reports.disagreements import disagreements
from blpo.reports.gallery import is_sensitive, shortened
from blpo.reports.named_pictures import named_texts, picture_names
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from blpo.view.labelling.answer_log import FOLDER, AnswerLog
from blpo.view.labelling.folder_task import folder_task
from state.errors import DataError, RunError
from state.sample import Sample, SplitName
from state.settings import Settings, TaskSettings

DISAGREEMENTS = "disagreements"
WHOLE = "folder"
"""Only part of a folder."""
_KEYS = "123456789"
_SIDE, _PIXELS = 1400, 1_600_000
_ORDER: tuple[SplitName, ...] = ("test", "validation", "train")


@dataclass(frozen=True)
class LabelSet:
    """Samples in order, with their task and the place of the answers."""

    address: str
    """Address of the pages: /runs/NAME or /label/NAME."""
    log: AnswerLog
    samples: Mapping[str, Sample]
    settings: Settings
    orders: Mapping[str, tuple[str, ...]]
    """Ids of each part, in order."""
    verdicts: Mapping[str, VerdictRow] = field(default_factory=dict)
    """Verdicts of the selected prompt; empty without a judge."""
    is_sensitive: bool = False

    def order(self, part: str) -> tuple[str, ...]:
        """Return the ids of a part; raises `RunError` for no part."""
        if part not in self.orders:
            raise RunError(f"{part!r} is no part of it; choose one of {', '.join(self.orders)}")
        return self.orders[part]

    def task(self, sample: Sample) -> TaskSettings:
        """Return the task of a sample."""
        return self.settings.of_task(sample.task).task

    def keys(self, sample: Sample) -> list[tuple[str, str]]:
        """Return the labels of a sample, each with its key; no key after the ninth label, and none for rankings."""
        task = self.task(sample)
        if task.kind == "pairwise":
            return [(str(value), str(value)[0]) for value in task.values]
        values = [str(value) for value in task.values] if task.kind != "ranking" else []
        if task.kind == "ordinal" and all(len(value) == 1 for value in values):
            return [(value, value) for value in values]
        return [(value, _KEYS[place] if place < len(_KEYS) else "") for place, value in enumerate(values)]

    def image(self, sample_id: str, place: int) -> tuple[bytes, str]:
        """Return an image upright, at most 1400 pixels wide and high, and its media type; raises `DataError`."""
        sample = self.samples.get(sample_id)
        if sample is None or place >= len(sample.all_images):
            raise DataError(f"no image {place} of {sample_id}")
        source = sample.all_images[place]
        file = encode_stored_file(source.read(), source.name, _PIXELS, _SIDE)
        return file.data, file.media_type

    def image_names(self, sample: Sample) -> list[str]:
        """Return a name for each image of a sample; empty for a single image."""
        return picture_names(sample, self.task(sample))

    def texts(self, sample: Sample) -> list[tuple[str, str]]:
        """Return the texts of a sample with their names."""
        own = [("text", sample.text)] if sample.text else []
        return [(name, shortened(text)) for name, text in [*own, *named_texts(sample)]]


def run_set(record: RunRecord, address: str) -> LabelSet:
    """Return all samples of a run's dataset; raises `DataError` without the dataset, `RunError` for another one."""
    dataset = dataset_of(record.settings)
    if dataset.fingerprint != record.info.dataset:
        raise RunError(f"{record.directory}: the dataset is not the one that the run used; restore it")
    return LabelSet(
        address=address,
        log=AnswerLog(record.directory / FOLDER),
        samples=dataset.by_id,
        orders=_orders(record, dataset),
        settings=record.settings,
        verdicts=record.best,
        is_sensitive=is_sensitive(record.settings),
    )


def _orders(record: RunRecord, dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the ids of each part in order: disagreements first, criteria of an image one after the other."""
    places = {name: place for place, name in enumerate(record.settings.task_names)}
    orders: dict[str, tuple[str, ...]] = {}
    if record.best:
        orders[DISAGREEMENTS] = tuple(e.id for e in disagreements(record.directory) if e.id in dataset.by_id)
    for part in _ORDER:
        by_item: dict[str, list[Sample]] = {}
        for sample in dataset.splits[part]:
            by_item.setdefault(sample.item, []).append(sample)
        own = [sorted(samples, key=lambda sample: places.get(sample.task, 0)) for samples in by_item.values()]
        orders[part] = tuple(sample.id for samples in own for sample in samples)
    return orders


def folder_set(folder: Path, address: str) -> LabelSet:
    """Return the images of a folder under the task that a person gave; raises `DataError` without a task."""
    task = folder_task(folder)
    if task is None:
        raise DataError(f"{folder}: say first what the labels are")
    samples = {name: replace(file_sample(folder / name), id=name) for name in folder_images(folder)}
    settings = Settings.model_validate({"task": task, "data": {"path": str(folder)}})
    return LabelSet(
        address,
        AnswerLog(folder / FOLDER),
        samples,
        settings,
        {WHOLE: tuple(samples)},
        is_sensitive=is_sensitive(settings),
    )


def folder_images(folder: Path) -> Sequence[str]:
    """Return the names of the images of a folder, without links that lead out of the folder."""
    root = folder.resolve()
    return [name for name in images_below(folder) if (folder / name).resolve().is_relative_to(root)]


def task_titles(settings: Settings) -> dict[str, str]:
    """Return by task the question to a rater: the task's name, and what it is about."""
    about = {entry.name: entry.about for entry in settings.entries} if settings.task_names else {}
    return {name: f"{name}: {about[name]}" if about.get(name) else name for name in about} or {"": ""}
