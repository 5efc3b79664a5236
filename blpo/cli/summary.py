"""Summary at the end of a run: changed prompt, agreement, reason of the stop, cost."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.cli.usage_table import usage_table
from blpo.prompts.diff import prompt_diff
from blpo.reports.agreement_rows import LABEL_COLUMNS, label_rows, split_rows, undefined_notes
from blpo.reports.label_source import LabelSource
from blpo.reports.run_page import REPORT
from blpo.reports.slice_rows import slice_lines
from blpo.runs.ceiling_sentence import ceiling_notes, ceiling_of
from blpo.runs.end_words import spent, stopped
from blpo.runs.verdict_sentence import judge_prompts, verdict
from blpo.runs.wording import duration, figure, in_groups, plain, single_line
from state.result import Result, SplitMetrics

_FILES = {
    "judge.yaml": "the best judge, for blpo judge",
    REPORT: "the same to look at, with every disagreement",
    "result.json": "all numbers and prompts",
    "rounds/": "prompts, errors and trials of each round",
}


def print_summary(result: Result, directory: str, source: LabelSource) -> None:
    """Print the result of a run on stdout; `directory` is the run directory as the user types it."""
    console = Console(highlight=False)
    for line in _diff(result):
        console.print(line, soft_wrap=True)
    _print_metrics(console, result, source)
    console.print()
    in_file = not console.is_terminal  # for text search in files: whole sentences
    _print_outcome(console, result, in_file=in_file)
    console.print()
    console.print(usage_table(result["calls"]))
    if calls := spent(result):
        console.print(f"Calls: {calls}.", markup=False, soft_wrap=in_file)
    console.print()
    for name, content in _FILES.items():
        if name == REPORT and not (Path(directory) / name).exists():
            continue
        console.print(Text(f"{plain(directory)}/{name}", "cyan").append(f"  {content}", "default"), soft_wrap=True)


def _print_outcome(console: Console, result: Result, *, in_file: bool) -> None:
    """Print the verdict, the reason of the stop, advice, slices, warnings and the origin."""
    console.print(Text(verdict(result), "bold"), soft_wrap=in_file)
    console.print(f"Stopped after {duration(result['seconds'])}: {stopped(result)}.", markup=False, soft_wrap=in_file)
    if "advice" in result:
        console.print(single_line(result["advice"]), markup=False, soft_wrap=in_file)
    if (ceiling := ceiling_of(result["test"])) is not None:
        console.print(" ".join(ceiling_notes(ceiling)), markup=False, soft_wrap=in_file)
    for each in slice_lines(result):
        console.print(single_line(each), markup=False, soft_wrap=True)
    for sentence in result.get("warnings", []):
        console.print(Text(f"Warning: {single_line(sentence)}", "yellow"), soft_wrap=in_file)
    for sentence in origin(result):
        console.print(sentence, markup=False, soft_wrap=True)


def _print_metrics(console: Console, result: Result, source: LabelSource) -> None:
    split = result["test"] or result["validation"]
    if split is None:
        return
    console.print()
    name = "test" if result["test"] else "validation (which took part in the selection)"
    console.print(agreement_table(name, split, result["metric"], source, result.get("positive")))
    if (labels := label_table(split)) is not None:
        console.print(labels)
    for note in undefined_notes(split["initial"], split["best"]):
        console.print(note, markup=False)


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
) -> Table:
    """Return initial against best: a row per metric over the answered samples, and the coverage."""
    best = measured["best"]
    title = f"Agreement with {source.name} on {split}, {in_groups(best['n'], measured.get('groups'))}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in ("initial", "best", "change"):
        table.add_column(name, justify="right")
    for row in split_rows(measured, metric, positive):
        table.add_row(row.name, figure(row.before), figure(row.after), row.change)
    return table


def label_table(measured: SplitMetrics) -> Table | None:
    """Return the metrics of every label, initial -> best, over the answered samples; None without such metrics."""
    rows = label_rows(measured["initial"], measured["best"])
    if not rows:
        return None
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("label", overflow="fold")
    for name in LABEL_COLUMNS:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(single_line(row.label)), *row.cells)
    return table


def _diff(result: Result) -> list[Text]:
    """Return the coloured changes from the initial to the best prompt; one line for equal prompts."""
    return coloured(prompt_diff(*judge_prompts(result), "judge.md"))


def coloured(diff: str) -> list[Text]:
    """Return the lines of a unified diff without control characters."""
    return [Text(plain(line), _style(line)) for line in diff.splitlines()]


def _style(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
