"""Points of round records and of result.json. Metrics count failures as wrong, as the search does."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from blpo.metrics.readings import strict_reading
from blpo.runs.usage_totals import total_usage
from blpo.runs.verdict_sentence import strict_difference
from blpo.runs.wording import METRICS
from blpo.tracking.tracker import Point
from state.loops import RoundRecord
from state.metrics import Metrics
from state.metrics_on_test import TestMetrics
from state.result import Result


def round_points(record: RoundRecord, metric: str, time: int) -> list[Point]:
    """Return the metrics of a judged round; `time` is the time of its judging."""
    values = dict(_readings("validation", record["validation"], metric))
    if "labelled" in record:
        values |= dict(_readings("labelled", record["labelled"], metric))
    return [Point(name, value, "round", record["round"], time) for name, value in values.items()]


def result_points(result: Result, time: int) -> list[Point]:
    """Return the test, the selected round, and the spending at the end; `time` is the time of the last event."""
    test = dict(_test(result["test"], result["metric"])) if result["test"] is not None else {}
    values = {**test, "best_round": float(result["best_round"]), "seconds": result["seconds"]}
    total = total_usage(result["calls"].values())
    values |= {"total/calls": float(total.issued), "total/tokens": float(total.tokens)}
    if total.usd is not None:
        values["total/usd"] = total.usd
    return [Point(name, value, "run", 0, time) for name, value in values.items()]


def _test(test: TestMetrics, metric: str) -> Iterator[tuple[str, float]]:
    yield from _readings("test/initial", test["initial"], metric)
    yield from _readings("test/best", test["best"], metric)
    low, high = test["difference_ci95"]
    yield "test/difference", strict_difference(test, metric)
    yield "test/difference_low", low
    yield "test/difference_high", high
    yield "test/p_value", test["p_value"]


def _readings(prefix: str, metrics: Metrics, metric: str) -> Iterator[tuple[str, float]]:
    """Yield the defined metrics of all labels together, the search metric, and the metrics of several tasks."""
    strict = cast("Mapping[str, Any]", metrics["strict"])
    values = {name: strict.get(name) for name in METRICS} | {metric: strict_reading(metrics, metric)}
    values |= {"coverage": metrics["coverage"], "samples": metrics["n"]}
    for name, task in metrics.get("by_task", {}).items():
        values |= {f"{name}/{task['metric']}": task["value"], f"{name}/coverage": task["coverage"]}
    for name, value in values.items():
        if value is not None:
            yield f"{prefix}/{name}", float(value)
