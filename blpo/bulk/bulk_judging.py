"""Judging of millions of images: Parquet in, a folder of Parquet out, part by part, by any engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blpo.bulk.engine import Engine, OnSpent, Stop
from blpo.bulk.ledger import Spent
from blpo.bulk.out_folder import OutFolder
from blpo.bulk.parts import Part, first_rows, plan
from blpo.bulk.sample_reader import SampleReader
from blpo.bulk.shard import Shard
from blpo.bulk.verdict_sums import add_verdicts
from blpo.bulk.worker import LANES, Job
from blpo.data.object_storage import parquet_files
from blpo.deployment.gates_by_task import gates_by_task
from blpo.deployment.judge import Judge
from blpo.deployment.summary import Summary, joined
from blpo.deployment.table_input import InputColumns
from blpo.deployment.task_judging import JudgingOptions, TaskJudging
from blpo.models.catalogue import facts
from state.errors import BlpoError, ConfigError, DataError
from state.role_usage import RoleUsage
from state.settings import LimitSettings

BLOCK_ROWS = 4000
"""Rows that a worker has open at most: the most that a kill of the worker repeats."""
_NO_COLUMNS = InputColumns()
_NO_LIMITS = LimitSettings()
_WHOLE = Shard()


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """Options of a bulk judging."""

    columns: InputColumns = _NO_COLUMNS
    gates: Sequence[str] = ()
    limits: LimitSettings = _NO_LIMITS
    """Budget of the folder, over all workers and commands, in calls and dollars."""
    shard: Shard = _WHOLE
    block_rows: int | None = None
    """None: as before in the folder, else `BLOCK_ROWS`."""


class BulkJudging:
    """Judging of Parquet files into a folder. Reads the footers of all files, and checks all options before any call.

    Raises `BlpoError`. The folder is locked by the caller.
    """

    def __init__(self, judge: Judge, inputs: Sequence[str], out: OutFolder, options: BulkOptions) -> None:
        self._judge = judge
        self._options = options
        self._out = out
        gates = gates_by_task(options.gates, judge.require_tasks())
        self.works = {name: TaskJudging(judge, name, own, JudgingOptions(gates=own)) for name, own in gates.items()}
        prices = [facts(each).price.value for each in judge.file.judges or (judge.file.model,)]
        if options.limits.usd is not None and None in prices:
            raise ConfigError("--max-usd needs the price of the judge's model: set model.price in judge.yaml")
        files = [file for pattern in inputs for file in parquet_files(pattern)]
        size = out.bind(judge.file, options.block_rows, BLOCK_ROWS) // LANES
        parts = plan(files, size)
        if not parts:
            raise DataError(f"{files[0]}: has no rows")
        self._job = self._job_for(parts[0])
        self._parts = options.shard.of(parts)
        self._every = parts
        finished = out.finished(self._parts, parts)
        self._pending = [part for part in self._parts if part not in finished or finished[part].errors]
        done = [part for part in self._parts if part in finished]
        self.total = len(self.works) * sum(part.rows for part in self._parts)
        """Samples of all commands: for several tasks, a row under each."""
        self.before = len(self.works) * sum(part.rows for part in done) - sum(finished[part].errors for part in done)
        """Samples with an answer of earlier commands."""
        self.spent = Spent()
        """Work and costs of this command."""

    def _job_for(self, part: Part) -> Job:
        """Return the work of one worker; raises `BlpoError` for rows that the judge can't label."""
        options = self._options
        reader = SampleReader(self._judge, options.columns)
        table = first_rows(part)
        names = tuple(reader.columns_in(table))
        samples = list(reader.samples(table))
        if options.gates and all(sample.label is None for sample in samples):
            raise DataError("gates need labels, and the first rows have none; name their column (--label-column)")
        columns = replace(options.columns, images=reader.images)
        return Job(self._judge, columns, names, self._out, options.shard.name, options.limits)

    async def run(self, engine: Engine, on_spent: OnSpent, stop: Stop) -> BlpoError | None:
        """Judge all parts without verdicts, and rows with errors again; return the reason if some remain."""
        before = self._out.spent(self._options.shard.name)
        if not self._pending:
            return None

        def count(spent: Spent) -> None:
            self.spent = spent
            on_spent(spent)

        try:
            return await engine(self._job, self._pending, count, stop)
        finally:
            if not self._job.is_limited:  # the ledger has saved limited costs
                self._out.save(self._options.shard.name, before + self.spent)

    def summary(self) -> Summary:
        """Return the summary of all verdicts in the folder, of the shard alone; raises `DataError`."""
        finished = self._out.finished(self._parts, self._every)
        mine = [part for part in self._parts if part in finished]
        ignored = sum(finished[part].ignored for part in mine)
        if ignored and self._options.gates:
            raise DataError(f"{ignored} labels are not the judge's, and gates need all; correct them, or empty them")
        usage = add_verdicts(self._out, mine, self._judge.file, self.works)
        errors = sum(finished[part].errors for part in mine)
        calls = RoleUsage(
            issued=self._out.spent(self._options.shard.name).calls,
            cached=0,
            failed=errors,
            input_tokens=usage["input_tokens"],
            output_tokens=usage["output_tokens"],
            usd=usage["usd"],
        )
        summaries = {name: work.summary(None, calls) for name, work in self.works.items()}
        return summaries[""] if "" in summaries else joined(summaries, calls)
