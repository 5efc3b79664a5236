"""What a person reads at the end of a run: what changed, whether it is better, why it stopped, what it cost."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.usage import usage_table
from cli.wording import METRICS, duration, metric_name, one_line, plain, probability, short_path
from prompts.diff import prompt_diff
from state.result import Result, SplitMetrics, TestMetrics

SIGNIFICANT = 0.05

STOP_REASONS = {
    "rounds": "all rounds were done (search.outer_rounds)",
    "no_errors": "the train split holds no wrong verdict any more",
    "patience": "the validation metric rose no further (search.patience)",
    "budget": "the budget was spent (limits)",
}

FILES = {
    "judge.yaml": "the best judge, for blpo judge",
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
        console.print(Text(f"{plain(directory)}/{name}", "cyan").append(f"  {content}", "default"), soft_wrap=True)


def verdict(result: Result) -> str:
    """One sentence: whether the best prompt is better on the test split, or why that is not known."""
    test, metric = result["test"], result["metric"]
    if test is None:
        return f"Not tested: {_why_not_tested(result)}."
    before, after = test["initial"]["strict"][metric], test["best"]["strict"][metric]  # type: ignore[literal-required]
    where = f"on {test['best']['n']} untouched samples"
    initial, best = prompts(result)
    if initial == best:
        return f"The initial prompt stays: no other was selected ({metric_name(metric)} {after:.3f} {where})."
    numbers = f"{metric_name(metric)} {before:.3f} -> {after:.3f} {where}"
    if test["p_value"] >= SIGNIFICANT:
        return f"No improvement could be shown: {numbers} ({_evidence(test, after - before)})."
    return f"{'Better' if after > before else 'Worse'}: {numbers} ({_evidence(test, after - before)})."


def origin(result: Result) -> list[str]:
    """Where the run comes from, a line each."""
    forked = result.get("lineage", {}).get("fork")
    if forked is None:
        return []
    changed = ", ".join(forked["changed"]) or "nothing"
    return [one_line(f"Forked from {short_path(forked['run'])} at round {forked['round']}; changed: {changed}.")]


def agreement_table(split: str, measured: SplitMetrics, metric: str) -> Table:
    """Initial against best: one row a metric over the answered samples, and how many were answered."""
    initial, best = measured["initial"], measured["best"]
    title = f"Agreement with people on {split}, {best['n']} samples"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in ("initial", "best", "change"):
        table.add_column(name, justify="right")
    for key, name in METRICS.items():
        if key in initial:
            table.add_row(name, *_cells(initial[key], best[key]))  # type: ignore[literal-required]
    if min(initial["coverage"], best["coverage"]) < 1:
        strict = (initial["strict"][metric], best["strict"][metric])  # type: ignore[literal-required]
        table.add_row(f"{metric_name(metric)}, failures as wrong", *_cells(*strict))
    table.add_row("coverage", *_cells(initial["coverage"], best["coverage"]))
    table.add_row("majority baseline (accuracy)", *_cells(initial["majority_baseline"], best["majority_baseline"]))
    return table


def prompts(result: Result) -> tuple[str, str]:
    """The initial and the best judge prompt; both empty where no round was judged."""
    rounds = result["rounds"]
    return (rounds[0]["judge_prompt"], rounds[result["best_round"]]["judge_prompt"]) if rounds else ("", "")


def _cells(before: float, after: float) -> tuple[str, str, str]:
    return f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}" if after != before else "="


def _evidence(test: TestMetrics, difference: float) -> str:
    low, high = test["difference_ci95"]
    shared = min(test["initial"]["coverage"], test["best"]["coverage"]) < 1
    note = "; interval and p over samples answered under both prompts" if shared else ""
    interval = f"95 % interval {low:+.3f} to {high:+.3f}"
    return f"difference {difference:+.3f}, {interval}, {probability(test['p_value'])}{note}"


def _why_not_tested(result: Result) -> str:
    if result["status"] in ("interrupted", "failed"):
        return "the test split is judged once, at the end of the search"
    return "what limits left did not suffice to judge the test split under both prompts"


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
