"""All verdicts of a run as a table for spreadsheets."""

import asyncio
import csv
import json
import os
from pathlib import Path

import pytest

import blpo
from blpo.cli.main import main
from blpo.reports.exports.spreadsheet_cells import spreadsheet_cell
from blpo.runs.run_record import RunRecord
from tests.made_run import draw_images, make_run

LABELS = ["=good", "-poor"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Run with labels and reasons that look like formulas, refusals, and a group."""
    draw_images(tmp_path / "set", [LABELS[i % 2] for i in range(40)], 8)
    path = make_run(
        tmp_path / "set",
        {"kind": "categorical", "labels": LABELS},
        ["first", "second"],
        before=lambda i, sample: LABELS[0],
        after=lambda i, sample: None if i % 9 == 0 else sample.label,
    )
    file = path / "verdicts" / "best.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    rows[1] |= {"reason": '=HYPERLINK("http://example.org", "a")', "group": "@scene"}
    rows[2] |= {"reason": 'two lines,\n"quoted" 😀'}
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_table_holds_every_verdict_of_both_prompts(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run), "--to", "csv"]) == 0
    assert capsys.readouterr().out.strip().endswith("run/exports/verdicts.csv")
    rows, record = table(run / "exports" / "verdicts.csv"), RunRecord.read(run)
    assert {row["id"] for row in rows} == set(record.best) and len(rows) == 40
    assert [row["split"] for row in rows] == ["test"] * 20 + ["validation"] * 10 + ["train"] * 10
    for row in rows:
        best, initial = record.best[row["id"]], record.initial[row["id"]]
        assert row["label"] == f"'{best.label}" and row["initial"] == f"'{initial.answer}"
        assert row["best"] == ("" if best.answer is None else f"'{best.answer}")
        assert (row["best_status"], row["change"]) == (best.status, record.change(row["id"]))
    reasons = {row["best_reason"] for row in rows}
    assert '\'=HYPERLINK("http://example.org", "a")' in reasons and 'two lines,\n"quoted" 😀' in reasons
    assert {row["group"] for row in rows} == {"", "'@scene"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "－1"])
def test_a_text_that_looks_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert spreadsheet_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["good", "a = b", "", 3, -3, -0.5, None])
def test_other_cells_stay(value: object) -> None:
    assert spreadsheet_cell(value) is value


def test_the_report_links_a_table_beside_it(run: Path) -> None:
    link = '<a href="exports/verdicts.csv" download>'
    assert link not in asyncio.run(blpo.report(run)).read_text(encoding="utf-8")
    assert main(["export", str(run), "--to", "csv"]) == 0
    assert link in asyncio.run(blpo.report(run)).read_text(encoding="utf-8")
    os.utime(run / "exports" / "verdicts.csv", (0, 0))  # older than the result
    assert link not in asyncio.run(blpo.report(run)).read_text(encoding="utf-8")


def test_the_table_is_written_to_another_place(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", "csv", "--out", str(tmp_path)]) == 0
    assert main(["export", str(run), "--to", "csv", "--out", str(tmp_path / "all.csv")]) == 0
    assert (tmp_path / "verdicts.csv").read_bytes() == (tmp_path / "all.csv").read_bytes()


def test_a_run_without_verdicts_is_told_in_a_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(run / "judge.yaml"), "--to", "csv"]) == 2
    (run / "verdicts" / "best.jsonl").unlink()
    assert main(["export", str(run), "--to", "csv"]) == 2
    assert "has no verdicts yet" in capsys.readouterr().err
