"""Which labels are taken for which: a matrix, and for ratings the mean answer to each human rating."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from blpo.runs.verdict_rows import VerdictRow
from state.sample import Label
from state.settings import TaskSettings

MOST_LABELS = 20
"""A matrix of more labels is not read; the most frequent confusions are listed instead."""
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Cell:
    """Samples of one human label (the row) with one answer."""

    count: int
    shade: int
    """Share of its row in tenths, 0 to 10, for the depth of its colour."""
    is_right: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """Human labels (rows) against answers (columns); the last column, where there is one, is for no answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    right: int
    total: int


def labels_of(rows: Iterable[VerdictRow], task: TaskSettings) -> list[Label]:
    """The labels that occur, as people's or as the judge's, in the task's order."""
    occurring = {label for row in rows for label in (row.label, row.verdict)}
    return [label for label in task.values if label in occurring]


def matrix(rows: Sequence[VerdictRow], labels: Sequence[Label], *, no_answer: bool) -> Matrix | None:
    """Count answers by human label; None where there are too many labels for a table."""
    if len(labels) > MOST_LABELS:
        return None
    counts = Counter((row.label, row.verdict if row.status == "ok" else None) for row in rows)
    answers: list[Label | None] = [*labels, *([None] if no_answer else [])]
    table = []
    for human in labels:
        total = sum(counts[human, answer] for answer in answers)
        cells = [
            Cell(counts[human, answer], round(10 * counts[human, answer] / max(total, 1)), answer == human)
            for answer in answers
        ]
        table.append((str(human), tuple(cells)))
    columns = tuple(NO_ANSWER if answer is None else str(answer) for answer in answers)
    return Matrix(columns, tuple(table), sum(row.is_right for row in rows), len(rows))


def confusions(rows: Iterable[VerdictRow], most: int = 12) -> list[tuple[str, str, int]]:
    """The most frequent wrong answers: (human label, answer, how often)."""
    wrong = Counter(
        (str(row.label), str(row.verdict) if row.status == "ok" else NO_ANSWER) for row in rows if not row.is_right
    )
    return [(human, answer, number) for (human, answer), number in wrong.most_common(most)]


@dataclass(frozen=True, slots=True)
class Rated:
    """The answered samples of one human rating."""

    human: int
    n: int
    mean: float
    low: float
    """10th percentile of the answers."""
    high: float
    """90th percentile."""


def rated(rows: Iterable[VerdictRow]) -> list[Rated]:
    """Mean and spread of the judge's ratings for each human rating that occurs, lowest first; ordinal tasks."""
    answers: dict[int, list[int]] = {}
    for row in rows:
        if row.status == "ok" and row.verdict is not None:
            answers.setdefault(int(row.label), []).append(int(row.verdict))
    return [
        Rated(human, len(given), fmean(given), _quantile(given, 0.1), _quantile(given, 0.9))
        for human, given in sorted(answers.items())
    ]


def _quantile(values: Sequence[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]
