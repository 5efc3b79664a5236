"""Sender of a run's record: reads the run directory, and sends to the tracker the parts that were not sent before.

The run directory is the one source. So a kill loses nothing, and the next process sends the rest into the same record.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import verdict
from blpo.tracking.event_points import EventPoints, milliseconds
from blpo.tracking.record_head import record_head
from blpo.tracking.result_points import result_points, round_points
from blpo.tracking.sent_parts import SentParts, read_sent, write_sent
from blpo.tracking.tracker import Point, Tracker
from state.errors import RunError
from state.loops import RoundRecord
from state.settings import TrackerName

_RECORD = TypeAdapter(RoundRecord)
_FILES = ("config.yaml", "judge.yaml")
_FILES_AT_THE_END = ("result.json", "report.html")
_ROUND_FILES = ("judge.md", "i2t.md", "trials.jsonl")


class RunSender:
    """Sender of the record of one run. After an exception the next call sends the same parts again."""

    def __init__(
        self,
        directory: Path,
        name: TrackerName,
        open_tracker: Callable[[], Tracker],
        *,
        group: str = "",
        on_step: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_step` is called after every step: the tracker is open, or has taken a part."""
        self._directory = directory
        self._run = RunRecord.read(directory)
        self._name: TrackerName = name
        self._open_tracker = open_tracker
        self._group = group
        self._on_step = on_step
        self._sent = read_sent(directory, name, self._run.info.thread_id)
        self._tracker: Tracker | None = None
        self._events = EventPoints(directory)
        self._waiting: list[Point] = []
        self._stamps: dict[Path, tuple[int, int]] = {}

    def send(self) -> None:
        """Send all new parts of a run at work; raises any exception of the tracker's library."""
        tracker = self._started()
        self._send_events(tracker)
        self._send_rounds(tracker)
        self._send_files(tracker, _FILES)

    def finish(self) -> None:
        """Send all parts of a stopped or finished run, and close the record; raises like `send`."""
        self.send()
        tracker, run = self._started(), RunRecord.read(self._directory)
        result = run.result_or_none
        if result is None:
            tracker.end("failed", {})
            return
        points = result_points(result, max(self._events.last, milliseconds(run.info.created)))
        self._once(f"{_FILES_AT_THE_END[0]} points", repr(points).encode(), lambda: tracker.metrics(points))
        self._send_files(tracker, _FILES_AT_THE_END)
        tags = {"status": result["status"], "stop_reason": result["stop_reason"], "verdict": verdict(result)}
        tracker.end(result["status"], {f"blpo.{name}": text for name, text in tags.items()})
        self._save(replace(self._sent, ended=True))

    def _started(self) -> Tracker:
        """Return the tracker with the record open. A record with another id than before holds nothing yet."""
        if self._tracker is None:
            tracker = self._open_tracker()
            self._on_step()
            head = record_head(self._run, self._name, self._group)
            record = tracker.start(head, self._sent.record)
            parts = self._sent if record == self._sent.record else SentParts(self._name, head.thread, record)
            self._save(replace(parts, ended=False))
            self._tracker = tracker
        return self._tracker

    def _send_events(self, tracker: Tracker) -> None:
        self._waiting += self._events.more(self._sent.events)
        if self._waiting:
            tracker.metrics(self._waiting)
            self._waiting = []
        if self._events.lines > self._sent.events:
            self._save(replace(self._sent, events=self._events.lines))

    def _send_rounds(self, tracker: Tracker) -> None:
        for folder in sorted((self._directory / "rounds").glob("[0-9]*")):
            name = f"rounds/{folder.name}"
            for content in self._changed(folder / "record.json"):
                points = self._points(content)
                self._once(f"{name} points", repr(points).encode(), lambda: tracker.metrics(points))  # noqa: B023
            self._send_files(tracker, [f"{name}/{file}" for file in _ROUND_FILES])

    def _points(self, content: bytes) -> list[Point]:
        """Return the points of a round record; raises `RunError` for a damaged one."""
        try:
            record = _RECORD.validate_json(content)
        except ValidationError:
            raise RunError(f"{self._directory}: a round is damaged; `blpo resume` writes it again") from None
        inherited = milliseconds(self._run.info.created)  # by a fork, which judges no round of its parent
        time = self._events.judged.get(record["round"], inherited)
        return round_points(record, self._run.settings.search.metric, time)

    def _send_files(self, tracker: Tracker, names: Sequence[str]) -> None:
        for name in names:
            file = self._directory / name
            for content in self._changed(file):
                self._once(name, content, lambda: tracker.artefact(file, name))  # noqa: B023

    def _changed(self, file: Path) -> Iterator[bytes]:
        """Yield the content of a file, if the file exists and was written since its last use without an exception."""
        with suppress(FileNotFoundError):
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if self._stamps.get(file) != stamp:
                yield file.read_bytes()
                self._stamps[file] = stamp

    def _once(self, name: str, content: bytes, send: Callable[[], None]) -> None:
        """Send a part, unless the record holds the part with this content."""
        digest = sha256(content).hexdigest()
        if self._sent.digests.get(name) != digest:
            send()
            self._save(replace(self._sent, digests={**self._sent.digests, name: digest}))

    def _save(self, parts: SentParts) -> None:
        write_sent(self._directory, parts)
        self._sent = parts
        self._on_step()
