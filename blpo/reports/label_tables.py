"""Tables of people's labels against the judge's answers: matrices, places in rankings, and mean ratings."""

from dataclasses import dataclass

from blpo.reports.charts import Chart, ratings_chart
from blpo.reports.confusions import Matrix, answer_rows, confusions, matrix, occurring_labels, rating_rows
from blpo.reports.label_source import LabelSource
from blpo.reports.ranking_places import PlaceRow, place_rows
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow


@dataclass(frozen=True, slots=True)
class LabelTables:
    """Labels against answers under the first and the selected prompt, on one split."""

    split: str
    places: list[PlaceRow] | None
    """Places in rankings; None for other tasks."""
    matrices: list[tuple[str, Matrix]]
    """Matrices before and after; empty without verdicts, and for many labels."""
    confusions: list[tuple[str, str, int]]
    in_orders: bool
    """True for pairs that are asked in both orders."""
    apart: bool
    """True for pairs whose two images are judged alone."""
    words: tuple[tuple[int, str], ...]
    """Words of ratings; empty without `task.scale`."""
    ratings_chart: Chart | None
    """Mean rating of the judge by rating of people; None for other tasks."""


def label_tables(run: RunRecord, source: LabelSource) -> LabelTables:
    """Return the tables of a run with a single task."""
    task = run.settings.task
    initial_rows, best_rows, split = _compared(run)
    before, after = answer_rows(initial_rows), answer_rows(best_rows)
    no_answer = any(row.status != "ok" for row in (*before, *after))
    labels = occurring_labels((*before, *after), task)
    tables = [
        (name, matrix(rows, labels, no_answer=no_answer)) for name, rows in (("Before", before), ("After", after))
    ]
    return LabelTables(
        split=split,
        places=place_rows((before, after)) if task.kind == "ranking" else None,
        matrices=[(name, table) for name, table in tables if table is not None] if before else [],
        confusions=confusions(after),
        in_orders=task.has_both_orders,
        apart=task.kind == "pairwise" and task.order == "apart",
        words=task.scale,
        ratings_chart=ratings_chart(rating_rows(before), rating_rows(after), task.min, task.max, source)
        if task.kind == "ordinal" and before
        else None,
    )


def _compared(run: RunRecord) -> tuple[list[VerdictRow], list[VerdictRow], str]:
    """Return the verdicts under both prompts on the test split, or on validation for a run without a test."""
    for split in ("test", "validation"):
        keys = [key for key, row in run.best.items() if row.split == split]
        if keys:
            return [run.initial[key] for key in keys], [run.best[key] for key in keys], split
    return [], [], "test"
