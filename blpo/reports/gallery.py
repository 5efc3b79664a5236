"""Gallery of disagreements between judge and people, before or after the search."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.metrics.rankings import tau_b
from blpo.reports.evidence import Evidence
from blpo.reports.named_pictures import Picture, most_samples, named_texts, run_pictures
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictChange, VerdictRow
from state.settings import Settings, TaskSettings

MOST_ITEMS = 500
"""Maximum number of samples; samples of the test split come first."""
MOST_CHARACTERS = 2000
"""Maximum length of a reason, a caption or a text."""

_SENSITIVE = re.compile(
    r"unsafe|not[\W_]?safe|nsfw|nud(?:e|ity)|sex|porn|erotic|explicit|gore|blood|violen|harm|abus|hate|toxic|disturb|shock",
    re.IGNORECASE,
)
_SPLITS = ("test", "validation", "train")
_CHANGES: tuple[VerdictChange, ...] = ("broken", "wrong", "fixed")
_ChangedRow = tuple[VerdictChange, VerdictRow, VerdictRow]
"""Change of a sample, and the rows under the first and the selected prompt."""


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """A sample with two verdicts."""

    id: str
    split: str
    label: str
    label_place: int
    """Place of the label among the gallery's labels."""
    change: VerdictChange
    before: VerdictRow
    after: VerdictRow
    text: str
    caption: str
    caption_round: int | None
    """Round of the caption."""
    texts: tuple[tuple[str, str], ...]
    """Names and texts of a pair of texts; empty for other samples."""
    images: tuple[Picture, ...]
    task: str = ""
    """Task among several tasks; empty for a single task."""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Samples of the gallery, and the number of all disagreements."""

    items: tuple[GalleryItem, ...]
    total: int
    changes: Mapping[VerdictChange, int]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    """Tasks with a sample in the gallery; empty for a single task."""

    @property
    def is_wide(self) -> bool:
        """True if a sample has several images or texts, side by side."""
        return any(len(item.images) > 1 or item.texts for item in self.items)


def gallery(run: RunRecord, evidence: Evidence) -> Gallery:
    """Return the disagreements up to `MOST_ITEMS`: broken samples, then samples wrong twice, then fixed samples."""
    rows = [(run.change(key), before, run.best[key]) for key, before in run.initial.items()]
    wrong = [row for row in rows if row[0] != "right"]
    rows_on_page = _on_page(wrong, run.settings, most_samples(evidence.samples.values(), MOST_ITEMS))
    values = dict.fromkeys(label for task in tasks_of(run.settings) for label in task.values)
    labels = [str(label) for label in values if any(row[1].label == label for row in rows_on_page)]
    samples = (evidence.samples[row[1].id] for row in rows_on_page if row[1].id in evidence.samples)
    pictures = run_pictures(samples, run.settings)
    captions = latest_captions(run, evidence)
    return Gallery(
        items=tuple(_item(row, labels, pictures, captions, evidence) for row in rows_on_page),
        total=len(wrong),
        changes=Counter(row[0] for row in rows_on_page),
        labels=tuple(labels),
        splits=tuple(split for split in _SPLITS if any(row[1].split == split for row in rows_on_page)),
        tasks=tuple(name for name in run.settings.task_names if any(row[1].task == name for row in rows_on_page)),
    )


def _on_page(rows: Sequence[_ChangedRow], settings: Settings, most: int) -> list[_ChangedRow]:
    """Return the rows in order, at most `most`: an equal share of each of several tasks, task by task."""
    names = settings.task_names or ("",)
    chosen: list[_ChangedRow] = []
    for name in names:
        task = settings.of_task(name).task
        own = sorted((row for row in rows if row[1].task == name), key=lambda row: _order(row, task))
        chosen += own[: max(most // len(names), 1)]
    return chosen


def is_sensitive(settings: Settings) -> bool:
    """Return True if the name of a label, or of one of several tasks, suggests unsafe images."""
    labels = (label for task in tasks_of(settings) for label in task.labels)
    return any(_SENSITIVE.search(str(name)) for name in (*labels, *settings.task_names))


def tasks_of(settings: Settings) -> list[TaskSettings]:
    """Return the task of a run, or its tasks."""
    return [settings.of_task(name).task for name in settings.task_names or ("",)]


def latest_captions(run: RunRecord, evidence: Evidence) -> dict[str, tuple[int, str]]:
    """Return by sample the last round with captions behind the update, and the captions, one a line."""
    captions: dict[str, tuple[int, str]] = {}
    for t, past in enumerate(run.rounds):
        for sample_id in past.batch:
            keys = [(prompt, sample_id) for prompt in past.i2t_prompts]
            texts = [evidence.captions[key] for key in keys if key in evidence.captions]
            if texts:
                captions[sample_id] = (t, "\n".join(texts))
    return captions


def shortened(text: str) -> str:
    """Return a text cut to `MOST_CHARACTERS`."""
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"


def _order(row: _ChangedRow, task: TaskSettings) -> tuple[int, int, int]:
    """Return the rank: test first, then broken before wrong before fixed, then the distance from people's label."""
    kind, _, after = row
    far = 0
    if task.kind == "ordinal" and after.verdict is not None:
        far = -abs(int(after.verdict) - int(after.label))
    elif task.kind == "ranking" and after.verdict is not None:
        far = round(1000 * tau_b(str(after.label), str(after.verdict)))
    return _SPLITS.index(after.split), _CHANGES.index(kind), far


def _item(
    row: _ChangedRow,
    labels: Sequence[str],
    pictures: Mapping[str, tuple[Picture, ...]],
    captions: Mapping[str, tuple[int, str]],
    evidence: Evidence,
) -> GalleryItem:
    kind, before, after = row
    sample = evidence.samples.get(before.id)
    described = captions.get(before.id)
    return GalleryItem(
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
        texts=tuple((name, shortened(text)) for name, text in named_texts(sample)) if sample else (),
        images=pictures.get(before.id, ()),
        task=after.task,
    )
