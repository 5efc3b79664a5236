"""Garbage collection while models are at work."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 20_000
"""New objects before a collection. A call makes some hundred objects, and hardly any of them in a cycle."""


@contextmanager
def frozen_garbage() -> Iterator[None]:
    """Keep all existing objects out of garbage collection until the block ends, and collect new objects less often.

    A full collection would visit some hundred thousand objects of the libraries. For a tenth of a second no answer
    would be read and no request sent. Does nothing if the program has frozen objects already. The check for frozen
    objects takes 20 ms, so call the function once for an open run, not once for a node.
    """
    if gc.get_freeze_count():
        yield
        return
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
