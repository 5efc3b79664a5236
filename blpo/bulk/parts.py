"""Parts of Parquet files: the units of work, and the rows of one file of verdicts.

A part is a run of whole row groups of a file. A row group with more rows than a part is divided.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

import pyarrow.parquet

from blpo.data.arrow_errors import arrow_errors
from blpo.data.arrow_table import ArrowTable
from blpo.data.message_text import listed
from blpo.data.object_storage import file_system, root_of
from state.errors import DataError

_AT_ONCE = 16
"""Files that are opened at once."""
_BATCH = 32
"""Rows that are read at once: a few images in memory."""
_BUFFER = 2**20
"""Bytes that are read at once of a column."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a file."""

    file: str
    """Path or address."""
    start: int
    """First row, from 0."""
    rows: int
    name: str
    """Name of its file of verdicts: the same wherever the input lies."""


@dataclass(frozen=True, slots=True)
class _Facts:
    file: str
    size: int
    groups: tuple[int, ...]
    """Rows of each row group."""
    columns: tuple[str, ...]


def plan(files: Sequence[str], most: int) -> list[Part]:
    """Divide files into parts of at most `most` rows. Reads the footers alone.

    Raises `DataError` for a file that is no Parquet file or has other columns than the first one.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        facts = list(pool.map(_facts, files))
    names: Counter[str] = Counter()
    return [part for each in facts for part in _parts(_same_columns(each, facts[0]), most, names)]


def _facts(file: str) -> _Facts:
    with arrow_errors(file):
        files, path = file_system(file)
        size = files.get_file_info(path).size
        with pyarrow.parquet.ParquetFile(path, filesystem=files) as content:
            groups = [content.metadata.row_group(place).num_rows for place in range(content.metadata.num_row_groups)]
            return _Facts(file, size, tuple(groups), tuple(content.schema_arrow.names))


def _same_columns(facts: _Facts, first: _Facts) -> _Facts:
    if missing := [name for name in first.columns if name not in facts.columns]:
        raise DataError(f"{facts.file}: has no column {listed(missing)}, and {first.file} has; give files of one table")
    return facts


def _parts(facts: _Facts, most: int, names: Counter[str]) -> Iterator[Part]:
    path = PurePosixPath(facts.file)
    key = sha256(f"{path.name}:{facts.size}:{sum(facts.groups)}".encode()).hexdigest()[:8]
    names[key] += 1
    number = f"-{names[key]}" if names[key] > 1 else ""
    for start, rows in cuts(facts.groups, most):
        yield Part(facts.file, start, rows, f"{path.stem}-{key}{number}-{start:09}.parquet")


def cuts(groups: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield the start and the number of rows of each part of a file whose row groups have so many rows."""
    start = rows = 0
    for size in groups:
        if rows and rows + size > most:
            yield start, rows
            start, rows = start + rows, 0
        rows += size
        while rows > most:
            yield start, most
            start, rows = start + most, rows - most
    if rows:
        yield start, rows


def first_rows(part: Part) -> ArrowTable:
    """Return the first rows of a part, with all columns; raises `DataError`."""
    return next(tables(part, None))


def tables(part: Part, columns: Sequence[str] | None) -> Iterator[ArrowTable]:
    """Yield the rows of a part, a few at a time, with these columns; None: all. Raises `DataError`."""
    with arrow_errors(part.file):
        files, path = file_system(part.file)
        root, name = root_of(part.file), PurePosixPath(part.file).name
        with pyarrow.parquet.ParquetFile(path, filesystem=files, buffer_size=_BUFFER, pre_buffer=False) as content:
            for start, batch in _batches(content, part, columns):
                yield ArrowTable(pyarrow.Table.from_batches([batch]), name, root, start + 1)


def _batches(content: Any, part: Part, columns: Sequence[str] | None) -> Iterator[tuple[int, Any]]:
    """Yield batches of the part's rows, each with the number of its first row in the file."""
    end = part.start + part.rows
    groups: list[int] = []
    position = first = 0
    for group in range(content.metadata.num_row_groups):
        size = content.metadata.row_group(group).num_rows
        if position < end and position + size > part.start:
            first = first if groups else position
            groups.append(group)
        position += size
    for batch in content.iter_batches(_BATCH, row_groups=groups, columns=columns, use_threads=False):
        start, stop = max(first, part.start), min(first + batch.num_rows, end)
        if start < stop:
            yield start, batch.slice(start - first, stop - start)
        first += batch.num_rows
