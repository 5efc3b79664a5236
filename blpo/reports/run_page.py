"""report.html: a run as a page. Did the judge get better, why, and where do people still disagree?"""

import asyncio
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from blpo.config.settings_file import dump_settings
from blpo.metrics.readings import strict_reading
from blpo.reports.agreement_rows import LABEL_COLUMNS, label_rows, split_rows, undefined_notes
from blpo.reports.captions import caption_quality, separations
from blpo.reports.charts import ratings_chart, trials_chart, validation_chart
from blpo.reports.confidence_section import confidence_section
from blpo.reports.confusions import answer_rows, confusions, matrix, occurring_labels, rating_rows
from blpo.reports.differences import word_diff
from blpo.reports.edits import edits
from blpo.reports.evidence import Evidence, gather
from blpo.reports.examples import examples
from blpo.reports.exports.verdicts_csv import fresh_verdicts
from blpo.reports.gallery import gallery, is_sensitive
from blpo.reports.intervals import interval
from blpo.reports.label_source import label_source
from blpo.reports.outcome import Tested, headline, meaning, tone, validation_note
from blpo.reports.page import render_page, write_page
from blpo.reports.ranking_places import place_rows
from blpo.reports.slice_rows import CAUTION, slice_tables
from blpo.reports.validation_band import validation_bands
from blpo.runs.ceiling_sentence import ceiling_notes, ceiling_of, ceiling_sentence
from blpo.runs.end_words import spent, stopped
from blpo.runs.run_record import RunRecord
from blpo.runs.usage_totals import total_usage
from blpo.runs.verdict_rows import VerdictRow
from blpo.runs.verdict_sentence import judge_prompts
from blpo.runs.wording import dollars
from state.result import Result

REPORT = "report.html"


async def write_report(directory: str | Path, overrides: Iterable[str] = ()) -> Path:
    """Write report.html into a run directory and return the path of the page; sends no request.

    `overrides` (`data.path=...`) tell the place of a moved dataset. Raises `BlpoError` for a folder without a run and a
    run without a result, and `StoreError` for an unwritable page.
    """
    run = RunRecord.read(directory, overrides)
    evidence = await gather(run)
    target = run.directory / REPORT
    write_page(target, await asyncio.to_thread(report_page, run, evidence))
    return target


def report_page(run: RunRecord, evidence: Evidence) -> str:
    """Return the page's HTML."""
    result, tested = run.result, Tested.of(run.result)
    measured = result["test"] or result["validation"]
    first, selected = judge_prompts(result)
    rounds = result["rounds"]
    initial_rows, best_rows, split = _compared(run)
    before, after = answer_rows(initial_rows), answer_rows(best_rows)
    no_answer = any(row.status != "ok" for row in (*before, *after))
    labels = occurring_labels((*before, *after), run.settings.task)
    tables = [
        (name, matrix(rows, labels, no_answer=no_answer)) for name, rows in (("Before", before), ("After", after))
    ]
    source = label_source(run.settings.data)
    is_ordinal = run.settings.task.kind == "ordinal"
    task = run.settings.task
    captions, bands = caption_quality(run, evidence), validation_bands(run, evidence)
    total = total_usage(result["calls"].values())
    ceiling = ceiling_of(result["test"])
    return render_page(
        "report.html",
        version=version("blpo"),
        name=run.directory.name,
        run=run,
        evidence=evidence,
        headline=headline(result, source),
        source=source,
        tone=tone(result),
        tested=tested,
        place=interval(tested.low, tested.difference, tested.high) if tested else None,
        examples=examples(run, evidence) if tested else [],
        is_sensitive=is_sensitive(task),
        meaning=meaning(run),
        stopped=stopped(result),
        spent=spent(result),
        measured=measured,
        agreement=split_rows(measured, result["metric"], task.positive) if measured else [],
        ceiling=[ceiling_sentence(result), *ceiling_notes(ceiling)] if ceiling else [],
        slices=slice_tables(result),
        slices_caution=CAUTION,
        label_columns=LABEL_COLUMNS,
        undefined=undefined_notes(measured["initial"], measured["best"], result["metric"], task.positive)
        if measured
        else [],
        label_rows=label_rows(measured["initial"], measured["best"]) if measured else [],
        validation_chart=validation_chart([("validation", run)], bands),
        validation_note=validation_note(run, has_band=any(bands)),
        trials_chart=trials_chart(run),
        optimistic=strict_reading(result["labelled"]["best"], result["metric"]) if "labelled" in result else None,
        failed_trials=any(trial.has_failed for past in run.rounds for trial in past.trials),
        first=rounds[0] if rounds else None,
        selected=rounds[result["best_round"]] if rounds else None,
        unchanged=first == selected,
        overall=word_diff(first, selected),
        overall_i2t=word_diff(rounds[0]["i2t_prompt"], rounds[result["best_round"]]["i2t_prompt"]) if rounds else [],
        edits=edits(run, evidence),
        places=place_rows((before, after)) if task.kind == "ranking" else None,
        matrices=[(name, table) for name, table in tables if table is not None] if before else [],
        matrix_split=split,
        in_orders=task.has_both_orders,
        apart=task.kind == "pairwise" and task.order == "apart",
        words=task.scale,
        confusions=confusions(after),
        ratings_chart=ratings_chart(rating_rows(before), rating_rows(after), task.min, task.max, source)
        if is_ordinal and before
        else None,
        sureness=confidence_section(run.directory),
        gallery=gallery(run, evidence),
        verdicts_csv=fresh_verdicts(run),
        captions=captions,
        separations=separations(captions),
        calls=total.issued,
        cached_tokens=total.cached_tokens,
        cost=cost(result),
        config=dump_settings(run.settings),
    )


def cost(result: Result) -> str:
    """Return the dollars of all roles, with a question mark for an unknown price."""
    total = total_usage(result["calls"].values())
    if total.is_priced:
        return f"$ {dollars(total.known_usd)}"
    return f"$ {dollars(total.known_usd)} + ?" if total.known_usd else "$ ?"


def _compared(run: RunRecord) -> tuple[list[VerdictRow], list[VerdictRow], str]:
    """Return the verdicts under both prompts on the test split, or on validation for a run without a test."""
    for split in ("test", "validation"):
        keys = [key for key, row in run.best.items() if row.split == split]
        if keys:
            return [run.initial[key] for key in keys], [run.best[key] for key in keys], split
    return [], [], "test"
