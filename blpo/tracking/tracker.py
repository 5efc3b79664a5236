"""Protocol of experiment trackers: a run is one record, with parameters, tags, metrics and files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from state.result import RunStatus

PROJECT = "blpo"
"""Default name of the project or experiment that holds the records."""
Axis = Literal["run", "round", "trial", "phase"]
"""Unit of the steps of a metric. A run has the step 0 alone; trials and phases are numbered over all rounds."""


@dataclass(frozen=True, slots=True)
class Point:
    """Value of a metric at a step. Name, step, value and time of a repeated point are the same."""

    name: str
    """Such as `validation/accuracy`."""
    value: float
    axis: Axis
    step: int
    time: int
    """Milliseconds since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Parent:
    """Origin of a fork."""

    thread: str
    """Thread id of the other run."""
    run: str
    """Name of its directory."""
    round: int
    record: str | None
    """Id of its record on the same tracker; None if not known."""


@dataclass(frozen=True, slots=True)
class RecordHead:
    """Begin of a record."""

    name: str
    thread: str
    """Thread id of the run, a UUID: the identity of the record."""
    directory: Path
    parameters: Mapping[str, str]
    """Settings by full name."""
    tags: Mapping[str, str]
    time: int
    """Start of the run, in milliseconds since 1970, UTC."""
    parent: Parent | None = None
    group: str = ""
    """Name of the experiment of a cell; empty for other runs."""


class Tracker(Protocol):
    """Client of an experiment tracker. Every call blocks, and may raise any exception of the tracker's library.

    A repeated call with equal arguments changes nothing, so a call without an answer may be repeated.
    """

    def start(self, head: RecordHead, record: str | None) -> str:
        """Go on with the record `record`, with the record of an equal thread, or with a new one; return its id."""
        ...

    def metrics(self, points: Sequence[Point]) -> None:
        """Send values of metrics."""
        ...

    def artefact(self, file: Path, name: str) -> None:
        """Send a file. `name` is a relative path; a file of this name is replaced."""
        ...

    def end(self, status: RunStatus, tags: Mapping[str, str]) -> None:
        """Close the record until the next start."""
        ...
