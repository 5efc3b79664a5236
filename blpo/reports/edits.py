"""Both prompts by round: what each update changed, the errors behind it, and what it fixed and broke."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.reports.differences import Piece, word_diff
from blpo.reports.evidence import Evidence
from blpo.reports.gallery import shortened
from blpo.reports.outcome import strict
from blpo.reports.record import Batch, Change, Judged, Run, change
from blpo.reports.thumbnails import thumbnails

SIDE = 112
MOST_BYTES = 2_000_000
"""Of the small pictures beside the errors."""


@dataclass(frozen=True, slots=True)
class Case:
    """A sample of the batch, before the edit and after it."""

    id: str
    label: str
    before: Judged
    after: Judged | None
    """None where it can't be looked up."""
    change: Change | None
    caption: str
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """The step from p_t to p_{t+1}; also where the round kept p_t."""

    round: int
    """t + 1, of the prompt it led to."""
    changes_judge: bool
    changes_i2t: bool
    judge: Sequence[Piece]
    i2t: Sequence[Piece]
    judge_before: str
    judge_after: str
    validation: tuple[float, float]
    score: float | None
    """Of the trial that was kept."""
    trials: int
    failed: int
    cases: tuple[Case, ...]
    anchors: int
    effect: Mapping[str, Mapping[Change, int]]
    """By split: what became of all its samples; empty where that can't be looked up."""


def edits(run: Run, evidence: Evidence) -> list[Edit]:
    """One for each round after the first."""
    wanted = {error.id for batch in run.batches[:-1] for error in batch.errors}
    pictures = thumbnails((evidence.samples[key] for key in wanted if key in evidence.samples), SIDE, MOST_BYTES)
    return [_edit(t, run, evidence, pictures) for t in range(len(run.result["rounds"]) - 1)]


def _edit(t: int, run: Run, evidence: Evidence, pictures: Mapping[str, tuple[str, ...]]) -> Edit:
    old, new = run.result["rounds"][t : t + 2]
    batch, metric = run.batches[t], run.result["metric"]
    after = {key: row for (prompt, key), row in evidence.verdicts.items() if prompt == new["judge_prompt"]}
    before = {key: row for (prompt, key), row in evidence.verdicts.items() if prompt == old["judge_prompt"]}
    is_new = old["judge_prompt"] != new["judge_prompt"]
    return Edit(
        round=t + 1,
        changes_judge=is_new,
        changes_i2t=old["i2t_prompt"] != new["i2t_prompt"],
        judge=word_diff(old["judge_prompt"], new["judge_prompt"]),
        i2t=word_diff(old["i2t_prompt"], new["i2t_prompt"]),
        judge_before=old["judge_prompt"],
        judge_after=new["judge_prompt"],
        validation=(strict(old["validation"], metric), strict(new["validation"], metric)),
        score=batch.best.score if batch.best else None,
        trials=len(batch.trials),
        failed=sum(trial.score is None for trial in batch.trials),
        cases=tuple(_case(row, after.get(row.id), batch, evidence, pictures) for row in batch.errors),
        anchors=len(batch.anchors),
        effect=_effect(before, after) if is_new else {},
    )


def _case(
    row: Judged, after: Judged | None, batch: Batch, evidence: Evidence, pictures: Mapping[str, tuple[str, ...]]
) -> Case:
    prompt = batch.best.i2t_prompt if batch.best else None
    return Case(
        id=row.id,
        label=str(row.label),
        before=row,
        after=after,
        change=change(row, after) if after else None,
        caption=shortened(evidence.captions.get((prompt or "", row.id), "")),
        images=pictures.get(row.id, ()),
    )


def _effect(before: Mapping[str, Judged], after: Mapping[str, Judged]) -> dict[str, Mapping[Change, int]]:
    by_split: dict[str, Counter[Change]] = {}
    for key in before.keys() & after.keys():
        by_split.setdefault(after[key].split, Counter())[change(before[key], after[key])] += 1
    return {split: by_split[split] for split in ("train", "validation") if split in by_split}
