"""Disagreements as CSV; people change the labels and give the file back to `blpo disagreements --correct`."""

import csv
from collections.abc import Sequence
from typing import TextIO

from blpo.reports.disagreements import Disagreement, disagreement_rows
from blpo.reports.exports.spreadsheet_cells import spreadsheet_cell

_COLUMNS = (
    "id",
    "label",
    "confirmed",
    "verdict",
    "split",
    "confidence",
    "distance",
    "steady",
    "reason",
    "image",
    "note",
)
"""`confirmed` and `note` are empty: people write yes beside a label that is right, and may write a note."""


def write_csv(stream: TextIO, disagreements: Sequence[Disagreement]) -> None:
    """Write a header and a row per disagreement. A reason that begins like a formula gets an apostrophe in front."""
    tasks = ("task",) if any(each.task for each in disagreements) else ()
    writer = csv.DictWriter(stream, (*_COLUMNS, *tasks), lineterminator="\n")
    writer.writeheader()
    for row in disagreement_rows(disagreements):
        verdict = row.pop("answer")
        reason = spreadsheet_cell(row["reason"])
        writer.writerow({**row, "verdict": verdict, "reason": reason, "confirmed": "", "note": ""})
