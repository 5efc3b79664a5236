"""The samples on which judge and people disagree, before or after, with everything that explains them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.reports.evidence import Evidence
from blpo.reports.thumbnails import thumbnails
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictChange, VerdictRow
from state.settings import TaskSettings

MOST_ITEMS = 500
"""Samples shown; those of the test split come first."""
MOST_CHARACTERS = 2000
"""Of a reason, a caption or a text."""

_SENSITIVE = re.compile(
    r"unsafe|not[\W_]?safe|nsfw|nud(?:e|ity)|sex|porn|erotic|explicit|gore|blood|violen|harm|abus|hate|toxic|disturb|shock",
    re.IGNORECASE,
)
_SPLITS = ("test", "validation", "train")
_CHANGES: tuple[VerdictChange, ...] = ("broken", "wrong", "fixed")


@dataclass(frozen=True, slots=True)
class Item:
    """One sample with its verdicts."""

    id: str
    split: str
    label: str
    label_place: int
    """Its place among the gallery's labels."""
    change: VerdictChange
    before: VerdictRow
    after: VerdictRow
    text: str
    caption: str
    caption_round: int | None
    """The round whose I2T prompt wrote it."""
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """What is shown, and how much there is."""

    items: tuple[Item, ...]
    total: int
    changes: Mapping[VerdictChange, int]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    is_sensitive: bool
    """Whether labels suggest images that not everybody wants to see."""


def gallery(run: RunRecord, evidence: Evidence) -> Gallery:
    """All disagreements, as many as a page bears: broken ones before those wrong both times and those fixed."""
    rows = [(run.change(key), before, run.best[key]) for key, before in run.initial.items()]
    wrong = sorted((row for row in rows if row[0] != "right"), key=lambda row: _order(row, run.settings.task))
    shown = wrong[:MOST_ITEMS]
    labels = [str(label) for label in run.settings.task.values if any(row[1].label == label for row in shown)]
    pictures = thumbnails(evidence.samples[row[1].id] for row in shown if row[1].id in evidence.samples)
    captions = latest_captions(run, evidence)
    return Gallery(
        items=tuple(_item(row, labels, pictures, captions, evidence) for row in shown),
        total=len(wrong),
        changes=Counter(row[0] for row in shown),
        labels=tuple(labels),
        splits=tuple(split for split in _SPLITS if any(row[1].split == split for row in shown)),
        is_sensitive=is_sensitive(run.settings.task),
    )


def is_sensitive(task: TaskSettings) -> bool:
    """Whether a label's name suggests unsafe images."""
    return any(_SENSITIVE.search(str(label)) for label in task.labels)


def latest_captions(run: RunRecord, evidence: Evidence) -> dict[str, tuple[int, str]]:
    """The last round that described a sample by the I2T prompt it kept, and what it wrote."""
    found: dict[str, tuple[int, str]] = {}
    for t, past in enumerate(run.rounds):
        prompt = past.best_trial.i2t_prompt if past.best_trial else None
        for sample_id in past.batch:
            text = evidence.captions.get((prompt or "", sample_id))
            if text is not None:
                found[sample_id] = (t, text)
    return found


def shortened(text: str) -> str:
    """A text as far as it is shown."""
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"


def _order(row: tuple[VerdictChange, VerdictRow, VerdictRow], task: TaskSettings) -> tuple[int, int, int]:
    """Test before the others; broken, wrong, fixed; and what is farthest from the human rating first."""
    kind, _, after = row
    far = 0
    if task.kind == "ordinal" and after.verdict is not None:
        far = -abs(int(after.verdict) - int(after.label))
    return _SPLITS.index(after.split), _CHANGES.index(kind), far


def _item(
    row: tuple[VerdictChange, VerdictRow, VerdictRow],
    labels: Sequence[str],
    pictures: Mapping[str, tuple[str, ...]],
    captions: Mapping[str, tuple[int, str]],
    evidence: Evidence,
) -> Item:
    kind, before, after = row
    sample = evidence.samples.get(before.id)
    described = captions.get(before.id)
    return Item(
        id=before.id,
        split=after.split,
        label=str(before.label),
        label_place=labels.index(str(before.label)) if str(before.label) in labels else -1,
        change=kind,
        before=before,
        after=after,
        text=shortened(sample.text or "") if sample else "",
        caption=shortened(described[1]) if described else "",
        caption_round=described[0] if described else None,
        images=pictures.get(before.id, ()),
    )
