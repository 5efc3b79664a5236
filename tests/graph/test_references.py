"""Whole runs with references: the run directory, and its judge at work on new images."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

import blpo
from blpo.cli.main import main
from blpo.runs.judge_file import read_judge_file
from state.errors import DataError
from tests.small_set import draw_dataset, edit_labels

SEARCH = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = draw_dataset(tmp_path / "set")
    reference = sorted((folder / "images").iterdir())[0].name
    further = {"original": f"images/{reference}", "answer": "a calm image"}
    edit_labels(folder, lambda rows: [row.update(further) for row in rows])
    return folder


def config(dataset: Path, directory: Path, reference: str = "both") -> dict[str, Any]:
    return {
        "data": {"path": str(dataset), "reference": "original", "reference_text": "answer"},
        "prompts": {"reference": reference},
        "search": SEARCH,
        "run": {"dir": str(directory)},
    }


@pytest.mark.parametrize("reference", ["both", "verbalizer"])
async def test_a_run_and_its_judge(
    dataset: Path, tmp_path: Path, reference: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run, settings = tmp_path / "run", tmp_path / "config.yaml"
    settings.write_text(yaml.safe_dump(config(dataset, run, reference)))
    await blpo.optimize(settings)
    judge = read_judge_file(run)
    shown = reference == "both"
    assert judge.further_columns == (("reference", "reference_text") if shown else ())
    assert judge.settings.prompts.reference == reference
    columns = blpo.InputColumns(reference="original", reference_text="answer")
    whole = await blpo.judge_set(run, [settings], out=tmp_path / "config.jsonl")
    table = await blpo.judge_set(run, [dataset], columns=columns, out=tmp_path / "table.jsonl")
    assert whole["statuses"] == table["statuses"] == {"ok": 30}
    lines = [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()]
    same = [json.loads(line) for line in (tmp_path / "config.jsonl").read_text().splitlines()]
    assert [line["verdict"] for line in lines] == [line["verdict"] for line in same]
    assert sum(line["usage"]["input_tokens"] for line in lines) == sum(line["usage"]["input_tokens"] for line in same)
    if not shown:
        await blpo.judge_set(run, [dataset / "images"])
        return
    with pytest.raises(DataError, match=r"labels.csv: has no column 'reference'.*--reference-column"):
        await blpo.judge_set(run, [dataset])
    with pytest.raises(DataError, match="holds images alone, and the judge of this run also sees reference and"):
        await blpo.judge_set(run, [dataset / "images"])
    await blpo.report(run)
    page = (run / "report.html").read_text()
    assert "a calm image" in page and ">reference</b>" in page


def test_new_images_on_stdin(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from io import StringIO

    path = tmp_path / "judge.yaml"
    judge = blpo.load_judge(_written(path))
    assert judge.file.further_columns == ("reference",)
    image = str(sorted((dataset / "images").iterdir())[0])
    rows = [{"image": image, "reference": image}, {"image": image}]
    monkeypatch.setattr("sys.stdin", StringIO("".join(json.dumps(row) + "\n" for row in rows)))
    assert main(["judge", str(path), "-", "--out", str(tmp_path / "out.jsonl")]) == 1
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["status"] for line in lines] == ["ok", "error"]
    assert 'has no "reference" with the path of an image' in lines[1]["reason"]


def _written(path: Path) -> Path:
    content = {
        "judge_prompt": "Rate it.",
        "task": {"kind": "ordinal"},
        "model": {"name": "embedded:judge"},
        "further_columns": ["reference"],
    }
    path.write_text(yaml.safe_dump(content))
    return path
