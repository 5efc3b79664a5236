"""Tables of the preset mt-rl beside the published Tables 2 and 3 of MT-RL-Judge."""

from collections.abc import Mapping, Sequence

from evals.markdown_cells import escaped, table_line
from evals.published import MJ_BENCH, MJ_BENCH_SETS, MT_RL, MT_RL_TASKS
from evals.table import TableRow
from evals.transfer import TransferRow

_NOTE = (
    "Published: as printed by Wu et al. (arXiv 2603.11665), with Qwen3-VL-30B-A3B-Instruct and the paper's own rows of"
    " the datasets, spread not known; not measured here. The trained judges (SFT, RL) saw all train rows."
)


def mt_rl_tables(rows: Sequence[TableRow], transfer: Sequence[TransferRow]) -> str:
    """Return both tables in percent, our rows first, and how to read them."""
    ours = {_name(row.title, row.judge): {task.task: task.mean for task in row.by_task} for row in rows if row.by_task}
    parts = ["## The six tasks, beside Table 2 of MT-RL-Judge", "Macro F1 in percent, mean over seeds."]
    parts.append(_table(MT_RL_TASKS, ours, MT_RL))
    pairs: dict[str, dict[str, float]] = {}
    for row in transfer:
        pairs.setdefault(_name(row.title, row.judge), {}).update({} if row.mean is None else {row.dataset: row.mean})
    if transfer:
        parts += ["## Pairs of MJ-Bench, beside Table 3 of MT-RL-Judge", _transfer_words(transfer)]
        parts.append(_table(MJ_BENCH_SETS, pairs, MJ_BENCH))
        parts += [f"- {escaped(row.title)}, {row.dataset}: {escaped(each)}" for row in transfer for each in row.reasons]
    return "\n\n".join([*parts, _NOTE])


def _transfer_words(transfer: Sequence[TransferRow]) -> str:
    pairs = max(row.pairs // max(row.seeds, 1) for row in transfer)
    return (
        "Accuracy in percent, mean over seeds, each pair in both orders: the selected prompt judges pairs as it is, and"
        " was not learned on pairs; no optimization: the default prompt for pairs."
        f" At most {pairs} pairs of a set; calls on top of the budget."
    )


def _table(
    names: Sequence[str], ours: Mapping[str, Mapping[str, float]], published: Mapping[str, Sequence[float]]
) -> str:
    lines = [table_line(["", *names]), table_line(["---", *["---:"] * len(names)])]
    for title, values in ours.items():
        lines.append(table_line([title, *(f"{100 * values[name]:.2f}" if name in values else "" for name in names)]))
    lines += [
        table_line([f"published: {title}", *(f"{n:.2f}" for n in numbers)]) for title, numbers in published.items()
    ]
    return "\n".join(lines)


def _name(title: str, judge: str) -> str:
    return escaped(f"{title}, {judge}")
