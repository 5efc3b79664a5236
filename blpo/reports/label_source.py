"""Origin of labels in words: people, or the program behind the built-in sample."""

from dataclasses import dataclass

from state.settings import DataSettings


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


def label_source(data: DataSettings) -> LabelSource:
    """Return the source of a dataset's labels. A program labelled the built-in sample; people label all other sets."""
    return SAMPLE if data.path is None else PEOPLE
