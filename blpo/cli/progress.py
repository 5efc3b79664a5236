"""How far a run is: a fold over its progress events (see `blpo.inference.progress`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from state.result import RoleUsage

Event = Mapping[str, Any]

_AT_WORK = {"judge": "judge", "verbalize": "verbalizer", "evaluate_test": "judge"}
"""The role that a node asks, by phase; while it works, whatever more is spent is that role's."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a run; folding an event twice changes nothing, so a resumed run may repeat some."""

    run: str = ""
    """The run directory; empty before the run began."""
    metric: str = ""
    outer_rounds: int = 0
    """T."""
    inner_steps: int = 0
    """K."""
    round: int = 0
    """t."""
    step: int | None = None
    """k; None outside the inner loop."""
    phase: str = ""
    """The node at work."""
    done: int = 0
    """Items the node has finished."""
    total: int = 0
    """Items it has; 0 where it does not say."""
    validation: Mapping[int, float] = field(default_factory=dict)
    """The validation metric by round."""
    scores: Mapping[int, float | None] = field(default_factory=dict)
    """Scores of this round's trials by step; None for a failed one."""
    usage: Mapping[str, RoleUsage] = field(default_factory=dict)
    """Calls, tokens and dollars by role; cached and failed calls as they were when the node at work began, and an event
    in between only brings the sum of tokens."""


def advance(progress: Progress, event: Event) -> Progress:
    """The progress after one event; unknown events count only for their round and usage."""
    if event.get("round", progress.round) != progress.round:
        progress = replace(progress, round=event["round"], step=None, scores={})
    progress = replace(progress, usage=event.get("usage", progress.usage))
    match event["event"]:
        case "started":
            return replace(
                progress,
                run=event["run"],
                metric=event["metric"],
                outer_rounds=event["outer_rounds"],
                inner_steps=event["inner_steps"],
            )
        case "phase":
            step = event.get("step", None if event["phase"] == "judge" else progress.step)
            return replace(progress, phase=event["phase"], step=step, done=0, total=0)
        case "progress":
            usage = _at(progress.usage, _AT_WORK.get(progress.phase, ""), event.get("spent"))
            return replace(progress, done=event["done"], total=event["total"], usage=usage)
        case "judged":
            return replace(progress, validation={**progress.validation, event["round"]: event["validation"]})
        case "trial":
            return replace(progress, scores={**progress.scores, event["step"]: event["score"]})
    return progress


def _at(usage: Mapping[str, RoleUsage], role: str, spent: Mapping[str, float] | None) -> Mapping[str, RoleUsage]:
    """The usage when `role` has brought all roles together to `spent`: calls, tokens and usd."""
    if spent is None or role not in usage:
        return usage
    own, others = usage[role], [each for name, each in usage.items() if name != role]
    elsewhere = sum(each["input_tokens"] + each["output_tokens"] for each in others)
    return {
        **usage,
        role: RoleUsage(
            issued=int(spent["calls"]) - sum(each["issued"] for each in others),
            cached=own["cached"],
            failed=own["failed"],
            input_tokens=int(spent["tokens"]) - own["output_tokens"] - elsewhere,  # both are shown as one sum
            output_tokens=own["output_tokens"],
            usd=None if own["usd"] is None else spent["usd"] - sum(each["usd"] or 0.0 for each in others),
        ),
    }


def past(run: Path) -> Progress:
    """The progress of a run up to now, from its events.jsonl; a line cut short by a kill is skipped."""
    progress = Progress()
    try:
        lines = (run / "events.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return progress
    for line in lines:
        try:
            progress = advance(progress, json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return progress
