"""Rows of the tables of metrics: the positive label first, guessing beside, reasons for undefined values."""

from collections.abc import Sequence
from typing import cast

from blpo.metrics.agreement import metrics
from blpo.reports.agreement_rows import agreement_rows, label_rows, main_metrics, main_rows, undefined_notes
from state.metrics import Agreement, Metrics, SplitMetrics
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict

SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"), positive="unsafe")
RATING = TaskSettings()


def measured(
    answers: Sequence[Label | None], human: Sequence[Label], task: TaskSettings, metric: str = "macro_f1"
) -> Metrics:
    verdicts = [Verdict("", "refused" if answer is None else "ok", answer) for answer in answers]
    return metrics(verdicts, human, task, metric)


def test_the_positive_label_stands_first_and_guessing_beside() -> None:
    human = ["safe", "safe", "unsafe", "unsafe"]
    columns = [measured(answers, human, SAFETY) for answers in (["safe"] * 4, human)]
    rows = agreement_rows(columns, "macro_f1", "unsafe")
    assert [row.name for row in rows[:3]] == ["F1 of unsafe", "recall of unsafe", "macro-F1"]
    assert (rows[0].values, rows[0].change, rows[2].is_selecting) == ((0.0, 1.0), "+1.000", True)
    names = [row.name for row in rows]
    assert "guessing uniformly (macro-F1)" in names and "guessing by label shares (macro-F1)" in names
    assert label_rows(*columns)[0].cells == ("undefined -> 1.000", "0.000 -> 1.000", "0.000 -> 1.000", "1.000 -> 1.000")


def test_the_search_metric_of_another_label_is_a_row() -> None:
    column = measured(["safe", "unsafe"], ["safe", "unsafe"], SAFETY, "precision.safe")
    rows = agreement_rows([column, column], "precision.safe", "unsafe")
    assert [(row.name, row.change) for row in rows if row.is_selecting] == [("precision of safe", "=")]


def test_a_value_that_is_undefined_has_no_change_and_a_reason() -> None:
    columns = measured([3, 3, 3], [1, 2, 3], RATING), measured([1, 2, 3], [1, 2, 3], RATING)
    row = next(row for row in agreement_rows(columns, "macro_f1") if row.name == "Spearman")
    assert (row.before, row.change) == (None, "")
    assert "Spearman is undefined under the first prompt: all verdicts are one label." in undefined_notes(
        *columns, "macro_f1"
    )
    same = undefined_notes(columns[0], columns[0], "macro_f1")
    assert "Spearman is undefined: all verdicts are one label." in same


def test_a_result_of_an_older_version_has_fewer_rows() -> None:
    numbers = Agreement(accuracy=0.5, balanced_accuracy=0.5, macro_f1=0.5, kappa=0.0, majority_baseline=0.5)
    old = cast(Metrics, {**numbers, "n": 4, "coverage": 1.0, "strict": numbers})
    assert [row.name for row in agreement_rows([old, old], "macro_f1", "unsafe")] == [
        *("macro-F1", "accuracy", "balanced accuracy", "kappa", "coverage", "majority baseline (accuracy)")
    ]
    assert (label_rows(old, old), undefined_notes(old, old, "macro_f1")) == ([], [])


def test_a_short_table_has_the_search_metric_first_and_guessing_once() -> None:
    human = ["safe", "safe", "unsafe", "unsafe"]
    split = SplitMetrics(initial=measured(["safe"] * 4, human, SAFETY), best=measured(human, human, SAFETY))
    rows = main_rows(split, "macro_f1", "unsafe")
    assert [row.name for row in rows] == [
        *("macro-F1", "F1 of unsafe", "recall of unsafe", "accuracy", "guessing (macro-F1)")
    ]
    uniform, shares = split["best"]["guessing"]["uniform"], split["best"]["guessing"]["shares"]
    assert uniform is not None and shares is not None
    guessing = max(uniform, shares)
    assert rows[0].values == (1 / 3, 1.0) and rows[-1].values == (guessing, guessing)
    ratings = SplitMetrics(initial=measured([3, 3], [3, 1], RATING), best=measured([3, None], [3, 1], RATING))
    names = [row.name for row in main_rows(ratings, "quadratic_kappa")]
    assert names == [
        *("quadratic kappa, failures as wrong", "accuracy", "quadratic kappa"),
        *("guessing (quadratic kappa)", "coverage"),
    ]


def test_a_short_table_gives_reasons_for_its_own_metrics_alone() -> None:
    column = measured(["safe", "safe"], ["safe", "unsafe"], SAFETY, "precision.unsafe")
    names = main_metrics(column, "precision.unsafe", None)
    assert names == ["precision.unsafe", "accuracy"]
    notes = undefined_notes(column, column, "precision.unsafe", is_short=True)
    assert len(notes) == 1 and notes[0].startswith("precision of unsafe is undefined: ")
    notes = undefined_notes(column, column, "macro_f1", "unsafe")
    assert [note.partition(" is ")[0] for note in notes] == ["Matthews' correlation"]
    never = measured(["safe", "safe"], ["safe", "safe"], SAFETY)
    assert "recall of unsafe is undefined: no human label is unsafe." in undefined_notes(
        never, never, "kappa", "unsafe"
    )
