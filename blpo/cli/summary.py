"""Short summary at the end of a run: changed prompt, main numbers, verdict, cost. The report has the rest."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.cli.usage_table import usage_table
from blpo.prompts.diff import prompt_diff
from blpo.reports.agreement_rows import main_rows, undefined_notes
from blpo.reports.label_source import LabelSource
from blpo.reports.run_page import REPORT
from blpo.reports.slice_rows import slice_lines
from blpo.reports.task_rows import TaskRow, task_rows
from blpo.runs.end_words import stopped
from blpo.runs.lean_sentence import lean_sentences
from blpo.runs.panel_sentence import panel_sentence
from blpo.runs.task_sentence import aggregate_sentence, not_adopted
from blpo.runs.verdict_sentence import judge_prompts, verdict
from blpo.runs.wording import counted, duration, figure, in_groups, plain, single_line
from state.metrics import SplitMetrics
from state.result import Result

_MOST_LINES = 8
"""Lines of the changed prompt. Further lines are counted."""
_FILES = {
    REPORT: "all metrics, every label, and the disagreements",
    "judge.yaml": "the selected judge, for blpo judge",
}


def print_summary(result: Result, directory: str, source: LabelSource) -> None:
    """Print the result of a run on stdout; `directory` is the run directory as the user types it."""
    console = Console(highlight=False)
    _print_changes(console, result)
    _print_metrics(console, result, source)
    console.print()
    in_file = not console.is_terminal  # for text search in files: whole sentences
    _print_outcome(console, result, in_file=in_file)
    console.print()
    console.print(usage_table(result["calls"]))
    console.print()
    for name, content in _FILES.items():
        if (Path(directory) / name).exists() or name != REPORT:
            path = Text(f"{plain(directory)}/{name:{max(map(len, _FILES))}}", "cyan")
            console.print(path.append(f"  {content}", "default"), soft_wrap=True)


def _print_changes(console: Console, result: Result) -> None:
    """Print the first changed lines of the judge prompt."""
    lines = coloured(prompt_diff(*judge_prompts(result), ""))[3:]  # without the heads of the diff
    print_changes(console, lines[:_MOST_LINES])
    if (more := len(lines) - _MOST_LINES) > 0:
        console.print(f"... and {counted(more, 'more line')}; judge.yaml holds the whole prompt", style="dim")


def _print_outcome(console: Console, result: Result, *, in_file: bool) -> None:
    """Print the verdict, a lean to a position, the reason of the stop, advice, slices, warnings and the origin."""
    console.print(Text(verdict(result), "bold"), soft_wrap=in_file)
    stop = f"Stopped after {duration(result['seconds'])}: {stopped(result)}."
    advice = (aggregate_sentence(result), not_adopted(result), result.get("advice", ""))
    for sentence in [panel_sentence(result), *lean_sentences(result), stop, *advice, *slice_lines(result)]:
        if sentence:
            console.print(single_line(sentence), markup=False, soft_wrap=in_file)
    for sentence in result.get("warnings", []):
        console.print(Text(f"Warning: {single_line(sentence)}", "yellow"), soft_wrap=in_file)
    for sentence in origin(result):
        console.print(sentence, markup=False, soft_wrap=in_file)


def _print_metrics(console: Console, result: Result, source: LabelSource) -> None:
    split = result["test"] or result["validation"]
    if split is None:
        return
    console.print()
    name = "test" if result["test"] else "validation (which took part in the selection)"
    if rows := task_rows(split):
        console.print(task_table(name, split, rows, source))
        return
    metric, positive = result["metric"], result.get("positive")
    console.print(agreement_table(name, split, metric, source, positive))
    for note in undefined_notes(split["initial"], split["best"], metric, positive, is_short=True):
        console.print(note, markup=False, soft_wrap=not console.is_terminal)


def origin(result: Result) -> list[str]:
    """Return lines on the origin of the run: a fork, corrected labels."""
    lineage, lines = result.get("lineage", {}), []
    if (forked := lineage.get("fork")) is not None:
        changes = ", ".join(forked["changed"]) or "nothing"
        lines.append(f"Forked from {short_path(forked['run'])} at round {forked['round']}; changed: {changes}.")
    if (labels := lineage.get("labels")) is not None:
        counts = f"train {labels['train']}, validation {labels['validation']}, test {labels['test']}"
        lines.append(f"Labels as corrected in {short_path(labels['file'])}: {counts}.")
        if labels["test"]:
            lines.append("The test is not untouched: its labels were corrected after a judge's verdicts had been seen.")
    return [single_line(line) for line in lines]


def agreement_table(
    split: str, measured: SplitMetrics, metric: str, source: LabelSource, positive: str | None = None
) -> Group:
    """Return the main numbers: a row per metric, under the first and under the selected prompt."""
    size = in_groups(measured["best"]["n"], measured.get("groups"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    for name in ("first", "selected", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in main_rows(measured, metric, positive):
        table.add_row(Text(row.name), figure(row.before), figure(row.after), row.change)
    return Group(Text(f"Agreement with {source.name} on {split}, {size}"), table)


def task_table(split: str, measured: SplitMetrics, rows: Sequence[TaskRow], source: LabelSource) -> Group:
    """Return a row per task: metric, values under the first and under the selected prompt, chance and p."""
    size = in_groups(measured["best"]["n"], measured.get("groups"))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("task", overflow="fold")
    table.add_column("metric", overflow="fold")
    for name in ("first", "selected", "change", "chance", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.name), Text(row.metric), *row.cells, style="" if row.metric else "bold")
    answered = measured["best"]["coverage"]
    coverage = f", coverage {answered:.1%}" if answered < 1 else ""
    return Group(Text(f"Agreement with {source.name} on {split}, {size}{coverage}"), table)


def print_changes(console: Console, lines: Sequence[Text]) -> None:
    """Print lines of a diff. A terminal shows a long line in several rows, broken between words."""
    if not console.is_terminal:
        for line in lines:
            console.print(line, soft_wrap=True)
        return
    rows = Table.grid()
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for line in lines:
        rows.add_row(line[:1], line[1:])
    console.print(rows)


def coloured(diff: str) -> list[Text]:
    """Return the lines of a unified diff without control characters."""
    return [Text(plain(line), _style(line)) for line in diff.splitlines()]


def _style(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
