"""Tables of the preset mt-rl beside the published Tables 2 and 3 of MT-RL-Judge."""

from collections.abc import Iterator, Mapping, Sequence

from evals.experiment_settings import MtRlSettings
from evals.markdown_cells import escaped, table_line
from evals.mt_rl_cells import dollars, row_name
from evals.published import MJ_BENCH, MJ_BENCH_SETS, MT_RL, MT_RL_TASKS
from evals.table import TableRow
from evals.table_comparisons import comparison_tables
from evals.transfer import TransferRow

_NOTE = (
    "Published: as printed by Wu et al. (arXiv 2603.11665), with Qwen3-VL-30B-A3B-Instruct and the paper's own rows of"
    " the datasets, spread not known; not measured here. The trained judges (SFT, RL) saw all train rows."
)


def mt_rl_tables(settings: MtRlSettings, rows: Sequence[TableRow], transfer: Sequence[TransferRow]) -> str:
    """Return both tables in percent, our rows first with their dollars, and how to read them; and what still waits.

    With a trained judge, the tests between our rows stand between the tables.
    """
    tasks = list(dict.fromkeys(task.task for row in rows for task in row.by_task))
    foreign = not set(tasks) <= set(MT_RL_TASKS)
    ours = {
        row_name(settings, row): [*_cells(tasks if foreign else MT_RL_TASKS, _means(row)), *dollars(settings, row)]
        for row in rows
        if row.by_task
    }
    parts = ["## The six tasks, beside Table 2 of MT-RL-Judge", "Macro F1 in percent, mean over seeds."]
    parts.append(_table([*(tasks if foreign else MT_RL_TASKS), *_COSTS], ours, {} if foreign else MT_RL))
    if foreign:
        parts += ["Other datasets than the paper's. The paper's numbers:", _table(MT_RL_TASKS, {}, MT_RL)]
    parts += comparison_tables(settings, rows)
    pairs: dict[str, dict[str, float]] = {}
    for row in transfer:
        pairs.setdefault(row_name(settings, row), {}).update({} if row.mean is None else {row.dataset: row.mean})
    parts.append("## Pairs of MJ-Bench, beside Table 3 of MT-RL-Judge")
    if transfer:
        parts.append(_transfer_words(transfer))
    parts.append(_table(MJ_BENCH_SETS, {name: _cells(MJ_BENCH_SETS, each) for name, each in pairs.items()}, MJ_BENCH))
    parts += [f"- {escaped(row.title)}, {row.dataset}: {escaped(each)}" for row in transfer for each in row.reasons]
    parts += [f"- {line}" for line in _waiting(settings, tasks, transfer)]
    return "\n\n".join([*parts, _NOTE])


_COSTS = ("US $ search and test", "US $ training")


def _waiting(settings: MtRlSettings, tasks: Sequence[str], transfer: Sequence[TransferRow]) -> Iterator[str]:
    """Yield a line for all rows and columns that wait for something."""
    if not settings.trained:
        yield (
            "The rows *trained* and *trained + BLPO* wait for a trained judge: train one (docs/training.md), serve it,"
            " and add it to `judges` and to `mt_rl.trained` with the dollars of its training."
        )
    if missing := [name for name in MT_RL_TASKS if name not in tasks]:
        yield f"Columns that wait for `blpo data prepare` (evals/README.md): {', '.join(missing)}."
    if missing_sets := [name for name in MJ_BENCH_SETS if name not in {row.dataset for row in transfer}]:
        yield f"Sets of MJ-Bench that wait for `blpo data prepare`: {', '.join(missing_sets)}."


def _transfer_words(transfer: Sequence[TransferRow]) -> str:
    pairs = max(row.pairs // max(row.seeds, 1) for row in transfer)
    return (
        "Accuracy in percent, mean over seeds, each pair in both orders: the selected prompt judges pairs as it is, and"
        " was not learned on pairs; no optimization: the default prompt for pairs."
        f" At most {pairs} pairs of a set; calls on top of the budget."
    )


def _means(row: TableRow) -> dict[str, float]:
    return {task.task: task.mean for task in row.by_task}


def _cells(names: Sequence[str], values: Mapping[str, float]) -> list[str]:
    return [f"{100 * values[name]:.2f}" if name in values else "" for name in names]


def _table(names: Sequence[str], ours: Mapping[str, Sequence[str]], published: Mapping[str, Sequence[float]]) -> str:
    lines = [table_line(["", *names]), table_line(["---", *["---:"] * len(names)])]
    lines += [table_line([title, *cells]) for title, cells in ours.items()]
    for title, numbers in published.items():
        empty = [""] * (len(names) - len(numbers))
        lines.append(table_line([f"published: {title}", *(f"{n:.2f}" for n in numbers), *empty]))
    return "\n".join(lines)
