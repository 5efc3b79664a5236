"""Calls and tokens of each round, from events.jsonl."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blpo.runs.json_lines import read_log_lines
from blpo.runs.usage_totals import UsageTotals, total_usage


@dataclass(frozen=True, slots=True)
class RoundSpending:
    """Paid calls and tokens of a round, from its judging to the judging of the next round."""

    calls: int
    tokens: int


def spending_by_round(run: Path) -> Mapping[int, RoundSpending]:
    """Return the spending of every round that another round follows; empty without events. Skips damaged lines."""
    starts: dict[int, UsageTotals] = {}
    with suppress(OSError):
        for event in read_log_lines(run / "events.jsonl"):
            with suppress(KeyError, TypeError, AttributeError):
                if event["event"] == "phase":
                    starts.setdefault(event["round"], total_usage(event["usage"].values()))
    return {
        number: RoundSpending(starts[number + 1].issued - start.issued, starts[number + 1].tokens - start.tokens)
        for number, start in starts.items()
        if number + 1 in starts
    }
