"""report.html: a run as a page. Did the judge get better, why, and where do people still disagree?"""

import asyncio
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from blpo.config.settings_file import dump_settings
from blpo.inference.garbage import frozen_garbage
from blpo.metrics.readings import strict_reading
from blpo.reports.agreement_rows import LABEL_COLUMNS, label_rows, split_rows, undefined_notes
from blpo.reports.audit_section import audit_sections
from blpo.reports.captions import caption_quality, separations
from blpo.reports.charts import trials_chart, validation_chart
from blpo.reports.confidence_section import confidence_section
from blpo.reports.differences import word_diff
from blpo.reports.edits import edits
from blpo.reports.evidence import Evidence, gather
from blpo.reports.examples import examples
from blpo.reports.exports.verdicts_csv import fresh_verdicts
from blpo.reports.gallery import gallery, is_sensitive, tasks_of
from blpo.reports.intervals import interval
from blpo.reports.label_source import label_source
from blpo.reports.label_tables import label_tables
from blpo.reports.outcome import Tested, headline, meaning, tone, validation_note
from blpo.reports.page import Render, render_page, write_page
from blpo.reports.slice_rows import CAUTION, slice_tables
from blpo.reports.task_parts import task_parts
from blpo.reports.task_rows import of_result
from blpo.reports.validation_band import validation_bands
from blpo.reports.votes_section import votes_section
from blpo.runs.ceiling_sentence import ceiling_notes, ceiling_of, ceiling_sentence
from blpo.runs.end_words import spent, stopped
from blpo.runs.run_record import RunRecord
from blpo.runs.task_sentence import aggregate_sentence, not_adopted
from blpo.runs.usage_totals import total_usage
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
    target = run.directory / REPORT
    with frozen_garbage():
        evidence = await gather(run)
        write_page(target, await asyncio.to_thread(report_page, run, evidence))
    return target


def report_page(run: RunRecord, evidence: Evidence, render: Render = render_page) -> str:
    """Return the page's HTML."""
    result, tested = run.result, Tested.of(run.result)
    measured = result["test"] or result["validation"]
    first, selected = judge_prompts(result)
    rounds = result["rounds"]
    source = label_source(run.settings)
    task = run.settings.task
    captions, bands = caption_quality(run, evidence), validation_bands(run, evidence)
    total = total_usage(result["calls"].values())
    ceiling = ceiling_of(result["test"])
    return render(
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
        is_sensitive=is_sensitive(run.settings),
        tasks=task_parts(run, evidence, source),
        task_rows=of_result(result),
        task_notes=[note for note in (aggregate_sentence(result), not_adopted(result)) if note],
        correlations=result["test"].get("correlations", []) if result["test"] else [],
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
        tables=None if run.settings.task_names else label_tables(run, source),
        in_orders=any(each.has_both_orders for each in tasks_of(run.settings)),
        sureness=confidence_section(run.directory),
        audits=audit_sections(run, evidence),
        votes=votes_section(run),
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
