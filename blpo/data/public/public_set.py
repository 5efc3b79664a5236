"""Records of a public set: rows of the future dataset folder, and all that a loader returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from state.sample import ImageSource, Label, SplitName
from state.settings import TaskSettings

Counts = Mapping[SplitName, Mapping[str, int]]
"""Rows by split and label."""


@dataclass(frozen=True, slots=True)
class Record:
    """Labelled image, or labelled pair of images or of texts."""

    id: str
    """Id in the source, or an id made of file and row. Unique within the set."""
    images: tuple[ImageSource, ...]
    """Located, not read."""
    label: Label
    place: str
    """File and row: `SeeTRUE.csv:17`."""
    stratum: str
    """Unit of balance for a balanced sample: the label, or category and label."""
    text: str | None = None
    """Text for the judge."""
    group: str | None = None
    """Group. Rows of a group never fall into different splits."""
    shipped: SplitName | None = None
    """Split in the source; None for a source without splits."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further columns of labels.csv."""
    names: tuple[str, ...] = ()
    """Names for the files of the images; empty: the record's id."""
    texts: tuple[str, str] | None = None
    """Pair of texts about the image; None for other records. `text` is then the question to which the texts reply."""
    before: ImageSource | None = None
    """Image before the edit that is judged; None without an edit."""
    ratings: Mapping[str, Label] = field(default_factory=dict)
    """Labels by rater. The raters' labels do not replace `label`."""


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """Reason for leaving out rows of a source."""

    text: str
    """Line with file and row."""
    rows: int = 1


@dataclass(frozen=True, slots=True)
class SetCriterion:
    """One of the criteria by which people judged every item of a set."""

    name: str
    column: str
    """Column of labels.csv with the labels, one of `Record.extra`."""
    about: str
    """What the criterion is."""


@dataclass(frozen=True, slots=True)
class SetDescription:
    """Meaning of a set's labels, and the samples of the set that papers use."""

    title: str
    """Name of the set and of the rated property."""
    task: TaskSettings
    prompt: str
    """p_0: the question, without a rubric."""
    balanced: Mapping[str, int] = field(default_factory=dict)
    """Rows of a stratum in the paper's sample: so many in train and validation together, and so many in test.

    Empty: a test set, all rows are test rows.
    """
    counts: Counts = field(default_factory=dict)
    """Rows of both labels by split in MT-RL-Judge; empty for labels that MT-RL-Judge lacks."""
    criteria: tuple[SetCriterion, ...] = ()
    """Criteria with a column each, all with the labels of `task`; empty for the column `label`."""
    has_sample: bool = True
    """False for a set without a sample in papers: all rows are taken."""

    @property
    def is_pair(self) -> bool:
        """True if two images or two texts are compared."""
        return self.task.kind == "pairwise"


@dataclass(frozen=True, slots=True)
class PublicSet:
    """Rows of a set. The labels of `records` are usable and their images located; no image is read."""

    description: SetDescription
    records: tuple[Record, ...]
    problems: tuple[SourceProblem, ...]
    """Faulty rows."""
    files: tuple[Path, ...]
    """Tables and archives of the set."""
    notes: tuple[str, ...] = ()
    """Notes for a reader of the prepared folder."""
