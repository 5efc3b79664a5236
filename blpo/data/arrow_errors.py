"""Errors of Arrow as errors of a dataset."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow

from state.errors import DataError


@contextmanager
def arrow_errors(name: str) -> Iterator[None]:
    """Turn an error of Arrow inside the block into a `DataError` with the name of the table."""
    try:
        yield
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{name}: can't be read as a table ({reason})") from error
