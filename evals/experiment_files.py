"""Files of a finished experiment: table.md, table.csv, table.json."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from blpo.storage.response_store import ResponseStore
from blpo.storage.whole_files import write_whole
from evals.cell_results import CellResult
from evals.experiment_settings import EvalSettings
from evals.shared_models import STORE
from evals.table import TableRow
from evals.table_text import markdown
from evals.transfer import TransferRow

TABLE_FORMAT = 1


async def write_outputs(
    out: Path,
    evals: EvalSettings,
    rows: Sequence[TableRow],
    cells: Sequence[CellResult],
    transfer: Sequence[TransferRow] = (),
) -> dict[str, Any]:
    """Write the three files, and return the content of table.json; raises `StoreError` if a write fails."""
    charged, spent = _charged(cells), await really_spent(out)
    content = {
        "format": TABLE_FORMAT,
        "experiment": evals.model_dump(mode="json"),
        "charged": charged,
        "spent": spent,
        "rows": [asdict(row) for row in rows],
        "cells": [asdict(cell) for cell in cells],
        **({"transfer": [asdict(row) for row in transfer]} if transfer else {}),
    }
    texts = {
        "table.json": json.dumps(content, indent=1, ensure_ascii=False) + "\n",
        "table.csv": _csv(rows),
        "table.md": markdown(evals, rows, charged, spent, transfer),
    }
    for name, text in texts.items():
        write_whole(out / name, text, durable=False)  # can be made again from the runs at no cost
    return content


async def really_spent(out: Path) -> dict[str, float | None]:
    """Return calls, tokens and dollars really spent on models, over all cells and all starts of the experiment."""
    if not (out / STORE).exists():
        return {"calls": 0, "tokens": 0, "usd": 0.0}
    store = await ResponseStore.open(out / STORE)
    try:
        counts = (await store.usage()).values()
    finally:
        await store.close()
    unpriced = any(each.unpriced for each in counts)
    return {
        "calls": sum(each.issued for each in counts),
        "tokens": sum(each.input_tokens + each.output_tokens for each in counts),
        "usd": None if unpriced else round(sum(each.usd for each in counts), 6),
    }


def _charged(cells: Sequence[CellResult]) -> dict[str, float | None]:
    costs = [cell.usd for cell in cells]
    return {
        "calls": sum(cell.calls for cell in cells),
        "tokens": sum(cell.tokens for cell in cells),
        "usd": None if None in costs else round(sum(cost or 0.0 for cost in costs), 6),
    }


def _csv(rows: Sequence[TableRow]) -> str:
    """Return one line a row; nested records are flattened (`test.p_value`)."""
    flat = [_flat(asdict(row)) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


_TEST = ("difference", "interval", "p_value", "p_holm", "seeds", "samples", "groups", "left_out")
_NESTED = {
    "test": _TEST,
    "macro_f1": ("strict", "answered"),
    "positive_f1": ("strict", "answered"),
    "paper": ("f1", "accuracy"),
}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if name in _NESTED:
            flat.update({f"{name}.{inner}": _text((value or {}).get(inner)) for inner in _NESTED[name]})
        elif name == "by_task":
            columns = ("metric", "mean", "sd", "above_chance", "initial", "samples")
            flat.update({f"{task['task']}.{inner}": _text(task[inner]) for task in value for inner in columns})
        elif name == "against":
            flat.update(_flat_tests(value))
        else:
            flat[name] = _text(value)
    return flat


def _flat_tests(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tests against other rows: `against none qwen.p_value`, by task `against none qwen, AGIN.p_value`."""
    tests: dict[str, Mapping[str, Any]] = {}
    for other in comparisons:
        name = f"against {other['method']} {other['judge']}"
        tests |= {name: other["test"]} | {f"{name}, {task}": test for task, test in other["by_task"].items()}
    return {f"{name}.{inner}": _text(test[inner]) for name, test in tests.items() for inner in _TEST}


def _text(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, tuple) else value
