"""Rows of the tables of metrics in terminal, report, comparison and notebook."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from blpo.metrics.readings import reading, strict_reading
from blpo.runs.wording import METRICS, figure, metric_name
from state.metrics import Metrics, SplitMetrics
from state.rater_metrics import HumanCeiling

_LABEL_METRICS = ("precision", "recall", "f1", "specificity")
_MAIN = ("accuracy", "consistent_accuracy", "first_rate", "ndcg", "top_1")
"""Metrics of a short table, beside the search metric and the metrics of the positive label."""


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """A metric under several prompts."""

    name: str
    values: tuple[float | None, ...]
    """None for an undefined value."""
    is_selecting: bool = False
    """True for the metric and reading of the selection."""

    @property
    def is_undefined(self) -> bool:
        """True if a value is undefined."""
        return None in self.values

    @property
    def before(self) -> float | None:
        """Value under the first prompt of the row."""
        return self.values[0]

    @property
    def after(self) -> float | None:
        """Value under the last prompt of the row."""
        return self.values[-1]

    @property
    def change(self) -> str:
        """Difference of the last and the first value in words; empty if a value is undefined."""
        if self.before == self.after:
            return "="
        return "" if self.before is None or self.after is None else f"{self.after - self.before:+.3f}"


@dataclass(frozen=True, slots=True)
class LabelRow:
    """Metrics of a single label under two prompts."""

    label: str
    cells: tuple[str, ...]
    """precision, recall, F1 and specificity, as `0.500 -> 0.750`."""


LABEL_COLUMNS = ("precision", "recall", "F1", "specificity")


def agreement_rows(columns: Sequence[Metrics], metric: str, positive: str | None = None) -> list[AgreementRow]:
    """Return all metrics over the answered samples, a value a column; the metrics of the label `positive` first.

    `metric` selects. Where a column has failures, a row with failures counted as wrong stands below the metrics.
    """
    is_whole = all(column["coverage"] == 1 for column in columns)
    rows = [
        AgreementRow(
            _title(name, columns), tuple(reading(column, name) for column in columns), is_whole and name == metric
        )
        for name in _names(columns[0], metric, positive)
    ]
    if not is_whole:
        name = f"{metric_name(metric)}, failures as wrong"
        rows.append(AgreementRow(name, tuple(strict_reading(column, metric) for column in columns), True))
    rows += _guessing_rows(columns, metric)
    rows.append(AgreementRow("coverage", tuple(column["coverage"] for column in columns)))
    if not _has_labels(columns):
        return rows
    majority = tuple(column["majority_baseline"] for column in columns)
    return [*rows, AgreementRow("majority baseline (accuracy)", majority)]


def split_rows(measured: SplitMetrics, metric: str, positive: str | None = None) -> list[AgreementRow]:
    """Return the rows of the first and the selected prompt on a split, with the human ceiling of a test with raters."""
    rows = agreement_rows((measured["initial"], measured["best"]), metric, positive)
    return [*rows, *_ceiling_rows(measured, metric)]


def _ceiling_rows(measured: SplitMetrics, metric: str) -> list[AgreementRow]:
    ceiling = cast("HumanCeiling | None", measured.get("human_ceiling"))
    if ceiling is None or ceiling["value"] is None:
        return []
    judge = ceiling["judge"]["initial"], ceiling["judge"]["best"]
    name = metric_name(metric)
    return [
        AgreementRow(f"{name} of the judge, by other raters", judge),
        AgreementRow(f"{name} of one rater, by other raters", (ceiling["value"], ceiling["value"])),
    ]


def main_rows(measured: SplitMetrics, metric: str, positive: str | None = None) -> list[AgreementRow]:
    """Return the few rows for a short table, the search metric first.

    Further rows are the metrics of the label `positive`, accuracy, for pairs consistent accuracy and `first_rate`,
    guessing, one rater, and a coverage below 1.
    """
    columns = measured["initial"], measured["best"]
    names = {metric_name(name) for name in main_metrics(columns[0], metric, positive)}
    rows = [row for row in agreement_rows(columns, metric, positive) if row.is_selecting or row.name in names]
    rows.sort(key=lambda row: not row.is_selecting)
    if all("guessing" in column for column in columns):
        rows.append(AgreementRow(f"guessing ({metric_name(metric)})", tuple(map(_best_guess, columns))))
    if any(column["coverage"] < 1 for column in columns):
        rows.append(AgreementRow("coverage", tuple(column["coverage"] for column in columns)))
    return [*rows, *_ceiling_rows(measured, metric)]


def main_metrics(metrics: Metrics, metric: str, positive: str | None) -> list[str]:
    """Return the names of the metrics in a short table."""
    return [name for name in _names(metrics, metric, positive) if "." in name or name in (metric, *_MAIN)]


def label_rows(before: Metrics, after: Metrics) -> list[LabelRow]:
    """Return a row for every label, over the answered samples; none for older runs and for tasks of many labels."""
    return [
        LabelRow(
            label,
            tuple(
                " -> ".join(figure(reading(column, f"{name}.{label}")) for column in (before, after))
                for name in _LABEL_METRICS
            ),
        )
        for label in after.get("f1", {})
    ]


def undefined_notes(
    before: Metrics, after: Metrics, metric: str, positive: str | None = None, *, is_short: bool = False
) -> list[str]:
    """Return the reasons for undefined metrics of the table, or of the short table, over the answered samples."""
    first, selected = (column.get("undefined", {}) for column in (before, after))
    notes = []
    for name in main_metrics(after, metric, positive) if is_short else _names(after, metric, positive):
        if name in first and first.get(name) == selected.get(name):
            notes.append(f"{metric_name(name)} is undefined: {first[name]}.")
            continue
        for prompt, reasons in (("first", first), ("selected", selected)):
            if name in reasons:
                notes.append(f"{metric_name(name)} is undefined under the {prompt} prompt: {reasons[name]}.")
    return notes


def _names(metrics: Metrics, metric: str, positive: str | None) -> Iterator[str]:
    """Yield the metrics of the table: of the positive label, of all labels, and the search metric of another label."""
    own = [f"f1.{positive}", f"recall.{positive}"] if positive in metrics.get("f1", {}) else []
    yield from own
    if "." in metric and metric not in own:
        yield metric
    yield from (name for name in METRICS if name in metrics)


def _title(name: str, columns: Sequence[Metrics]) -> str:
    """Return the name of a metric; two sides of a pair that were judged alone have no orders."""
    is_apart = name == "consistency" and all("first_rate" not in column for column in columns)
    return "pairs with two different labels" if is_apart else metric_name(name)


def _guessing_rows(columns: Sequence[Metrics], metric: str) -> Iterator[AgreementRow]:
    if all("guessing" in column for column in columns):
        uniform, shares = (tuple(column["guessing"][kind] for column in columns) for kind in ("uniform", "shares"))
        yield AgreementRow(f"guessing uniformly ({metric_name(metric)})", uniform)
        if _has_labels(columns):
            yield AgreementRow(f"guessing by label shares ({metric_name(metric)})", shares)


def _has_labels(columns: Sequence[Metrics]) -> bool:
    """Return False for rankings, whose labels have no shares."""
    return all("majority_baseline" in column for column in columns)


def _best_guess(metrics: Metrics) -> float | None:
    """Return the better of the two ways of guessing; None if undefined."""
    guessing = metrics["guessing"]
    values = [value for value in (guessing["uniform"], guessing["shares"]) if value is not None]
    return max(values, default=None)
