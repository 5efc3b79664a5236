"""Verdicts as rows of an Arrow table: the fields of a line of `blpo judge`, one type a column."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow

from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.verdict_lines import JudgedSample
from blpo.runs.judge_file import JudgeFile
from blpo.runs.verdict_rows import order_fields
from state.sample import Sample

Row = Mapping[str, Any]
"""Values of one sample by column."""

_SCORES = pyarrow.list_(pyarrow.struct([("label", pyarrow.string()), ("probability", pyarrow.float64())]))
_USAGE = pyarrow.struct(
    [("input_tokens", pyarrow.int64()), ("output_tokens", pyarrow.int64()), ("usd", pyarrow.float64())]
)
_NO_USAGE = {"input_tokens": 0, "output_tokens": 0, "usd": 0.0}


def verdict_schema(file: JudgeFile) -> pyarrow.Schema:
    """Return the columns of a judge's verdicts.

    `verdict` and `label` are integers for ratings, else texts. `reason` is the judge's, `error` is that of a sample
    without an answer; one of the two is null. `orders` and `votes` are JSON as in a line, null for other judges. A
    judge of several tasks has a `task`.
    """
    are_ratings = all(task.kind == "ordinal" for task in file.scales.values())
    label = pyarrow.int64() if are_ratings else pyarrow.string()
    text = pyarrow.string()
    columns = [
        ("id", text),
        *([("task", text)] if file.task_names else []),
        ("status", text),
        ("verdict", label),
        ("reason", text),
        ("error", text),
        ("scores", _SCORES),
        ("confidence", pyarrow.float64()),
        ("label", label),
        ("rating", pyarrow.float64()),
        ("orders", text),
        ("votes", text),
        ("usage", _USAGE),
        ("model_version", text),
    ]
    identity = JudgeIdentity.of(file)
    return pyarrow.schema(columns, {"blpo_prompt": identity.prompt, "blpo_model": identity.model})


def row_of(item: JudgedSample) -> Row:
    """Return the row of a judged sample."""
    verdict = item.verdict
    failed = verdict.status == "error"
    return {
        **_of_sample(item.sample),
        "status": verdict.status,
        "verdict": verdict.label,
        "reason": None if failed else verdict.reason,
        "error": verdict.reason if failed else None,
        "scores": [{"label": str(label), "probability": score} for label, score in verdict.scores] or None,
        "confidence": None if item.confidence is None else round(item.confidence, 6),
        "orders": _json(map(order_fields, verdict.orders)),
        "votes": _json(map(asdict, verdict.votes)),
        "usage": item.usage,
        "model_version": None if item.judge is None else item.judge.version or None,
    }


def error_row(sample: Sample, problem: str) -> Row:
    """Return the row of a sample without an answer, and with no cost."""
    return {**_of_sample(sample), "status": "error", "error": problem, "usage": _NO_USAGE}


def _of_sample(sample: Sample) -> Row:
    return {"id": sample.item, "task": sample.task, "label": sample.label, "rating": sample.rating}


def table_of(rows: Sequence[Row], schema: pyarrow.Schema) -> pyarrow.Table:
    """Return rows as a table; columns that a row lacks are null, and further values are left out."""
    columns = {field.name: [row.get(field.name) for row in rows] for field in schema}
    return pyarrow.table(columns, schema=schema)


def _json(values: Iterable[object]) -> str | None:
    return json.dumps(items, ensure_ascii=False) if (items := list(values)) else None
