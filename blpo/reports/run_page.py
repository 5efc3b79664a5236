"""report.html: a run directory as a page that answers whether it got better, why, and where people still disagree."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from blpo.config.settings_file import dump_settings
from blpo.reports.captions import carried
from blpo.reports.charts import interval, ratings_chart, trials_chart, validation_chart
from blpo.reports.confusions import confusions, labels_of, matrix, rated
from blpo.reports.differences import word_diff
from blpo.reports.edits import edits
from blpo.reports.evidence import Evidence, gather
from blpo.reports.gallery import gallery
from blpo.reports.outcome import Tested, headline, meaning, prompts, reading, stopped, strict, tone
from blpo.reports.page import render, write_page
from blpo.reports.record import Judged, Run, read_run
from blpo.reports.wording import METRICS, dollars, metric_name
from state.result import Result, SplitMetrics

REPORT = "report.html"


async def write_report(directory: Path, overrides: Iterable[str] = ()) -> Path:
    """Write report.html into a run directory and return its path; nothing is asked of any model.

    `overrides` (`data.path=...`) say where the dataset is now. Raises `BlpoError` where there is no such run or it has
    no result, and `StoreError` where the page can't be written.
    """
    run = read_run(directory, overrides)
    evidence = await gather(run)
    target = directory / REPORT
    write_page(target, await asyncio.to_thread(report, run, evidence))
    return target


def report(run: Run, evidence: Evidence) -> str:
    """The page."""
    result, tested = run.result, Tested.of(run.result)
    measured = result["test"] or result["validation"]
    first, selected = prompts(result)
    rounds = result["rounds"]
    before, after, split = _compared(run)
    no_answer = any(row.status != "ok" for row in (*before, *after))
    labels = labels_of((*before, *after), run.settings.task)
    tables = [
        (name, matrix(rows, labels, no_answer=no_answer)) for name, rows in (("Before", before), ("After", after))
    ]
    is_ordinal = run.settings.task.kind == "ordinal"
    task = run.settings.task
    return render(
        "report.html",
        version=version("blpo"),
        name=run.path.name,
        run=run,
        evidence=evidence,
        headline=headline(result),
        tone=tone(result),
        tested=tested,
        place=interval(tested.low, tested.after - tested.before, tested.high) if tested else None,
        meaning=meaning(run),
        stopped=stopped(result),
        measured=measured,
        agreement=agreement_rows(measured, result["metric"]) if measured else [],
        validation_chart=validation_chart([("validation", run)]),
        trials_chart=trials_chart(run),
        failed_trials=any(trial.score is None for batch in run.batches for trial in batch.trials),
        first=rounds[0] if rounds else None,
        selected=rounds[result["best_round"]] if rounds else None,
        unchanged=first == selected,
        overall=word_diff(first, selected),
        overall_i2t=word_diff(rounds[0]["i2t_prompt"], rounds[result["best_round"]]["i2t_prompt"]) if rounds else [],
        edits=edits(run, evidence),
        matrices=[(name, table) for name, table in tables if table is not None] if before else [],
        matrix_split=split,
        confusions=confusions(after),
        ratings_chart=ratings_chart(rated(before), rated(after), task.min, task.max) if is_ordinal and before else None,
        gallery=gallery(run, evidence),
        carried=carried(run, evidence),
        calls=sum(usage["issued"] for usage in result["calls"].values()),
        cost=cost(result),
        config=dump_settings(run.settings),
    )


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One metric under both prompts."""

    name: str
    before: float
    after: float
    is_selecting: bool = False


def agreement_rows(measured: SplitMetrics, metric: str) -> list[AgreementRow]:
    """All metrics over the answered samples, and the selecting one with failures as wrong where there are any."""
    initial, best = measured["initial"], measured["best"]
    is_whole = min(initial["coverage"], best["coverage"]) == 1
    rows = [
        AgreementRow(name, reading(initial, key), reading(best, key), is_selecting=is_whole and key == metric)
        for key, name in METRICS.items()
        if key in initial
    ]
    if not is_whole:
        name = f"{metric_name(metric)}, failures as wrong"
        rows.append(AgreementRow(name, strict(initial, metric), strict(best, metric), is_selecting=True))
    rows.append(AgreementRow("coverage", initial["coverage"], best["coverage"]))
    majority = "majority baseline (accuracy)"
    return [*rows, AgreementRow(majority, initial["majority_baseline"], best["majority_baseline"])]


def cost(result: Result) -> str:
    """Dollars of all roles; with a question mark where a price is not known."""
    known = [usage["usd"] for usage in result["calls"].values()]
    total = sum(usd for usd in known if usd is not None)
    if None in known:
        return f"$ {dollars(total)} + ?" if total else "$ ?"
    return f"$ {dollars(total)}"


def _compared(run: Run) -> tuple[list[Judged], list[Judged], str]:
    """The verdicts under both prompts on the test split; on validation where there was no test."""
    for split in ("test", "validation"):
        keys = [key for key, row in run.best.items() if row.split == split]
        if keys:
            return [run.initial[key] for key in keys], [run.best[key] for key in keys], split
    return [], [], "test"
