"""Pairs of images with a preferred image. The order of a pair says nothing about the preference."""

from collections.abc import Mapping

from blpo.data.public.public_set import Record, SetDescription
from blpo.data.splits import seeded
from state.sample import ImageSource
from state.settings import TaskSettings

PAIR_TASK = TaskSettings(kind="categorical", labels=("a", "b"))
PAIR_PROMPT = (
    "Two images were made from the text. The first is a, the second is b. "
    "Decide which of them people prefer for this text: a or b."
)


def pair_record(
    name: str,
    images: tuple[ImageSource, ImageSource],
    preferred: int,
    place: str,
    text: str,
    group: str | None,
    extra: Mapping[str, object],
    seed: int,
    names: tuple[str, str] | None = None,
) -> Record:
    """Return the record of a pair. `preferred` is 0 or 1. The order of images follows from seed and id alone."""
    swap = seeded(seed, "order", name)[0] & 1
    label = PAIR_TASK.labels[preferred ^ swap]
    names = names or (f"{name}-0", f"{name}-1")
    if swap:
        images, names = (images[1], images[0]), (names[1], names[0])
    return Record(name, images, label, place, label, text, group, None, {**extra, "swapped": swap}, names)


def pair_description(title: str, balanced: Mapping[str, int]) -> SetDescription:
    """Return the description of a set of pairs."""
    return SetDescription(title, PAIR_TASK, PAIR_PROMPT, balanced)
