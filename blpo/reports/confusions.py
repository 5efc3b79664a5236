"""Confusions of labels: a matrix, and for ratings the mean answer by human rating."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from blpo.runs.verdict_rows import VerdictRow
from state.sample import Label
from state.settings import TaskSettings

_MOST_LABELS = 20
"""Largest matrix, because nobody reads a larger one. With more labels, the most frequent confusions are listed."""
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Samples of a human label (row) with an answer (column)."""

    count: int
    shade: int
    """Share of the row in tenths, 0 to 10, for the depth of the colour."""
    is_right: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """Human labels (rows) against answers (columns); a last column may count samples without an answer."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[MatrixCell, ...]], ...]
    right: int
    total: int


def occurring_labels(rows: Iterable[VerdictRow], task: TaskSettings) -> list[Label]:
    """Return the labels of people and judge, in the task's order."""
    occurring = {label for row in rows for label in (row.label, row.verdict)}
    return [label for label in task.values if label in occurring]


def answer_rows(rows: Iterable[VerdictRow]) -> list[VerdictRow]:
    """Return a row for every answer: two for a pair in both orders."""
    return [answer for row in rows for answer in row.answers]


def matrix(rows: Sequence[VerdictRow], labels: Sequence[Label], *, no_answer: bool) -> Matrix | None:
    """Count answers by human label; None for too many labels."""
    if len(labels) > _MOST_LABELS:
        return None
    counts = Counter((row.label, row.verdict if row.status == "ok" else None) for row in rows)
    answers: list[Label | None] = [*labels, *([None] if no_answer else [])]
    table = []
    for human in labels:
        total = sum(counts[human, answer] for answer in answers)
        cells = [
            MatrixCell(counts[human, answer], round(10 * counts[human, answer] / max(total, 1)), answer == human)
            for answer in answers
        ]
        table.append((str(human), tuple(cells)))
    columns = tuple(NO_ANSWER if answer is None else str(answer) for answer in answers)
    return Matrix(columns, tuple(table), sum(row.is_right for row in rows), len(rows))


def confusions(rows: Iterable[VerdictRow], most: int = 12) -> list[tuple[str, str, int]]:
    """Return the most frequent wrong answers: (human label, answer, count)."""
    wrong = Counter(
        (str(row.label), str(row.verdict) if row.status == "ok" else NO_ANSWER) for row in rows if not row.is_right
    )
    return [(human, answer, number) for (human, answer), number in wrong.most_common(most)]


@dataclass(frozen=True, slots=True)
class RatingRow:
    """Answered samples of a human rating."""

    human: int
    n: int
    mean: float
    low: float
    """10th percentile of the answers."""
    high: float
    """90th percentile."""


def rating_rows(rows: Iterable[VerdictRow]) -> list[RatingRow]:
    """Return mean and spread of the judge's ratings for each human rating, lowest first; for ordinal tasks."""
    answers: dict[int, list[int]] = {}
    for row in rows:
        if row.status == "ok" and row.verdict is not None:
            answers.setdefault(int(row.label), []).append(int(row.verdict))
    return [
        RatingRow(human, len(ratings), fmean(ratings), _quantile(ratings, 0.1), _quantile(ratings, 0.9))
        for human, ratings in sorted(answers.items())
    ]


def _quantile(values: Sequence[int], share: float) -> float:
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]
