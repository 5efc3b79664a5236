"""One row of a public set as our dataset folder will hold it, and what a loader hands on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from state.sample import ImageSource, Label, SplitName
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class Record:
    """One labelled image, or a pair of them."""

    id: str
    """The source's own id, or one that follows from file and row; unique within the set."""
    images: tuple[ImageSource, ...]
    """Located, not read."""
    label: Label
    place: str
    """`SeeTRUE.csv:17`."""
    stratum: str
    """What a balanced sample balances: the label, or category and label."""
    text: str | None = None
    """Shown to the judge."""
    group: str | None = None
    """Rows of one group never fall into different splits."""
    shipped: SplitName | None = None
    """The split that the source puts the row into, where it has splits."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """What the source knows besides: further columns of labels.csv."""
    names: tuple[str, ...] = ()
    """What the images are called, for their files' names; empty: as the record."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why rows can't be used."""

    text: str
    """One line that names file and row."""
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Form:
    """What the labels of a set mean, and which samples of it are known from papers."""

    title: str
    """The set and what is judged, in words."""
    task: TaskSettings
    prompt: str
    """p_0: says what is asked, without a rubric."""
    balanced: Mapping[str, int] = field(default_factory=dict)
    """The paper's sample: rows of each stratum in train and validation together, and as many in test. Empty: the set
    is tested on as a whole."""
    sizes: Mapping[SplitName, int] = field(default_factory=dict)
    """The sizes of MT-RL-Judge; empty where it has none."""

    @property
    def is_pair(self) -> bool:
        """Whether two images are compared."""
        return self.task.labels == ("a", "b")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A set's rows: `records` are usable as far as labels and places of images tell."""

    form: Form
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]
    """Rows that are no records."""
    files: tuple[Path, ...]
    """The tables and archives read."""
    notes: tuple[str, ...] = ()
    """What a reader of the prepared folder should know."""
