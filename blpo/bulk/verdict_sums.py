"""Sums over verdicts in Parquet files, for the summary: the rows themselves are counted, whoever wrote them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow
import pyarrow.compute
from pydantic import TypeAdapter

from blpo.bulk.out_folder import OutFolder
from blpo.bulk.parts import Part
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.task_judging import TaskJudging
from blpo.deployment.verdict_lines import JudgedSample, Usage
from blpo.runs.judge_file import JudgeFile
from state.sample import Sample
from state.verdict import OrderedVerdict, Verdict, Vote

_KEY = ("task", "status", "verdict", "label", "rating", "confidence", "orders", "votes", "model_version")
_ORDERS = TypeAdapter(tuple[OrderedVerdict, ...])
_VOTES = TypeAdapter(tuple[Vote, ...])
_NO_USAGE = Usage(input_tokens=0, output_tokens=0, usd=None)


def add_verdicts(out: OutFolder, parts: Iterable[Part], file: JudgeFile, works: Mapping[str, TaskJudging]) -> Usage:
    """Count the verdicts of finished parts in the judgings of their tasks; return the tokens and dollars of all."""
    total = Usage(input_tokens=0, output_tokens=0, usd=0.0)
    for part in parts:
        table = out.read(part, (*_KEY, "usage"))
        total = _sum(total, table.column("usage"))
        for item, times in _items(table, JudgeIdentity.of(file)):
            work = works[item.sample.task]
            work.counts.add(item, times)
            if work.file.model.confidence is not None:
                for _ in range(times):
                    work.confidences.add(item)
    return total


def _sum(total: Usage, column: pyarrow.ChunkedArray) -> Usage:
    """Add a column of usages; dollars are None if those of a row are not known."""
    usd = pyarrow.compute.struct_field(column, "usd")
    tokens = [pyarrow.compute.struct_field(column, name) for name in ("input_tokens", "output_tokens")]
    inputs, outputs = (pyarrow.compute.sum(each).as_py() or 0 for each in tokens)
    is_known = total["usd"] is not None and not usd.null_count
    return Usage(
        input_tokens=total["input_tokens"] + inputs,
        output_tokens=total["output_tokens"] + outputs,
        usd=(total["usd"] or 0.0) + (pyarrow.compute.sum(usd).as_py() or 0.0) if is_known else None,
    )


def _items(table: pyarrow.Table, judge: JudgeIdentity) -> Iterator[tuple[JudgedSample, int]]:
    """Yield samples as far as the numbers need them, each with the number of equal rows."""
    columns = [
        table.column(name).to_pylist() if name in table.column_names else [None] * table.num_rows for name in _KEY
    ]
    for values, times in Counter(zip(*columns, strict=True)).items():
        yield _item(dict(zip(_KEY, values, strict=True)), judge), times


def _item(row: Mapping[str, Any], judge: JudgeIdentity) -> JudgedSample:
    orders = _ORDERS.validate_json(row["orders"]) if row["orders"] else ()
    votes = _VOTES.validate_json(row["votes"]) if row["votes"] else ()
    sample = Sample("", (), row["label"], rating=row["rating"], task=row["task"] or "")
    verdict = Verdict("", row["status"], row["verdict"], orders=orders, votes=votes)
    identity = JudgeIdentity(judge.prompt, judge.model, row["model_version"] or "")
    return JudgedSample(sample, verdict, _NO_USAGE, identity, row["confidence"])
