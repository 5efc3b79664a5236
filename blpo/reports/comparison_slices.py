"""Human ceilings and slices of compared runs, as each run measured them on its own test split."""

from dataclasses import dataclass

from blpo.reports.comparison import Comparison, Entry
from blpo.reports.slice_rows import slices_of
from blpo.runs.ceiling_sentence import ceiling_of, ceiling_sentence
from state.metrics_on_test import SliceMetrics


@dataclass(frozen=True, slots=True)
class ComparedSlice:
    """The test samples with one value of a column, under the selected prompt of every run."""

    value: str
    cells: tuple[SliceMetrics | None, ...]
    """A cell for each run; None for a run without the value."""


def ceiling_sentences(comparison: Comparison) -> list[tuple[str, str]]:
    """Return the name of each run with its judge beside one rater; empty if a run has no ratings of several people."""
    if not all(ceiling_of(entry.run.result["test"]) for entry in comparison.entries):
        return []
    return [(entry.name, ceiling_sentence(entry.run.result)) for entry in comparison.entries]


def compared_slices(comparison: Comparison) -> dict[str, list[ComparedSlice]]:
    """Return the rows of every column that is a slice of all runs, the most frequent values of the first run first.

    Empty if the runs have different search metrics.
    """
    runs = [_slices(entry) for entry in comparison.entries]
    if any(entry.run.result["metric"] != comparison.metric for entry in comparison.entries):
        return {}
    columns = [column for column in runs[0] if all(column in own for own in runs)]
    return {column: _rows([own[column] for own in runs]) for column in columns}


def _slices(entry: Entry) -> dict[str, dict[str, SliceMetrics]]:
    return dict(slices_of(entry.run.result))


def _rows(runs: list[dict[str, SliceMetrics]]) -> list[ComparedSlice]:
    values = dict.fromkeys(value for own in runs for value in own)
    return [ComparedSlice(value, tuple(own.get(value) for own in runs)) for value in values]
