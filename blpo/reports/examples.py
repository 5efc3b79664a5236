"""Images of fixed and broken test samples, for the top of the page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from blpo.reports.evidence import Evidence
from blpo.reports.named_pictures import Picture, named_pictures
from blpo.reports.thumbnails import THUMBNAIL_BYTES
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictChange, VerdictRow
from state.settings import TaskSettings

MOST_EXAMPLES = 4
"""Maximum number of examples of a change."""
_SIDE = 176
"""Longer side of a picture, in pixels."""


@dataclass(frozen=True, slots=True)
class Example:
    """A test sample with both verdicts and its images."""

    before: VerdictRow
    after: VerdictRow
    images: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """Some test samples of a change."""

    change: VerdictChange
    items: tuple[Example, ...]
    total: int
    """Test samples of the change."""

    @property
    def is_wide(self) -> bool:
        """True if a sample has several images, side by side."""
        return any(len(item.images) > 1 for item in self.items)


def examples(run: RunRecord, evidence: Evidence, task: str = "") -> list[Examples]:
    """Return examples of fixed and of broken test samples; none without the dataset, and without such samples.

    `task` is the name of one of several tasks.
    """
    kinds: tuple[VerdictChange, ...] = ("fixed", "broken")
    return [some for change in kinds if (some := _examples(change, run, evidence, task)).items]


def _examples(change: VerdictChange, run: RunRecord, evidence: Evidence, name: str) -> Examples:
    rows = [row for row in run.best.values() if row.split == "test" and row.task == name]
    keys, task = [row.id for row in rows if run.change(row.id) == change], run.settings.of_task(name).task
    pairs = _varied([(run.initial[key], run.best[key]) for key in keys], task)[:MOST_EXAMPLES]
    samples = (evidence.samples[row.id] for row, _ in pairs if row.id in evidence.samples)
    share = THUMBNAIL_BYTES // max(4 * len(run.settings.task_names), 1)
    pictures = named_pictures(samples, task, _SIDE, share)
    items = [Example(before, after, pictures[before.id]) for before, after in pairs if before.id in pictures]
    return Examples(change, tuple(items), len(keys))


def _varied(
    pairs: Sequence[tuple[VerdictRow, VerdictRow]], task: TaskSettings
) -> Sequence[tuple[VerdictRow, VerdictRow]]:
    """Return the pairs with the largest change first, and the labels in turn."""
    by_change = sorted(pairs, key=lambda pair: (-_distance(pair, task), pair[0].id))
    earlier: Counter[object] = Counter()
    turns = []
    for pair in by_change:
        turns.append(earlier[pair[0].label])
        earlier[pair[0].label] += 1
    return [by_change[place] for place in sorted(range(len(turns)), key=lambda place: (turns[place], place))]


def _distance(pair: tuple[VerdictRow, VerdictRow], task: TaskSettings) -> float:
    """Return the distance of the two answers on the scale of ratings; 1 for two categories, 0 for a missing answer."""
    before, after = (row.answer for row in pair)
    if before is None or after is None:
        return 0.0
    return abs(float(before) - float(after)) if task.kind == "ordinal" else 1.0
