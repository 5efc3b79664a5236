"""The judge as one callable on a batch: an Arrow table in, an Arrow table out, for any engine.

    judge = JudgeBatch("runs/first")
    verdicts = judge(pyarrow.parquet.read_table("photos.parquet"))

The callable suits `ray.data.Dataset.map_batches`, `datasets.Dataset.map`, Spark's `mapInArrow` and Daft's functions of
a class. The object is small when pickled, and opens clients of its own in each process, at the first batch.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar
from weakref import finalize

import pyarrow

from blpo.bulk.purse import unlimited_purse
from blpo.bulk.row_judging import open_rows
from blpo.bulk.sample_reader import SampleReader
from blpo.bulk.verdict_rows import table_of, verdict_schema
from blpo.data.arrow_table import ArrowTable
from blpo.data.dataset_root import DatasetRoot
from blpo.deployment.judge import Judge, load_judge
from blpo.deployment.table_input import InputColumns

_T = TypeVar("_T")
_DEFAULT = InputColumns()
_PATIENCE = 10.0
"""Seconds that `close` waits for the clients."""


class JudgeBatch:
    """A judge on batches. `task` and `columns` are as in `blpo judge`; `root` is the folder of paths in cells.

    Raises `ConfigError` for a judge that can't be read, for rankings, and without a needed task.
    """

    def __init__(
        self,
        judge: Judge | str | Path,
        task: str | None = None,
        *,
        columns: InputColumns = _DEFAULT,
        root: str | Path = ".",
    ) -> None:
        self._judge = judge if isinstance(judge, Judge) else load_judge(judge, task)
        self._columns = columns
        self._root = str(root)
        self._reader = SampleReader(self._judge, columns)
        self.schema: pyarrow.Schema = verdict_schema(self._judge.file)
        """Columns of the verdicts."""
        self._open: _OpenJudge | None = None
        self._lock = Lock()

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Judge all rows; return one row each, in order, and for several tasks one each for every task.

        A failed row is a row with the status `error` and its `error`. Waits for all answers; several threads may call
        at once. Raises `DataError` for missing columns, and `ModelError` if no request to the model can succeed.
        """
        open_judge = self._opened()
        samples = self._reader.samples(ArrowTable(batch, "row", DatasetRoot(self._root)))
        rows = open_judge.wait(open_judge.rows.rows(samples, {}))
        if (error := open_judge.rows.end_error) is not None:
            self.close()
            raise error
        return table_of(rows, self.schema)

    def close(self) -> None:
        """End the clients. The next batch opens new ones."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _opened(self) -> "_OpenJudge":
        with self._lock:
            if self._open is None:
                self._open = _OpenJudge(self._judge)
                finalize(self, self._open.close)
            return self._open

    def __getstate__(self) -> dict[str, Any]:
        return {"judge": self._judge, "columns": self._columns, "root": self._root}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc] # as a new object, without clients


class _OpenJudge:
    """An open judge with an event loop in a thread of its own."""

    def __init__(self, judge: Judge) -> None:
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = Thread(target=self._run, name="judge", daemon=True)
        self._thread.start()
        self._is_closed = False
        self.rows = self.wait(self._stack.enter_async_context(open_rows(judge, unlimited_purse())))

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return the result of `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close the clients and end the loop. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        if current_thread() is not self._thread:  # a finalizer runs in any thread
            self._thread.join(_PATIENCE)

    async def _end(self) -> None:
        try:
            await self._stack.aclose()
        finally:
            self._loop.stop()
