"""Prompt updates by round: differences, errors behind the update, samples fixed and broken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.metrics.readings import strict_reading
from blpo.reports.differences import Piece, word_diff
from blpo.reports.evidence import Evidence
from blpo.reports.gallery import shortened
from blpo.reports.named_pictures import Picture, run_pictures
from blpo.reports.pooled_prompts import PooledPrompt, pooled_prompts_of
from blpo.runs.round_spending import RoundSpending, spending_by_round
from blpo.runs.rounds import Round
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictChange, VerdictRow, verdict_change

_SIDE = 112
_MOST_BYTES = 2_000_000
"""Bytes of all small pictures beside the errors."""


@dataclass(frozen=True, slots=True)
class EditCase:
    """A sample of the batch before and after the edit."""

    id: str
    label: str
    before: VerdictRow
    after: VerdictRow | None
    """Verdict after the edit; None without the response store."""
    change: VerdictChange | None
    caption: str
    images: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """Step from p_t to p_{t+1}; the two prompts may be equal."""

    round: int
    """t + 1."""
    changes_judge: bool
    changes_i2t: bool
    judge: Sequence[Piece]
    i2t: Sequence[Piece]
    judge_before: str
    judge_after: str
    validation: tuple[float | None, float | None]
    score: float | None
    """Score of the best trial; None without a scored trial."""
    is_pooled: bool
    """True if the update is from the descriptions of all trials, without scores."""
    failure: str
    """Reason of a failed update from pooled trials; empty otherwise."""
    fallen: Sequence[str]
    """Tasks that fell by more than `search.floor`, so that the new prompt was not adopted."""
    pooled: tuple[PooledPrompt, ...]
    """I2T prompts of pooled trials; empty for scored trials."""
    spending: RoundSpending | None
    """Calls and tokens of the round; None without events of the round."""
    trials: int
    failed: int
    cases: tuple[EditCase, ...]
    anchors: int
    effect: Mapping[str, Mapping[VerdictChange, int]]
    """Changes of all samples by split; empty without the response store."""


def edits(run: RunRecord, evidence: Evidence) -> list[Edit]:
    """Return an edit for every round after the first."""
    ids = {error.id for past in run.rounds[:-1] for error in past.errors}
    samples = (evidence.samples[key] for key in ids if key in evidence.samples)
    pictures = run_pictures(samples, run.settings, _SIDE, _MOST_BYTES)
    spending = spending_by_round(run.directory)
    return [_edit(t, run, evidence, pictures, spending.get(t)) for t in range(len(run.result["rounds"]) - 1)]


def _edit(
    t: int,
    run: RunRecord,
    evidence: Evidence,
    pictures: Mapping[str, tuple[Picture, ...]],
    spending: RoundSpending | None,
) -> Edit:
    old, new = run.result["rounds"][t : t + 2]
    past, metric = run.rounds[t], run.result["metric"]
    after = {key: row for (prompt, key), row in evidence.verdicts.items() if prompt == new["judge_prompt"]}
    before = {key: row for (prompt, key), row in evidence.verdicts.items() if prompt == old["judge_prompt"]}
    is_new = old["judge_prompt"] != new["judge_prompt"]
    is_pooled = any(trial.score is None and not trial.has_failed for trial in past.trials)
    return Edit(
        round=t + 1,
        changes_judge=is_new,
        changes_i2t=old["i2t_prompt"] != new["i2t_prompt"],
        judge=word_diff(old["judge_prompt"], new["judge_prompt"]),
        i2t=word_diff(old["i2t_prompt"], new["i2t_prompt"]),
        judge_before=old["judge_prompt"],
        judge_after=new["judge_prompt"],
        validation=(strict_reading(old["validation"], metric), strict_reading(new["validation"], metric)),
        score=past.best_trial.score if past.best_trial else None,
        is_pooled=is_pooled,
        failure=past.record.get("failure", ""),
        fallen=new.get("fallen", ()),
        pooled=pooled_prompts_of(past, evidence.captions) if is_pooled else (),
        spending=spending,
        trials=len(past.trials),
        failed=sum(trial.has_failed for trial in past.trials),
        cases=tuple(_case(row, after.get(row.id), past, evidence, pictures) for row in past.errors),
        anchors=len(past.anchors),
        effect=_effect(before, after) if is_new else {},
    )


def _case(
    row: VerdictRow,
    after: VerdictRow | None,
    past: Round,
    evidence: Evidence,
    pictures: Mapping[str, tuple[Picture, ...]],
) -> EditCase:
    captions = [evidence.captions[key] for q in past.i2t_prompts if (key := (q, row.id)) in evidence.captions]
    return EditCase(
        id=row.id,
        label=str(row.label),
        before=row,
        after=after,
        change=verdict_change(row, after) if after else None,
        caption=shortened("\n".join(captions)),
        images=pictures.get(row.id, ()),
    )


def _effect(
    before: Mapping[str, VerdictRow], after: Mapping[str, VerdictRow]
) -> dict[str, Mapping[VerdictChange, int]]:
    by_split: dict[str, Counter[VerdictChange]] = {}
    for key in before.keys() & after.keys():
        by_split.setdefault(after[key].split, Counter())[verdict_change(before[key], after[key])] += 1
    return {split: by_split[split] for split in ("train", "validation") if split in by_split}
