"""All verdicts of a run as a table: a row per sample of all splits, with the answers under both prompts."""

import csv
import io
from pathlib import Path
from typing import get_args

from blpo.reports.disagreements import require_verdicts
from blpo.reports.exports.spreadsheet_cells import spreadsheet_cell
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from blpo.storage.whole_files import write_whole
from state.verdict import Order

VERDICTS = Path("exports") / "verdicts.csv"
"""Place in the run directory."""
_COLUMNS = (
    "id",
    "split",
    "group",
    "label",
    "initial",
    "initial_status",
    "initial_reason",
    "best",
    "best_status",
    "best_reason",
    "change",
)
"""`initial` and `best` are the labels by the judge; empty without an answer, and for a pair with two labels."""
_ORDERS = ("initial_ab", "initial_ba", "best_ab", "best_ba")
"""Further columns for pairs: the labels by order."""

_SPLITS = ("test", "validation", "train")


def write_verdicts_csv(run: RunRecord, path: Path) -> int:
    """Write the table, the test split first, and return the number of rows. Raises `RunError` without verdicts."""
    require_verdicts(run)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    has_orders = any(row.orders and not row.is_compared for row in run.best.values())
    names = run.settings.task_names
    columns = (_COLUMNS[0], "task", *_COLUMNS[1:]) if names else _COLUMNS
    writer.writerow((*columns, *_ORDERS) if has_orders else columns)
    rows = sorted(run.best.values(), key=lambda row: (_SPLITS.index(row.split), row.id))
    for row in rows:
        cells = _cells(run, row) + (_labels_by_order(run, row) if has_orders else [])
        if names:
            cells.insert(1, row.id.partition("/")[0])
        writer.writerow([spreadsheet_cell(cell) for cell in cells])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue(), durable=False)  # can be made again at no cost
    return len(rows)


def fresh_verdicts(run: RunRecord) -> str:
    """Return the address of the table beside the page of the run; empty for no table and for an older table."""
    try:
        is_fresh = (run.directory / VERDICTS).stat().st_mtime_ns >= (run.directory / "result.json").stat().st_mtime_ns
    except OSError:
        return ""
    return VERDICTS.as_posix() if is_fresh else ""


def _cells(run: RunRecord, best: VerdictRow) -> list[object]:
    initial = run.initial[best.id]
    return [
        best.id,
        best.split,
        best.group,
        best.label,
        *(cell for row in (initial, best) for cell in (row.answer, row.status, row.reason)),
        run.change(best.id),
    ]


def _labels_by_order(run: RunRecord, best: VerdictRow) -> list[object]:
    """Return the cells of `_ORDERS`; empty texts for orders without an answer."""
    orders = [{each.order: each.label for each in row.orders} for row in (run.initial[best.id], best)]
    return [labels.get(order) for labels in orders for order in get_args(Order)]
