"""A run in a few lines of text, and as a small table for notebooks."""

from blpo.metrics.readings import strict_reading
from blpo.reports.agreement_rows import split_rows
from blpo.reports.label_source import label_source
from blpo.reports.page import render_part
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import verdict
from blpo.runs.wording import figure, in_groups, metric_name, plain, single_line
from state.metrics import SplitMetrics
from state.result import Result


def run_text(run: RunRecord) -> str:
    """Return status, verdict and directory in lines; without a test also the metric on validation."""
    result = run.result_or_none
    directory = plain(str(run.directory))
    if result is None:
        return f"blpo run without a result; go on with it: blpo resume {directory}"
    lines = [f"blpo run, {run_status(result)}", single_line(verdict(result))]
    split, measured = _measured(result)
    if measured is not None and result["test"] is None:  # the verdict has the numbers of a test
        metric = result["metric"]
        before, after = (figure(strict_reading(measured[side], metric)) for side in ("initial", "best"))
        lines.append(f"{metric_name(metric)} on {split}: {before} -> {after}")
    lines += [f"Warning: {single_line(sentence)}" for sentence in result.get("warnings", [])]
    return "\n".join([*lines, directory])


def run_html(run: RunRecord) -> str:
    """Return a self-contained piece of HTML: verdict, agreement with the labels, status and directory."""
    result = run.result_or_none
    split, measured = _measured(result) if result else ("", None)
    return render_part(
        "run_summary.html",
        verdict=verdict(result) if result else "No result yet.",
        status=run_status(result) if result else "go on with blpo resume",
        split=split,
        source=label_source(run.settings),
        size=in_groups(measured["best"]["n"], measured.get("groups")) if measured else "",
        rows=split_rows(measured, result["metric"], run.settings.task.positive) if result and measured else [],
        directory=str(run.directory),
    )


def run_status(result: Result) -> str:
    """Return the status in words, with the reason of an incomplete run."""
    if result["status"] == "complete":
        return "complete"
    return f"{result['status']}: {single_line(result['stop_reason'])}"


def _measured(result: Result) -> tuple[str, SplitMetrics | None]:
    """Return the split with the numbers of the run, and the metrics; None for a run without a judged round."""
    if result["test"] is not None:
        return "test", result["test"]
    return "validation (which took part in the selection)", result["validation"]
