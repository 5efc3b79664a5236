"""Origin of labels in words: people, or the program behind the built-in sample."""

from dataclasses import dataclass

from state.settings import Settings


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Words for the labels of a dataset."""

    name: str
    """The other side of an agreement: "agrees with people"."""
    labels: str
    """All labels: "people's labels"."""
    label: str
    """The label of one sample: "people's label"."""
    short: str
    """Head of a column or a line: "people"."""


PEOPLE = LabelSource("people", "people's labels", "people's label", "people")
SAMPLE = LabelSource("the sample's labels", "the sample's labels", "the sample's label", "label")


def label_source(settings: Settings) -> LabelSource:
    """Return the source of a run's labels. A program labelled the built-in sample; people label all other sets."""
    return SAMPLE if is_sample(settings) else PEOPLE


def is_sample(settings: Settings) -> bool:
    """Return True for a run over the built-in sample alone."""
    return all(settings.of_task(name).data.path is None for name in settings.task_names or ("",))
