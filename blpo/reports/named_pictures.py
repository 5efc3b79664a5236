"""Small pictures of a sample with names: a and b of a pair, places of a ranking, frames, images of the context."""

from collections.abc import Iterable
from typing import NamedTuple

from blpo.reports.thumbnails import THUMBNAIL_BYTES, THUMBNAIL_SIDE, thumbnails
from state.image_names import numbered
from state.sample import Sample
from state.settings import Settings, TaskSettings

_CONTEXT = {"reference": "reference", "before": "before the edit"}


MOST_PICTURES = 2000
"""Pictures of several images with one label on a page; more would leave few bytes for each."""
SEVERAL_SIDE = 144
"""Longer side of a picture of several images with one label, in pixels."""


class Picture(NamedTuple):
    """A picture for a page."""

    url: str
    """`data:` URL."""
    name: str
    """Name in the labels of the task; empty for a single image."""


def run_pictures(
    samples: Iterable[Sample],
    settings: Settings,
    side: int = THUMBNAIL_SIDE,
    most_bytes: int = THUMBNAIL_BYTES,
) -> dict[str, tuple[Picture, ...]]:
    """Return the pictures of samples of a run as `named_pictures`, of a single task or of several tasks."""
    by_task: dict[str, list[Sample]] = {}
    for sample in samples:
        by_task.setdefault(sample.task, []).append(sample)
    share = most_bytes // max(len(by_task), 1)
    parts = (named_pictures(own, settings.of_task(name).task, side, share) for name, own in by_task.items())
    return {sample_id: pictures for part in parts for sample_id, pictures in part.items()}


def named_pictures(
    samples: Iterable[Sample],
    task: TaskSettings,
    side: int = THUMBNAIL_SIDE,
    most_bytes: int = THUMBNAIL_BYTES,
) -> dict[str, tuple[Picture, ...]]:
    """Return the pictures by sample id; leaves out a sample with an unreadable image. Sizes are those of thumbnails."""
    by_id = {sample.id: sample for sample in samples}
    if any(sample.image_names for sample in by_id.values()):
        side = min(side, SEVERAL_SIDE)
    return {
        sample_id: tuple(map(Picture, urls, picture_names(by_id[sample_id], task)))
        for sample_id, urls in thumbnails(by_id.values(), side, most_bytes).items()
    }


def picture_names(sample: Sample, task: TaskSettings) -> list[str]:
    """Return a name for each image of a sample, images of the context last."""
    number = len(sample.images)
    places = [str(place) for place in range(1, number + 1)]
    if sample.image_names:
        names = places if sample.image_names == numbered(number) else list(sample.image_names)
    else:
        names = {"pairwise": ["a", "b"], "ranking": places}.get(task.kind, [])
    own = names[:number] if number > 1 and len(names) >= number else [""] * number
    return [*own, *(_CONTEXT[name] for name, _ in sample.context)]


def most_samples(samples: Iterable[Sample], most: int) -> int:
    """Return the largest number of samples on a page, `most` or fewer for several images with one label."""
    largest = max((len(sample.images) for sample in samples if sample.image_names), default=1)
    return min(most, MOST_PICTURES // largest)


def named_texts(sample: Sample) -> list[tuple[str, str]]:
    """Return the two texts of a pair and the text to compare with, with their names; none for other samples."""
    reference = [("reference", sample.reference_text)] if sample.reference_text else []
    return [*zip("ab", sample.texts or (), strict=False), *reference]
