"""Garbage collection while models are at work."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def frozen_garbage() -> Iterator[None]:
    """Keep all existing objects out of garbage collection until the block ends.

    A full collection would visit some hundred thousand objects of the libraries. For a tenth of a second no answer
    would be read and no request sent. Does nothing if the program has frozen objects already. The check for frozen
    objects takes 20 ms, so call the function once for an open run, not once for a node.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
