"""What a run starts from that does not begin at the beginning: start.json, made of another run's round records."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from state.approval import Objection
from state.errors import RunError
from state.loops import OuterState, RoundRecord, Trial


class Start(TypedDict):
    """start.json."""

    answers: str | None
    """The response store to copy answers from; None where both runs share one."""
    texts: list[str]
    """Prompts that the records name by their hash."""
    state: OuterState | None
    """The state before the round; None: begin at the beginning."""


@dataclass(frozen=True, slots=True)
class PastRound:
    """One round as its run directory tells it."""

    record: RoundRecord
    texts: tuple[str, str]
    """p and q."""
    trials: list[Trial]


_RECORD = TypeAdapter(RoundRecord)
_TRIAL = TypeAdapter(Trial)


def read_rounds(run: Path) -> list[PastRound]:
    """The rounds of a run directory, first to last; raises `RunError` where a file of one is missing or damaged."""
    folders = [folder for folder in (run / "rounds").glob("[0-9]*") if folder.is_dir()]
    return [_read(run, t) for t in range(len(folders))]  # by number: where one is missing, the next is not taken for it


def state_before(
    rounds: Sequence[PastRound], t: int, judge_prompt: str | None, i2t_prompt: str | None
) -> tuple[OuterState, list[str]]:
    """The state in which round t begins, with these prompts where they are given; and all texts it names by hash."""
    p, q = rounds[t].texts
    texts = [text for past in rounds[:t] for text in (*past.texts, *_texts(past.trials))]
    before = rounds[max(t - 1, 0)]
    state = OuterState(
        round=t - 1,
        judge_prompt=(judge_prompt or p).strip(),
        i2t_prompt=(i2t_prompt or q).strip(),
        rounds=[past.record for past in rounds[:t]],
        errors=before.record["errors"],
        anchors=before.record["anchors"],
        trials=before.trials,
        decisions=before.record.get("decisions", []),
        objections=[
            Objection(prompt=decision["prompt"], reason=decision["reason"] or "")
            for past in rounds[:t]
            for decision in past.record.get("decisions", [])
            if decision["decision"] == "reject"
        ],
    )
    return state, list(dict.fromkeys(texts))


def _texts(trials: Sequence[Trial]) -> list[str]:
    return [text for trial in trials for text in (trial["i2t_prompt"], trial["judge_prompt"]) if text is not None]


def _read(run: Path, t: int) -> PastRound:
    folder = run / "rounds" / f"{t:02d}"
    try:
        record = _RECORD.validate_json((folder / "record.json").read_bytes())
        lines = (folder / "trials.jsonl").read_text(encoding="utf-8").splitlines()
        trials = [_TRIAL.validate_python(_trial(json.loads(line))) for line in lines]
        p, q = [(folder / f"{name}.md").read_text(encoding="utf-8").removesuffix("\n") for name in ("judge", "i2t")]
    except (OSError, ValueError, ValidationError) as error:
        told = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(
            f"{folder} can't be read ({told}); delete {run / 'result.json'}, and `blpo resume {run}`"
            " writes the run's files again"
        ) from None
    return PastRound(record, (p, q), trials)


def _trial(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in Trial.__annotations__}
