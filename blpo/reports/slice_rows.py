"""Rows of the tables of slices in terminal and report."""

from collections.abc import Iterator
from dataclasses import dataclass

from blpo.runs.wording import counted, figure, metric_name
from state.metrics_on_test import SliceMetrics
from state.result import Result

SMALL_SLICE = 20
"""A slice of fewer samples shows little: chance moves its metrics by a lot."""
CAUTION = f"Slices are small tests: an interval is wide below about {SMALL_SLICE} samples, and among many slices some "
CAUTION += "stand out by chance. Look at a slice again on new samples before you act on it."


@dataclass(frozen=True, slots=True)
class SliceRow:
    """The samples of the test with one value of a column."""

    value: str
    n: int
    initial: str
    """Search metric under the first prompt."""
    best: str
    interval: str
    """95 % interval of `best`; empty if undefined."""
    fixed: int
    broken: int

    @property
    def is_small(self) -> bool:
        """True for fewer than `SMALL_SLICE` samples."""
        return self.n < SMALL_SLICE


def slice_tables(result: Result) -> dict[str, list[SliceRow]]:
    """Return the rows by column; empty for a run without slices."""
    return {column: [_row(value, measured) for value, measured in rows.items()] for column, rows in slices_of(result)}


def slice_lines(result: Result) -> Iterator[str]:
    """Yield a line for every column: the slices with the lowest and the highest metric."""
    for column, rows in slices_of(result):
        values = [(measured["best"], value, measured["n"]) for value, measured in rows.items()]
        ranked = sorted((number, value, n) for number, value, n in values if number is not None)
        size = counted(len(rows), "slice")
        if small := sum(n < SMALL_SLICE for _, _, n in values):
            size += f", {'all' if small == len(rows) else small} below {SMALL_SLICE} samples"
        name = f"By {column} ({size}): {metric_name(result['metric'])}"
        if not ranked:
            yield f"{name} is undefined in every slice."
            continue
        ends = [ranked[0]] if len(ranked) == 1 else [ranked[0], ranked[-1]]
        yield f"{name} " + " to ".join(f"{figure(number)} ({value}, n = {n})" for number, value, n in ends) + "."


def slices_of(result: Result) -> list[tuple[str, dict[str, SliceMetrics]]]:
    """Return the slices of the test by column; empty for a run without slices."""
    test = result["test"]
    return [] if test is None else list(test.get("slices", {}).items())


def _row(value: str, measured: SliceMetrics) -> SliceRow:
    interval = measured["ci95"]
    return SliceRow(
        value,
        measured["n"],
        figure(measured["initial"]),
        figure(measured["best"]),
        "" if interval is None else "{:.3f} to {:.3f}".format(*interval),
        measured["fixed"],
        measured["broken"],
    )
