"""Table of an experiment as Markdown: setup, numbers, missing cells, and how to read the numbers."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from evals.experiment_settings import EvalSettings
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


def markdown(
    evals: EvalSettings,
    rows: Sequence[TableRow],
    charged: Mapping[str, float | None],
    spent: Mapping[str, float | None],
) -> str:
    """Return the whole page."""
    parts = [f"# Methods under an equal budget{f' ({evals.preset})' if evals.preset else ''}", _setup(evals)]
    for (dataset, judge), group in groupby(rows, key=lambda row: (row.dataset, row.judge)):
        parts += [f"## {_plain(dataset)}, judge {_plain(judge)}", _table(list(group))]
    if reasons := list(_reasons(rows)):
        parts += ["## What is missing", "\n".join(reasons)]
    parts += ["## How to read it", _reading(evals, rows, charged, spent)]
    return "\n\n".join(parts) + "\n"


def budget_in_words(budget: LimitSettings) -> str:
    """Return the limits in words: `800 calls`, `2,000,000 tokens and 5 US dollars`, or `no limit`."""
    limits = [("calls", budget.calls), ("tokens", budget.tokens), ("US dollars", budget.usd)]
    return " and ".join(f"{limit:,g} {name}" for name, limit in limits if limit is not None) or "no limit"


def is_offline(evals: EvalSettings) -> bool:
    """True if all judges are embedded models."""
    return all(judge.models.judge.name.startswith("embedded:") for judge in evals.judges)


def _setup(evals: EvalSettings) -> str:
    judges = [
        f"- judge {_plain(judge.name)}: {judge.models.judge.name}; verbalizer {judge.models.of('verbalizer').name};"
        f" optimizer {judge.models.of('optimizer').name}"
        for judge in evals.judges
    ]
    search = evals.search
    lines = [
        f"- budget of a cell: {budget_in_words(evals.budget)}",
        f"- seeds: {', '.join(map(str, evals.seeds))}",
        *judges,
        f"- search: preset {search.preset}, {search.outer_rounds} rounds, {search.inner_steps} inner steps,"
        f" {search.error_batch} errors and {search.anchors} anchors a batch; metric {search.metric}",
    ]
    return "\n".join(lines)


_HEAD = (
    "method", "mean", "sd", "seeds", "samples", "accuracy", "coverage", "calls", "tokens", "US $", "rounds",
    "BLPO better by", "p", "p (Holm)", "paper's F1", "paper's accuracy",
)  # fmt: skip


def _table(rows: Sequence[TableRow]) -> str:
    varied = any(row.varied for row in rows)
    paper = any(row.paper for row in rows)
    head = [name for name in _HEAD if paper or not name.startswith("paper's")]
    if varied:
        head.insert(1, "varied")
    lines = [_line(head), _line(["---", *(["---"] if varied else []), *["---:"] * (len(head) - 1 - varied)])]
    for row in rows:
        cells = [_plain(row.title), *([_plain(row.varied)] if varied else []), *_numbers(row)]
        lines.append(_line(cells[: len(head)]))
    return f"Metric: {rows[0].metric} on the test split, mean over seeds.\n\n" + "\n".join(lines)


def _numbers(row: TableRow) -> list[str]:
    test, paper = row.test, row.paper
    return [
        _number(row.mean, 3),
        _number(row.sd, 3),
        f"{row.seeds}/{row.asked}",
        str(row.samples),
        _number(row.accuracy, 3),
        _number(row.coverage, 3),
        _number(row.calls, 0),
        _number(row.tokens, 0),
        "?" if row.usd is None and row.seeds else _number(row.usd, 2),
        _number(row.rounds, 1),
        f"{test.difference:+.3f}" if test else "",
        _p(test.p_value) if test else "",
        _p(test.p_holm) if test else "",
        f"{paper.f1:.2f}" if paper else "",
        f"{paper.accuracy:.2f}" if paper and paper.accuracy is not None else "",
    ]


def _reasons(rows: Sequence[TableRow]) -> Iterable[str]:
    for row in rows:
        where = ", ".join(filter(None, (row.title, row.dataset, row.judge, row.varied)))
        yield from (f"- {_plain(where)}: {_plain(reason)}" for reason in row.reasons)


def _reading(
    evals: EvalSettings,
    rows: Sequence[TableRow],
    charged: Mapping[str, float | None],
    spent: Mapping[str, float | None],
) -> str:
    tests = sum(row.test is not None for row in rows)
    lines = [
        _OFFLINE if is_offline(evals) else _SERVED,
        "mean: the metric of the prompt that validation selected, on the untouched test split, failures to answer"
        " counted as wrong; sd: over seeds (n - 1). A seed draws its own batches, and its own splits where the data"
        " names none; samples: test verdicts of all seeds together.",
        "calls, tokens, US $: what a cell is charged in the mean, that is all its distinct requests, also those that"
        f" another cell had asked before. {_bound(evals.budget, rows)}",
        "A cell that used less had come to another end first (`stopped` in table.json), or kept the initial prompt,"
        " which is tested once, or had too little left for another step beside its test.",
        f"All cells together were charged {_cost(charged)}; really spent, since cells share answers: {_cost(spent)}.",
    ]
    if tests:
        lines.append(
            "BLPO better by: mean over the seeds that both have of BLPO's metric minus the method's, over samples"
            " answered under both (so it may differ from the difference of the means); p: two-sided paired permutation"
            f" test, the same sample swapped in all seeds together; Holm: corrected over the {tests} tests of this page"
            f" ({_SIGNIFICANT} is the usual bound)."
        )
    if any(row.paper for row in rows):
        lines.append(
            "paper's F1, accuracy: as reported by Pan et al. (arXiv 2602.11340) for one run each, with o3 as the"
            " optimizer, on its own samples of the dataset; not measured here."
        )
    return "\n".join(f"- {line}" for line in lines)


def _bound(budget: LimitSettings, rows: Sequence[TableRow]) -> str:
    """Return the bound of a cell in words. The tokens and dollars of a call are known only after the call."""
    loose = (
        " (of tokens and dollars: by more than its calls in flight)"
        if (budget.tokens, budget.usd) != (None, None)
        else ""
    )
    most = max(row.most_calls for row in rows)
    return f"No cell may use more than {budget_in_words(budget)}{loose}; the most that any used are {most:,} calls."


def _cost(cost: Mapping[str, float | None]) -> str:
    usd = "an unknown sum" if cost["usd"] is None else f"{cost['usd']:,.2f} US dollars"
    return f"{cost['calls'] or 0:,.0f} calls, {cost['tokens'] or 0:,.0f} tokens and {usd}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Escape a text for a Markdown table: names and messages come from configurations and servers."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
