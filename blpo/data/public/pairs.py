"""Two images of which people prefer one, in an order that says nothing about which."""

from collections.abc import Mapping

from blpo.data.public.record import Form, Record
from blpo.data.splits import seeded
from state.sample import ImageSource
from state.settings import TaskSettings

LABELS = ("a", "b")
TASK = TaskSettings(kind="categorical", labels=LABELS)
PROMPT = (
    "Two images were made from the text. The first is a, the second is b. "
    "Decide which of them people prefer for this text: a or b."
)


def pair(
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
    """One pair; `preferred` is 0 or 1. Which image comes first follows from the seed and the pair's id alone."""
    swap = seeded(seed, "order", name)[0] & 1
    shown = (images[1], images[0]) if swap else images
    label = LABELS[preferred ^ swap]
    first, second = names or (f"{name}-0", f"{name}-1")
    called = (second, first) if swap else (first, second)
    return Record(name, shown, label, place, label, text, group, None, {**extra, "swapped": swap}, called)


def pair_form(title: str, balanced: Mapping[str, int]) -> Form:
    """The form of a set of pairs."""
    return Form(title, TASK, PROMPT, balanced)
