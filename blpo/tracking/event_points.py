"""Points of events.jsonl: trials and spending, in the order of the file."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from blpo.runs.usage_totals import total_usage
from blpo.tracking.tracker import Point
from state.role_usage import RoleUsage


class EventPoints:
    """Reader of the events of a run; every call of `more` reads on from the last line."""

    def __init__(self, run: Path) -> None:
        self.lines = 0
        """Lines read so far."""
        self.judged: dict[int, int] = {}
        """Time of the last judging by round."""
        self.last = 0
        """Time of the last event; 0 before the first."""
        self._file = run / "events.jsonl"
        self._offset = 0
        self._trials: dict[tuple[int, int], int] = {}
        self._phases = 0

    def more(self, after: int = 0) -> list[Point]:
        """Return the points of all whole lines since the last call, without those of the first `after` lines."""
        points: list[Point] = []
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
        except OSError:
            return points
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            self.lines += 1
            new = self._read(line)
            if self.lines > after:
                points += new
        return points

    def _read(self, line: bytes) -> list[Point]:
        """Return the points of a line; none of a line that a kill has damaged."""
        try:
            event = json.loads(line)
            self.last = milliseconds(event["time"])
            return self._points(event)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return []

    def _points(self, event: Mapping[str, Any]) -> list[Point]:
        match event["event"]:
            case "judged":
                self.judged[event["round"]] = self.last
            case "trial":
                return self._trial(event)
            case "phase" | "tested":
                self._phases += 1
                usage = _spending(event["usage"])
                return [Point(name, value, "phase", self._phases - 1, self.last) for name, value in usage.items()]
        return []

    def _trial(self, event: Mapping[str, Any]) -> list[Point]:
        """Return the points of a trial. A trial that a resumed run repeats keeps its number."""
        number = self._trials.setdefault((event["round"], event["step"]), len(self._trials))
        values = {
            "trial/round": event["round"],
            "trial/failed": event["failure"] is not None,
            "trial/score": event["score"],
            "trial/noise": event.get("noise"),
        }
        return [
            Point(name, float(value), "trial", number, self.last) for name, value in values.items() if value is not None
        ]


def _spending(usage: Mapping[str, RoleUsage]) -> dict[str, float]:
    """Return calls, tokens and dollars, of all roles and by role; no dollars where a price is not known."""
    roles = {"": list(usage.values())} | {f"{role}/": [each] for role, each in usage.items()}
    values: dict[str, float] = {}
    for role, each in roles.items():
        total = total_usage(each)
        values |= {f"spend/{role}calls": float(total.issued), f"spend/{role}tokens": float(total.tokens)}
        if total.usd is not None:
            values[f"spend/{role}usd"] = total.usd
    return values


def milliseconds(time: str) -> int:
    """Return an ISO time in milliseconds since 1970, UTC."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
