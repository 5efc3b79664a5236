"""Records in LangSmith: a trace of the project LANGSMITH_PROJECT (default: blpo), with a child a round and a trial.

Metrics of rounds and trials are feedback of the children, results of the whole run are feedback of the trace. Spending
is an output of the trace. Files are attachments of the trace. The ids derive from the thread of the run, so that a
repeated request changes nothing.
"""

import mimetypes
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from blpo.tracking.tracker import PROJECT, Point, RecordHead
from state.result import RunStatus

_TIMEOUT_MS = 10_000


class LangsmithTracker:
    """Client of LangSmith. The id of the trace is the thread of the run."""

    def __init__(self) -> None:
        from langsmith import Client
        from urllib3.util.retry import Retry

        self._errors: list[Exception] = []
        self._client = Client(
            auto_batch_tracing=False,
            omit_traced_runtime_info=True,
            timeout_ms=_TIMEOUT_MS,
            retry_config=Retry(total=0),
            tracing_error_callback=self._errors.append,
        )
        self._trace: dict[str, Any] = {}
        self._begin = 0
        self._project: UUID | None = None
        self._latest: dict[str, float] = {}
        self._children: set[UUID] = set()

    def start(self, head: RecordHead, record: str | None) -> str:
        """Create the trace; for a trace that is there already the server changes nothing."""
        project = os.environ.get("LANGSMITH_PROJECT") or PROJECT
        self._project = self._client.create_project(project, upsert=True).id
        self._begin = head.time
        parent = {"parent": asdict(head.parent)} if head.parent is not None else {}
        group = {"group": head.group} if head.group else {}
        self._trace = {
            "id": head.thread,
            "trace_id": head.thread,
            "dotted_order": _dotted(head.time, UUID(head.thread)),
            "session_name": project,
            "name": head.name,
            "run_type": "chain",
            "start_time": _when(head.time),
        }
        metadata = {**head.tags, **parent, **group}
        self._ingest(create=[{**self._trace, "inputs": dict(head.parameters), "extra": {"metadata": metadata}}])
        return head.thread

    def metrics(self, points: Sequence[Point]) -> None:
        """Send feedback of trace and children, and the newest spending."""
        for point in points:
            if point.axis == "phase":
                self._latest[point.name] = point.value
            else:
                self._feedback(point, self._child(point))
        if any(point.axis == "phase" for point in points):
            self._ingest(update=[{**self._trace, "outputs": dict(self._latest)}])

    def artefact(self, file: Path, name: str) -> None:
        """Attach a file to the trace. A name of an attachment has no dots and slashes of its own."""
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        key = name.replace("/", "-").replace(".", "_")
        self._ingest(update=[{**self._trace, "attachments": {key: (kind, file.read_bytes())}}])

    def end(self, status: RunStatus, tags: Mapping[str, str]) -> None:
        """End the trace, with the tags among the outputs."""
        error = {"error": tags.get("blpo.stop_reason", status)} if status == "failed" else {}
        outputs = {**self._latest, **tags}
        now = datetime.now(UTC)
        self._ingest(update=[{**self._trace, "outputs": outputs, "end_time": now, **error}])

    def _child(self, point: Point) -> UUID:
        """Return the id of the run with the point; creates the child of a round or trial at its first point."""
        thread = UUID(self._trace["id"])
        if point.axis == "run":
            return thread
        child = uuid5(thread, f"{point.axis} {point.step}")
        if child not in self._children:
            self._ingest(
                create=[
                    {
                        **self._trace,
                        "id": str(child),
                        "parent_run_id": str(thread),
                        "dotted_order": f"{self._trace['dotted_order']}.{_dotted(self._begin + point.step, child)}",
                        "name": f"{point.axis} {point.step}",
                        "start_time": _when(point.time),
                        "end_time": _when(point.time),
                        "inputs": {point.axis: point.step},
                    }
                ]
            )
            self._children.add(child)
        return child

    def _feedback(self, point: Point, run: UUID) -> None:
        from langsmith.utils import LangSmithConflictError

        with suppress(LangSmithConflictError):  # sent before
            self._client.create_feedback(
                run,
                point.name,
                score=point.value,
                feedback_id=uuid5(run, f"{point.name} {point.value} {point.time}"),
                session_id=self._project,
                stop_after_attempt=1,
            )

    def _ingest(self, **runs: Any) -> None:
        """Send runs; raises the error of the request, which the client only logs."""
        self._errors.clear()
        self._client.multipart_ingest(**runs)
        if self._errors:
            raise self._errors[0]


def _when(time: int) -> datetime:
    return datetime.fromtimestamp(time / 1000, UTC)


def _dotted(time: int, run: UUID) -> str:
    """Return the part of LangSmith's order of a trace that belongs to a run."""
    return f"{_when(time):%Y%m%dT%H%M%S%fZ}{run}"
