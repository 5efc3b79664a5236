"""report.html: a run directory as a page that answers whether it got better, why, and where people still disagree."""

import asyncio
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from blpo.config.settings_file import dump_settings
from blpo.reports.agreement_rows import agreement_rows
from blpo.reports.captions import carried
from blpo.reports.charts import interval, ratings_chart, trials_chart, validation_chart
from blpo.reports.confusions import confusions, labels_of, matrix, rated
from blpo.reports.differences import word_diff
from blpo.reports.edits import edits
from blpo.reports.evidence import Evidence, gather
from blpo.reports.gallery import gallery
from blpo.reports.outcome import Tested, headline, meaning, prompts, stopped, tone
from blpo.reports.page import render_page, write_page
from blpo.reports.wording import dollars
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from blpo.runs.verdict_rows import VerdictRow
from state.result import Result

REPORT = "report.html"


async def write_report(directory: Path, overrides: Iterable[str] = ()) -> Path:
    """Write report.html into a run directory and return its path; nothing is asked of any model.

    `overrides` (`data.path=...`) say where the dataset is now. Raises `BlpoError` where there is no such run or it has
    no result, and `StoreError` where the page can't be written.
    """
    run = RunRecord.read(directory, overrides)
    evidence = await gather(run)
    target = directory / REPORT
    write_page(target, await asyncio.to_thread(report, run, evidence))
    return target


def report(run: RunRecord, evidence: Evidence) -> str:
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
    return render_page(
        "report.html",
        version=version("blpo"),
        name=run.directory.name,
        run=run,
        evidence=evidence,
        headline=headline(result),
        tone=tone(result),
        tested=tested,
        place=interval(tested.low, tested.after - tested.before, tested.high) if tested else None,
        meaning=meaning(run),
        stopped=stopped(result),
        measured=measured,
        agreement=agreement_rows((measured["initial"], measured["best"]), result["metric"]) if measured else [],
        validation_chart=validation_chart([("validation", run)]),
        trials_chart=trials_chart(run),
        failed_trials=any(trial.score is None for past in run.rounds for trial in past.trials),
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
        calls=total_usage(result["calls"].values()).issued,
        cost=cost(result),
        config=dump_settings(run.settings),
    )


def cost(result: Result) -> str:
    """Dollars of all roles; with a question mark where a price is not known."""
    total = total_usage(result["calls"].values())
    if total.is_priced:
        return f"$ {dollars(total.known_usd)}"
    return f"$ {dollars(total.known_usd)} + ?" if total.known_usd else "$ ?"


def _compared(run: RunRecord) -> tuple[list[VerdictRow], list[VerdictRow], str]:
    """The verdicts under both prompts on the test split; on validation where there was no test."""
    for split in ("test", "validation"):
        keys = [key for key, row in run.best.items() if row.split == split]
        if keys:
            return [run.initial[key] for key in keys], [run.best[key] for key in keys], split
    return [], [], "test"
