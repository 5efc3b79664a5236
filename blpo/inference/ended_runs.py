"""Runs that have just ended, for their reports: dataset and last answers are in memory and need not be read again."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from blpo.data.dataset import Dataset
from blpo.inference.recent_answers import Memory
from blpo.inference.run_store import StorePlace


@dataclass(frozen=True, slots=True)
class EndedRun:
    """Dataset and last answers of a run that has ended."""

    dataset: Dataset
    memory: Memory


_ENDED: ContextVar[dict[StorePlace, EndedRun] | None] = ContextVar("ended_runs", default=None)


@contextmanager
def ended_runs_kept() -> Iterator[None]:
    """Keep every run that ends in the block until the end of the block."""
    outer = _ENDED.get()
    _ENDED.set({})
    try:
        yield
    finally:
        _ENDED.set(outer)


def keep_ended(place: StorePlace, run: EndedRun) -> None:
    """Keep the run with the answers at `place`, inside a block of `ended_runs_kept` alone."""
    runs = _ENDED.get()
    if runs is not None:
        runs[place] = run


def ended_run(place: StorePlace) -> EndedRun | None:
    """Return the run with the answers at `place`; None for a run that is not kept."""
    return (_ENDED.get() or {}).get(place)
