"""Worker on parts: reads the rows of a part, judges them, writes the verdicts. The same in all engines."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from blpo.bulk.ledger import Ledger
from blpo.bulk.out_folder import OutFolder, PartNotes
from blpo.bulk.parts import Part, tables
from blpo.bulk.purse import Exchange, Purse
from blpo.bulk.row_judging import RowJudging, open_rows
from blpo.bulk.sample_reader import SampleReader
from blpo.bulk.verdict_rows import Row, verdict_schema
from blpo.deployment.input_labels import UnusableImage
from blpo.deployment.judge import Judge
from blpo.deployment.table_input import InputColumns
from state.errors import BlpoError, DataError
from state.sample import Sample
from state.settings import LimitSettings

LANES = 2
"""Parts that a worker has open: while the last answers of one arrive, the next has begun."""


@dataclass(frozen=True, slots=True)
class Job:
    """A judging of many parts, as a worker in any process needs it."""

    judge: Judge
    columns: InputColumns
    read: tuple[str, ...]
    """Columns to read."""
    out: OutFolder
    shard: str
    """Name of the shard's folder; empty without shards."""
    limits: LimitSettings

    @property
    def is_limited(self) -> bool:
        """True if calls or dollars have a limit."""
        return self.limits.calls is not None or self.limits.usd is not None

    def ledger(self) -> Ledger:
        """Return the ledger of the job, with the costs of earlier commands under a budget."""
        if not self.is_limited:
            return Ledger(self.limits)
        return Ledger(self.limits, self.out.spent(self.shard), lambda spent: self.out.save(self.shard, spent))


class PartWorker:
    """Worker of one event loop. Made by `open_worker`."""

    def __init__(self, job: Job, rows: RowJudging, purse: Purse) -> None:
        self._job = job
        self._rows = rows
        self._purse = purse
        self._schema = verdict_schema(job.judge.file)

    @property
    def end_error(self) -> BlpoError | None:
        """Reason why no further sample is judged; None while the work goes on."""
        return self._rows.end_error

    def end(self, error: BlpoError) -> None:
        """Judge no further sample; open parts are written with what was answered."""
        self._rows.end(error)

    async def judge(self, part: Part) -> BlpoError | None:
        """Judge a part and write its verdicts; return the reason of an end, as `end_error`.

        Rows of an earlier file keep their verdicts, except errors. Raises `StoreError`.
        """
        reader = SampleReader(self._job.judge, self._job.columns)
        samples = _samples(part, self._job.read, reader)
        rows = await self._rows.rows(samples, await asyncio.to_thread(self._answered, part))
        errors = sum(row["status"] == "error" for row in rows)
        notes = PartNotes(errors, reader.ignored_labels)
        await asyncio.to_thread(self._job.out.write, part, rows, self._schema, notes)
        await self._purse.give_back()
        return self.end_error

    def _answered(self, part: Part) -> Mapping[int, Row]:
        """Return the answered rows of an earlier file by their places; empty without such a file."""
        if not self._job.out.holds(part):
            return {}
        rows: Sequence[Row] = self._job.out.read(part).to_pylist()
        return {place: row for place, row in enumerate(rows) if row["status"] != "error"}


def _samples(part: Part, columns: Sequence[str], reader: SampleReader) -> Iterator[Sample]:
    """Yield the samples of a part. From a row on that can't be read, every row is a sample that can't be read."""
    count = 0
    try:
        for table in tables(part, columns):
            for sample in reader.samples(table):
                yield sample
                count += 1
    except DataError as error:
        for row in range(part.start + count // len(reader.tasks), part.start + part.rows):
            place = f"{part.file}:{row + 1}"
            yield from reader.of_item(Sample(place, (UnusableImage(place, str(error)),), None))


@asynccontextmanager
async def open_worker(job: Job, exchange: Exchange) -> AsyncIterator[PartWorker]:
    """Open a worker that takes calls by `exchange`; raises `ModelError` and `ConfigError`."""
    purse = Purse(exchange, job.limits)
    async with open_rows(job.judge, purse) as rows:
        yield PartWorker(job, rows, purse)
        await purse.give_back()
