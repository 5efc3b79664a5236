"""Progress of a run, folded from events."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from blpo.runs.json_lines import read_log_lines
from blpo.runs.usage_totals import total_usage
from state.events import Event, Spending
from state.role_usage import RoleUsage

_ROLES_AT_WORK = {"judge": "judge", "verbalize": "verbalizer", "evaluate_test": "judge"}
"""Role that a node asks, by phase. While the node works, all new spending belongs to the role."""


PROGRESS = "progress.json"
"""File with the last `progress` event; absent when another event has followed."""
Position = tuple[int, int | None]
"""Round t and step k; None outside the inner loop."""


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a run after some events. A repeated event changes nothing, because a resumed run may repeat some."""

    run: str = ""
    """Run directory; empty before the run began."""
    metric: str = ""
    outer_rounds: int = 0
    """T."""
    inner_steps: int = 0
    """K of the round."""
    is_pooled: bool = False
    """True where trials are pooled: a trial is a description of the batch, without a score."""
    round: int = 0
    """t."""
    step: int | None = None
    """k; None outside the inner loop."""
    phase: str = ""
    """Node at work."""
    done: int = 0
    """Finished items of the node."""
    total: int = 0
    """Items of the node; 0 for a node without a count."""
    validation: Mapping[int, float] = field(default_factory=dict)
    """Metric on validation, by round."""
    labelled: Mapping[int, float] = field(default_factory=dict)
    """Metric on train and validation together, by round; empty where validation alone selects."""
    scores: Mapping[int, float | None] = field(default_factory=dict)
    """Scores of the round's trials by step; None for a failed trial."""
    usage: Mapping[str, RoleUsage] = field(default_factory=dict)
    """Calls, tokens and dollars by role. Cached and failed calls are those at the start of the node at work; an event
    in between brings the sum of tokens only."""

    since: str = ""
    """Time of the last start of a process, ISO 8601, UTC; empty where events carry no time."""
    before: Position = (0, None)
    """Round and step at that start."""
    calls_before: int = 0
    """Calls up to that start."""

    @property
    def calls(self) -> int:
        """Calls of all roles so far."""
        return total_usage(self.usage.values()).issued


def advance(progress: Progress, event: Event) -> Progress:
    """Return the progress after an event."""
    if event["event"] == "started":
        return replace(
            progress,
            run=event["run"],
            metric=event["metric"],
            outer_rounds=event["outer_rounds"],
            inner_steps=event["inner_steps"],
            is_pooled=event.get("trials") == "pooled",
        )
    if event["event"] == "warning" or event["event"] == "replayed" or event["event"] == "asked_again":
        return progress
    if event["round"] != progress.round:
        progress = replace(progress, round=event["round"], step=None, scores={})
    match event["event"]:
        case "phase":
            step = event.get("step", None if event["phase"] == "judge" else progress.step)
            return replace(progress, phase=event["phase"], step=step, done=0, total=0, usage=event["usage"])
        case "progress":
            usage = _with_spending(progress.usage, _ROLES_AT_WORK.get(progress.phase, ""), event["spent"])
            return replace(progress, done=event["done"], total=event["total"], usage=usage)
        case "judged":
            labelled = {event["round"]: event["labelled"]} if "labelled" in event else {}
            validation = {event["round"]: event["validation"]}
            return replace(
                progress,
                validation={**progress.validation, **validation},
                labelled={**progress.labelled, **labelled},
            )
        case "errors":
            return replace(progress, inner_steps=event.get("inner_steps", progress.inner_steps))
        case "trial" if event["score"] is not None or event["failure"] is not None:
            return replace(progress, scores={**progress.scores, event["step"]: event["score"]})
        case "tested":
            return replace(progress, usage=event["usage"])
    return progress


def follow(progress: Progress, event: Event) -> Progress:
    """Return the progress after an event of a live run; the first event of a resumed run brings the run's past."""
    if event["event"] == "started":
        progress = past_progress(Path(event["run"]))
    return advance(progress, event)


def past_progress(run: Path) -> Progress:
    """Return the progress of a run up to now, from events.jsonl and progress.json. Skips damaged lines."""
    progress = Progress()
    for event in _events(run):
        with suppress(KeyError, TypeError, AttributeError):
            if event["event"] == "started":
                before = progress.round, progress.step
                since = str(event.get("time", ""))
                progress = replace(progress, since=since, before=before, calls_before=progress.calls)
            progress = advance(progress, event)
    return progress


def _events(run: Path) -> Iterator[Any]:
    for name in ("events.jsonl", PROGRESS):
        with suppress(OSError):
            yield from read_log_lines(run / name)


def _with_spending(usage: Mapping[str, RoleUsage], role: str, spent: Spending) -> Mapping[str, RoleUsage]:
    """Return the usage after `role` has brought all roles together to `spent`: calls, tokens and usd."""
    if role not in usage:
        return usage
    own, others = usage[role], [each for name, each in usage.items() if name != role]
    elsewhere = total_usage(others)
    return {
        **usage,
        role: RoleUsage(
            issued=spent["calls"] - elsewhere.issued,
            cached=own["cached"],
            failed=own["failed"],
            input_tokens=spent["tokens"] - own["output_tokens"] - elsewhere.tokens,  # views show the sum alone
            output_tokens=own["output_tokens"],
            cached_tokens=own.get("cached_tokens", 0),
            usd=None if own["usd"] is None else spent["usd"] - elsewhere.known_usd,
        ),
    }
