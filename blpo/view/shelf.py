"""Values that take long to make. A thread makes a value; a shelf keeps the values that were used last."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotReady
from threading import Lock
from typing import Generic, TypeVar

PATIENCE = 1.0
"""Seconds that a page waits for its value."""
_Value = TypeVar("_Value")


class Shelf(Generic[_Value]):
    """At most `most` values by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool = ThreadPoolExecutor(1)
        self._values: dict[Hashable, Future[_Value]] = {}
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], _Value], patience: float | None = PATIENCE) -> _Value | None:
        """Return the value, made at the first call with this key; None if it is not ready after `patience` seconds.

        Without patience (None) the call waits. Raises what `make` raises; the next call makes the value again.
        """
        with self._lock:
            value = self._values.pop(key, None) or self._pool.submit(make)
            self._values[key] = value  # the last used value stands last
            while len(self._values) > self._most:
                self._values.pop(next(iter(self._values)))
        try:
            return value.result(patience)
        except NotReady:
            return None
        except BaseException:
            with self._lock:
                self._values.pop(key, None)
            raise

    def when_idle(self, work: Callable[[], object]) -> None:
        """Do `work` in the shelf's thread."""
        self._pool.submit(work)
