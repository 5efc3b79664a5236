"""Judging of many samples at once, to rows: a failed sample is a row, and memory holds the samples in flight alone."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

from blpo.bulk.purse import Purse
from blpo.bulk.verdict_rows import Row, error_row, row_of
from blpo.deployment.in_order import read_in_thread
from blpo.deployment.judge import Judge, Judging
from blpo.inference.image_cache import ImageCache
from blpo.inference.open_models import OpenModels, open_models
from state.errors import BlpoError, BudgetSpent
from state.sample import Sample

_GRACE = 5.0
"""Seconds for answers that are being paid for, after an end of the work."""


class RowJudging:
    """An open judge for one event loop. Made by `open_rows`.

    Several calls of `rows` share the places for samples; a later call begins once the earlier ones have begun all of
    their samples. So the places stay full, and the earlier calls end first.
    """

    def __init__(self, judge: Judge, models: OpenModels, purse: Purse) -> None:
        self._judge = judge
        self._models = models
        self._purse = purse
        self._places = asyncio.Semaphore(models.width("judge"))
        self._beginning = asyncio.Lock()
        self._running: set[asyncio.Task[Row]] = set()
        self.end_error: BlpoError | None = None
        """Reason why no further sample is judged; None while the work goes on."""

    def end(self, error: BlpoError) -> None:
        """Judge no further sample. Samples in flight are finished, within a few seconds unless the budget is spent.

        All other samples become rows with the reason.
        """
        if self.end_error is None:
            self.end_error = error
        if not isinstance(error, BudgetSpent):
            asyncio.get_running_loop().call_later(_GRACE, self._cut)

    def _cut(self) -> None:
        for task in self._running:
            task.cancel()

    async def rows(self, samples: Iterable[Sample], old: Mapping[int, Row]) -> list[Row]:
        """Return a row for each sample, in order; `old` are rows of an earlier judging by their places.

        Raises errors of the iteration.
        """
        images = ImageCache(max_bytes=0)  # names and ids are unique among the samples of one call
        judging = Judging(self._judge.file, replace(self._models, images=images), self._judge.tasks[:1])
        rows: list[Row | asyncio.Task[Row]] = []
        try:
            async with self._beginning, aclosing(read_in_thread(samples)) as stream:
                async for sample in stream:
                    row = old.get(len(rows))
                    rows.append(await self._begin(judging, sample) if row is None else row)
            return [await row if isinstance(row, asyncio.Task) else row for row in rows]
        finally:
            tasks = [row for row in rows if isinstance(row, asyncio.Task)]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _begin(self, judging: Judging, sample: Sample) -> asyncio.Task[Row]:
        await self._places.acquire()
        task = asyncio.create_task(self._row(judging, sample))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: self._places.release())
        return task

    async def _row(self, judging: Judging, sample: Sample) -> Row:
        try:
            if self.end_error is None:
                await self._purse.take(sample)
                row = row_of(await judging.judge(sample))
                await self._purse.settle(sample, failed=row["status"] != "ok")
                return row
        except BlpoError as error:
            self.end(error)
        except asyncio.CancelledError:
            if self.end_error is None:
                raise
        except Exception as error:  # one sample of millions must not end the work of all
            return error_row(sample, f"internal error: {type(error).__name__}: {error}")
        return error_row(sample, f"not judged: {self.end_error}")


@asynccontextmanager
async def open_rows(judge: Judge, purse: Purse) -> AsyncIterator[RowJudging]:
    """Open a judge without a response store: every image is asked about once. Raises `ModelError`, `ConfigError`."""
    settings = judge.file.settings
    async with open_models(settings, examples=judge.file.labelled_examples, keeps_answers=False) as models:
        purse.open(models)
        yield RowJudging(judge, models, purse)
