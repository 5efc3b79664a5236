"""How to read the table of an experiment, in words."""

from collections.abc import Mapping, Sequence

from evals.experiment_settings import EvalSettings
from evals.methods import METHODS
from evals.table import TableRow
from state.settings import LimitSettings

_SIGNIFICANT = 0.05
_OFFLINE = (
    "These judges are embedded models: small programs that look at measured attributes of an image. The table shows"
    " that the methods are implemented, and how they compare under one equal budget with the same optimizer. It does"
    " not show how multimodal LLMs behave."
)
_SERVED = (
    "The table compares implementations of the methods in this project, under one equal budget, with these models, on"
    " these samples. Other models, prompts and budgets may give another order."
)
_RULE = (
    "rule: how a method selects its prompt among its rounds, adopts a proposal, and draws its batch (errors + right"
    " verdicts). Every method has the rule and the batch by which it is at its best (docs/methods.md)."
)
_READINGS = "strict / answered: refused and unreadable answers counted as wrong / left out."
_TEST = (
    "BLPO better by: mean over the seeds that both have of BLPO's metric minus the method's, refused and unreadable"
    " answers as wrong. 95 % interval and p (two-sided): Student's t, paired by seed and by sample, with a variance"
    " between seeds and a variance between samples (two-way; whole groups of samples). So other seeds and other"
    " samples are meant. Holm: corrected over the {tests} of a dataset and judge ({level} is the usual bound)."
)
_PAIRS = (
    "Pairs are tested as the method asks: in both orders, in one order, or by two ratings (equal ratings are half"
    " right). consistent accuracy: right in both orders, or by two different ratings; share of first: 0.5 without a"
    " lean to a position."
)
_TASKS = (
    "Several tasks: above chance is the mean over tasks of (metric - chance) / (1 - chance), with the metric of each"
    " task. A run a task: runs with the samples, splits and frame of the run for all tasks; they share one budget in"
    " equal parts, and their calls are summed. In the table by task, BLPO better by is about the task's own metric, and"
    " Holm corrects over the tasks of all methods."
)
_PAPER = (
    "paper's F1, accuracy: as printed by Pan et al. (arXiv 2602.11340), spread not known, with o3 as the optimizer and"
    " its own samples of the dataset; not measured here. ?: the paper has the result, and the number is not known here."
)


def reading_notes(
    evals: EvalSettings,
    rows: Sequence[TableRow],
    charged: Mapping[str, float | None],
    spent: Mapping[str, float | None],
) -> str:
    """Return the explanation of the columns as a list."""
    lines = [
        _OFFLINE if is_offline(evals) else _SERVED,
        _RULE,
        "The metric is that of the prompt that the method selected, on the untouched test split, failures to answer"
        f" counted as wrong; sd: over seeds (n - 1). {_spread(rows)} samples: test verdicts of all seeds together.",
        *([_READINGS] if any(row.macro_f1 for row in rows) else []),
        "calls, tokens, US $: what a cell is charged in the mean, that is all its distinct requests, also those that"
        f" another cell had asked before. {_bound(evals, rows)}",
        "A cell that used less had come to another end first (`stopped` in table.json), or kept the initial prompt,"
        " which is tested once, or had too little left for another step beside its test.",
        f"All cells together were charged {_cost(charged)}; really spent, since cells share answers: {_cost(spent)}.",
    ]
    if tests := sum(row.test is not None for row in rows):
        most = max(sum(other.test is not None for other in rows if _place(other) == _place(row)) for row in rows)
        lines.append(_TEST.format(tests=f"{most} tests" if tests > 1 else "one test", level=_SIGNIFICANT))
    if few := [row for row in rows if row.test is not None and row.test.seeds == 1]:
        lines.append(
            f"{len(few)} of the tests have a single seed: their intervals hold for this run alone, because a single run"
            " shows no spread between runs."
        )
    if left_out := sum(row.test.left_out for row in rows if row.test is not None):
        lines.append(f"{left_out} pairs of verdicts are left out of the tests, because a call ended in an error.")
    if missing := [METHODS[name] for name in METHODS if not METHODS[name].is_installed and name not in evals.methods]:
        lines += [f"{method.title} is not compared: it {method.missing}." for method in missing]
    if any(row.first_rate is not None for row in rows):
        lines.append(_PAIRS)
    if any(row.by_task for row in rows):
        lines.append(_TASKS)
    if any(row.paper for row in rows):
        lines.append(_PAPER)
    return "\n".join(f"- {line}" for line in lines)


def budget_in_words(evals: EvalSettings) -> str:
    """Return the limits in words: `800 calls`, `2,000,000 tokens and 5 US dollars`, or `no limit`."""
    budget = evals.budget
    test = " for the search, and the test on top" if evals.test == "on_top" else ""
    if evals.grid.calls:
        *others, last = (f"{calls:,}" for calls in evals.grid.calls)
        calls = f"{', '.join(others)} or {last} calls" if others else f"{last} calls"
        budget = budget.model_copy(update={"calls": None})
        return " and ".join(filter(None, (calls, _limits_in_words(budget)))) + test
    limits = _limits_in_words(budget)
    return f"{limits}{test}" if limits else "no limit"


def is_offline(evals: EvalSettings) -> bool:
    """True if all judges are embedded models."""
    return all(judge.models.judge.name.startswith("embedded:") for judge in evals.judges)


def _limits_in_words(budget: LimitSettings) -> str:
    limits = [("calls", budget.calls), ("tokens", budget.tokens), ("US dollars", budget.usd)]
    return " and ".join(f"{limit:,g} {name}" for name, limit in limits if limit is not None)


def _place(row: TableRow) -> tuple[str, str]:
    return row.dataset, row.judge


def _spread(rows: Sequence[TableRow]) -> str:
    """Return the sources of the spread in words."""
    if any("splits" in row.spread for row in rows):
        return "A seed draws its own splits, and its own batches: sd over splits and search is the spread of both."
    return "All seeds have the same test split: sd over search is the spread of the searches alone."


def _bound(evals: EvalSettings, rows: Sequence[TableRow]) -> str:
    """Return the bound of a cell in words. The tokens and dollars of a call are known only after the call."""
    budget = evals.budget
    loose = (
        " (of tokens and dollars: by more than its calls in flight)"
        if (budget.tokens, budget.usd) != (None, None)
        else ""
    )
    most = max(row.most_calls for row in rows)
    return f"No cell may use more than {budget_in_words(evals)}{loose}; the most that any used are {most:,} calls."


def _cost(cost: Mapping[str, float | None]) -> str:
    usd = "an unknown sum" if cost["usd"] is None else f"{cost['usd']:,.2f} US dollars"
    return f"{cost['calls'] or 0:,.0f} calls, {cost['tokens'] or 0:,.0f} tokens and {usd}"
