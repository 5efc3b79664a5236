"""tracking.json of a run directory: the record on the tracker, and the parts of the run that the record holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from blpo.storage.whole_files import write_whole
from state.settings import TrackerName

SENT = "tracking.json"


@dataclass(frozen=True, slots=True)
class SentParts:
    """Content of tracking.json."""

    tracker: TrackerName
    thread: str
    """Thread id of the run: a copy of a run has another, and begins a record of its own."""
    record: str | None = None
    """Id of the record on the tracker."""
    events: int = 0
    """Lines of events.jsonl."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file name, and by round for the metrics of rounds."""
    ended: bool = False
    """True if all of a stopped or finished run was sent."""


_SENT = TypeAdapter(SentParts)


def read_sent(run: Path, tracker: TrackerName, thread: str) -> SentParts:
    """Return the parts that were sent; none for another tracker or thread, and for a missing or damaged file."""
    none = SentParts(tracker, thread)
    try:
        parts = _SENT.validate_json((run / SENT).read_bytes())
    except (OSError, ValidationError):
        return none
    return parts if (parts.tracker, parts.thread) == (tracker, thread) else none


def write_sent(run: Path, parts: SentParts) -> None:
    """Write tracking.json; raises `StoreError`."""
    write_whole(run / SENT, _SENT.dump_json(parts, indent=1) + b"\n", durable=False)
