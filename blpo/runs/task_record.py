"""A run with several tasks, seen as the run of one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from blpo.metrics.pairs import VerdictPairs
from blpo.metrics.resampling import own_groups
from blpo.metrics.task_metrics import measured
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from state.metrics import Metrics, SplitMetrics
from state.metrics_on_test import TaskTest, TestMetrics
from state.result import Result
from state.round_result import RoundResult
from state.settings import Settings


@dataclass(frozen=True)
class TaskRecord(RunRecord):
    """Settings, verdicts and figures of one task; prompts, rounds and calls are those of the whole run.

    Ids are those of the task's own table. Slices and raters have no figures by task.
    """

    whole: RunRecord = field(kw_only=True)
    task: str = field(kw_only=True)

    @classmethod
    def of(cls, run: RunRecord, task: str) -> "TaskRecord":
        """Return the part of a run with a task of this name."""
        return cls(run.directory, run.info, run.overrides, whole=run, task=task)

    @cached_property
    def settings(self) -> Settings:
        """Settings of the single task."""
        return self.whole.settings.of_task(self.task)

    @property
    def initial(self) -> Mapping[str, VerdictRow]:
        """Verdicts of the task under the first prompt by the id of its table."""
        return self._own["initial"]

    @property
    def best(self) -> Mapping[str, VerdictRow]:
        """Verdicts of the task under the selected prompt, for the same ids."""
        return self._own["best"]

    @cached_property
    def result(self) -> Result:
        """Content of result.json as of a run of the task: metrics of a round hold the search metric alone."""
        whole = self.whole.result
        result: Result = {
            **whole,
            "metric": self.settings.search.metric,
            "test": self._test(whole["test"]),
            "rounds": [self._round(record) for record in whole["rounds"]],
        }
        result.pop("labelled", None)
        if whole["validation"] is not None:
            initial, best = (self._figures(whole["validation"][side]) for side in ("initial", "best"))
            result["validation"] = SplitMetrics(initial=initial, best=best)
        if self.settings.task.positive is not None:
            result["positive"] = self.settings.task.positive
        return result

    @cached_property
    def _own(self) -> dict[str, dict[str, VerdictRow]]:
        return {
            name: {row.item: replace(row, id=row.item, task="") for row in rows.values() if row.task == self.task}
            for name, rows in (("initial", self.whole.initial), ("best", self.whole.best))
        }

    def _test(self, test: TestMetrics | None) -> TestMetrics | None:
        """Return the test of the task; None without a test, and without verdicts on the test split."""
        keys = [key for key, row in self.best.items() if row.split == "test"]
        if test is None or not keys:
            return None
        recorded: TaskTest = test["by_task"][self.task]
        samples = [self.best[key].in_sample for key in keys]
        pairs = VerdictPairs.of(*([rows[key].in_verdict for key in keys] for rows in (self.initial, self.best)))
        own = TestMetrics(
            initial=measured(pairs.first, samples, self.settings),
            best=measured(pairs.second, samples, self.settings),
            p_value=recorded["p_value"],
            difference_ci95=recorded["difference_ci95"],
            left_out=pairs.left_out,
            beyond_guessing=recorded["beyond_guessing"],
        )
        units = zip(own_groups([sample.group for sample in samples]), pairs.second, strict=True)
        counted = [unit for unit, verdict in units if verdict.status != "error"]
        if (groups := len(set(counted))) < len(counted):
            own["groups"] = groups
        return own

    def _round(self, record: RoundResult) -> RoundResult:
        own: RoundResult = {**record, "validation": self._figures(record["validation"])}
        for name in ("labelled", "gain"):
            own.pop(name, None)  # type: ignore[misc]
        return own

    def _figures(self, metrics: Metrics) -> Metrics:
        reading = metrics["by_task"][self.task]
        name, dot, label = reading["metric"].partition(".")
        value = {name: {label: reading["value"]} if dot else reading["value"]}
        content: dict[str, Any] = {"n": reading["n"], "coverage": reading["coverage"], "strict": value}
        return cast(Metrics, content)
