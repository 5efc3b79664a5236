"""What a person reads at the end of a run: what changed, whether it is better, why it stopped, what it cost."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from blpo.cli.paths import short_path
from blpo.cli.usage_table import usage_table
from blpo.prompts.diff import prompt_diff
from blpo.reports.agreement_rows import agreement_rows
from blpo.reports.outcome import prompts, verdict
from blpo.reports.run_page import REPORT
from blpo.reports.wording import STOP_REASONS, counted, duration, one_line, plain
from state.result import Result, SplitMetrics

FILES = {
    "judge.yaml": "the best judge, for blpo judge",
    REPORT: "the same to look at, with every disagreement",
    "result.json": "all numbers and prompts",
    "rounds/": "prompts, errors and trials of each round",
}


def print_summary(result: Result, directory: str) -> None:
    """Print the result of a run on stdout; `directory` is the run directory as the user should type it."""
    console = Console(highlight=False)
    for line in _diff(result):
        console.print(line, soft_wrap=True)
    split = result["test"] or result["validation"]
    if split is not None:
        console.print()
        console.print(
            agreement_table("test" if result["test"] else "validation (which selects)", split, result["metric"])
        )
    console.print()
    in_file = not console.is_terminal  # where lines are searched, not read: whole sentences
    console.print(Text(verdict(result), "bold"), soft_wrap=in_file)
    stopped = STOP_REASONS.get(result["stop_reason"], result["stop_reason"])
    console.print(f"Stopped after {duration(result['seconds'])}: {one_line(stopped)}.", markup=False, soft_wrap=in_file)
    for told in origin(result):
        console.print(told, markup=False, soft_wrap=True)
    console.print()
    console.print(usage_table(result["calls"]))
    console.print()
    for name, content in FILES.items():
        if name == REPORT and not (Path(directory) / name).exists():
            continue
        console.print(Text(f"{plain(directory)}/{name}", "cyan").append(f"  {content}", "default"), soft_wrap=True)


def origin(result: Result) -> list[str]:
    """Where the run comes from, a line each."""
    lineage, told = result.get("lineage", {}), []
    if (forked := lineage.get("fork")) is not None:
        changed = ", ".join(forked["changed"]) or "nothing"
        told.append(f"Forked from {short_path(forked['run'])} at round {forked['round']}; changed: {changed}.")
    if (labels := lineage.get("labels")) is not None:
        counts = f"train {labels['train']}, validation {labels['validation']}, test {labels['test']}"
        told.append(f"Labels as corrected in {short_path(labels['file'])}: {counts}.")
        if labels["test"]:
            told.append("The test is not untouched: its labels were corrected after a judge's verdicts had been seen.")
    return [one_line(line) for line in told]


def agreement_table(split: str, measured: SplitMetrics, metric: str) -> Table:
    """Initial against best: one row a metric over the answered samples, and how many were answered."""
    initial, best = measured["initial"], measured["best"]
    title = f"Agreement with people on {split}, {counted(best['n'], 'sample')}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in ("initial", "best", "change"):
        table.add_column(name, justify="right")
    for row in agreement_rows((initial, best), metric):
        table.add_row(row.name, *_cells(row.before, row.after))
    return table


def _cells(before: float, after: float) -> tuple[str, str, str]:
    return f"{before:z.3f}", f"{after:z.3f}", f"{after - before:+.3f}" if after != before else "="


def _diff(result: Result) -> list[Text]:
    """The best prompt against the initial one, coloured; a line to say so where they are equal."""
    return coloured(prompt_diff(*prompts(result), "judge.md"))


def coloured(diff: str) -> list[Text]:
    """The lines of a unified diff, safe to show."""
    return [Text(plain(line), _style(line)) for line in diff.splitlines()]


def _style(line: str) -> str:
    if line.startswith(("---", "+++")):
        return "bold"
    return {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
