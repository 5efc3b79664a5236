"""Rows of the table of metrics in terminal, report, comparison and notebook."""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.metrics.readings import reading, strict_reading
from blpo.runs.wording import METRICS, metric_name
from state.result import Metrics


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A metric under several prompts."""

    name: str
    values: tuple[float, ...]
    is_selecting: bool = False
    """True for the metric and reading of the selection."""

    @property
    def before(self) -> float:
        """Value under the first prompt of the row."""
        return self.values[0]

    @property
    def after(self) -> float:
        """Value under the last prompt of the row."""
        return self.values[-1]


def agreement_rows(columns: Sequence[Metrics], metric: str) -> list[AgreementRow]:
    """Return all metrics over the answered samples, a value a column.

    `metric` selects. Where a column has failures, a row with failures counted as wrong stands below the metrics.
    """
    is_whole = all(column["coverage"] == 1 for column in columns)
    rows = [
        AgreementRow(name, tuple(reading(column, key) for column in columns), is_whole and key == metric)
        for key, name in METRICS.items()
        if key in columns[0]
    ]
    if not is_whole:
        name = f"{metric_name(metric)}, failures as wrong"
        rows.append(AgreementRow(name, tuple(strict_reading(column, metric) for column in columns), True))
    rows.append(AgreementRow("coverage", tuple(column["coverage"] for column in columns)))
    majority = tuple(column["majority_baseline"] for column in columns)
    return [*rows, AgreementRow("majority baseline (accuracy)", majority)]
