"""A second judge decides about samples whose verdict is not trusted."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.deployment.cascade_replay import cascade, cascade_row
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import inputs_of, samples_of
from blpo.deployment.table_input import InputColumns
from blpo.deployment.verdict_lines import read_line
from blpo.runs.judge_file import JudgeFile
from blpo.runs.judge_tasks import JudgeTask
from state.settings import ModelSettings, TaskSettings
from tests.small_set import draw_dataset, edit_labels

FIRST = "Rate the image from 1 to 5.\nStart from a rating of 5.\nLower the rating strongly when noise is above 90."
SECOND = "Rate the image from 1 to 5.\nStart from a rating of 2.\nRaise the rating when brightness is above 120."


def judge_file(prompt: str, dollars: float, **changes: Any) -> JudgeFile:
    price = {"input": dollars, "output": 2 * dollars}
    model = ModelSettings.model_validate({"name": "embedded:judge", "confidence": "words", "price": price})
    return JudgeFile(**{"judge_prompt": prompt, "task": TaskSettings(), "model": model, **changes})


def rows_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with two judges, labelled samples `old` for the calibration, and `new` samples."""
    place = tmp_path_factory.mktemp("escalation")
    draw_dataset(place / "old", 50)
    draw_dataset(place / "new", 20)
    lines = place / "old.jsonl"
    asyncio.run(blpo.judge_set(blpo.Judge(judge_file(FIRST, 1)), place / "old" / "images", out=lines))
    labels = [str(row["verdict"]) if row["confidence"] >= 0.8 else "1" for row in rows_of(lines)]
    edit_labels(place / "old", lambda rows: [row.update(label=label) for row, label in zip(rows, labels, strict=True)])
    (place / "first.yaml").write_text(judge_file(FIRST, 1).dump())
    (place / "second.yaml").write_text(judge_file(SECOND, 10).dump())
    return place


@pytest.fixture(scope="module")
def live(place: Path) -> blpo.Summary:
    """Summary of `new` under both judges, with the lines in lines.jsonl; the second judge comes to finished lines."""

    def judged(escalate: Path | None) -> blpo.Summary:
        trust: Any = {"calibrate_on": place / "old", "target_agreement": 0.9, "escalate": escalate}
        return asyncio.run(blpo.judge_set(place / "first.yaml", place / "new", out=place / "lines.jsonl", **trust))

    alone, both = judged(None), judged(place / "second.yaml")
    assert "escalation" not in alone
    assert both["calls"]["issued"] == alone["calls"]["issued"]
    return both


def command(place: Path, out: str, *options: str) -> list[str]:
    trust = ["--calibrate-on", str(place / "old"), "--target-agreement", "0.9"]
    return ["judge", str(place / "first.yaml"), str(place / "new"), *trust, "--out", str(place / out), *options]


def test_the_second_judge_decides_where_the_first_is_not_trusted(place: Path, live: blpo.Summary) -> None:
    rows = rows_of(place / "lines.jsonl")
    escalated = [row for row in rows if not row["trusted"]]
    assert 0 < len(escalated) < 20
    assert [row for row in rows if row.get("escalated")] == escalated == [row for row in rows if "first" in row]
    images = sorted((place / "new" / "images").iterdir())
    verdicts = asyncio.run(blpo.load_judge(place / "second.yaml")(images))
    labels = {image.name: verdict.label for image, verdict in zip(images, verdicts, strict=True)}
    for row in escalated:
        assert row["verdict"] == labels[Path(row["image"]).name]
        assert row["judge"] != row["first"]["judge"]
        assert row["usage"]["usd"] > row["first"]["usage"]["usd"] > 0
        assert "confidence" in row["first"] and "confidence" not in row
    second = live["escalation"]
    assert live["trust"]["trusted"] == 20 - len(escalated)
    assert (second["escalated"], second["calls"]["issued"]) == (len(escalated), len(escalated))
    first = [row.get("first", row)["usage"]["usd"] for row in rows]
    assert sum(row["usage"]["usd"] for row in rows) - sum(first) == pytest.approx(second["calls"]["usd"])
    assert live["judge"]["prompt"] == rows[0].get("first", rows[0])["judge"]["prompt"]
    for row in rows:
        item = read_line(json.dumps(row), TaskSettings())
        assert (item.first is not None) == row.get("escalated", False)


def test_the_work_goes_on_and_is_paid_once(place: Path, live: blpo.Summary, capsys: pytest.CaptureFixture[str]) -> None:
    escalating = command(place, "lines.jsonl", "--escalate", str(place / "second.yaml"), "--json")
    text = (place / "lines.jsonl").read_text()
    (place / "lines.jsonl").write_text("".join(text.splitlines(keepends=True)[:7]))
    assert main(escalating) == 0
    printed, err = capsys.readouterr()
    again = json.loads(printed)
    assert (place / "lines.jsonl").read_text() == text
    assert again["calls"]["issued"] == live["calls"]["issued"]
    assert again["escalation"]["calls"]["issued"] == live["escalation"]["calls"]["issued"]
    escalated = live["escalation"]["escalated"]
    assert f"escalated to embedded:judge: {escalated} of 20 samples, for {escalated} calls" in err
    plain = command(place, "lines.jsonl")
    assert main(plain) == 2
    assert "was begun with a second judge; give --escalate" in capsys.readouterr().err
    (place / "third.yaml").write_text(judge_file(SECOND + " Look twice.", 10).dump())
    assert main([*plain, "--escalate", str(place / "third.yaml")]) == 2
    assert "was begun with another judge" in capsys.readouterr().err


def test_a_second_judge_that_does_not_fit_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "scale.yaml").write_text(judge_file(SECOND, 1, task=TaskSettings(max=7)).dump())
    (place / "columns.yaml").write_text(judge_file(SECOND, 1, further_columns=("reference",)).dump())
    several = (JudgeTask(name="realism", task=TaskSettings(), label="realism", images=1),)
    (place / "several.yaml").write_text(judge_file(SECOND, 1, tasks=several).dump())
    refused = {
        "scale": "the second judge has another scale of labels than the first",
        "columns": "the second judge has other columns than the first",
        "several": "the second judge has other tasks than the first",
        "first": "the second judge is the first",
        "gone": "does not exist",
    }
    for name, message in refused.items():
        assert main(command(place, "none.jsonl", "--escalate", str(place / f"{name}.yaml"))) == 2
        assert message in capsys.readouterr().err
    options = ["judge", str(place / "first.yaml"), str(place / "new"), "--escalate", str(place / "second.yaml")]
    assert main(options) == 2
    assert "--escalate asks about verdicts that are not trusted; give --target-agreement" in capsys.readouterr().err
    assert not (place / "none.jsonl").exists()


def test_the_replayed_cost_is_the_live_cost(place: Path, live: blpo.Summary) -> None:
    alone = []
    for name in ("first", "second"):
        out = place / f"{name}.jsonl"
        asyncio.run(blpo.judge_set(with_confidence(place / f"{name}.yaml", name == "first"), place / "new", out=out))
        samples = samples_of(
            inputs_of([str(place / "new")], InputColumns(), InputLabels(TaskSettings(), required=False))
        )
        lines = out.read_text().splitlines()
        alone.append([read_line(line, TaskSettings()).judged(s) for line, s in zip(lines, samples, strict=True)])
    row = cascade_row(alone[0], alone[1], live["trust"]["threshold"])
    rows = rows_of(place / "lines.jsonl")
    assert row["usd"] == pytest.approx(sum(line["usage"]["usd"] for line in rows))
    assert row["escalated"] == live["escalation"]["escalated"] > 0
    assert row["coverage"] == live["trust"]["coverage"]
    assert row["agreement_of_both"] == pytest.approx(agreement(live))
    table = cascade(*alone)
    assert row in table
    assert [each["escalated"] for each in table] == sorted(each["escalated"] for each in table)
    assert (table[0]["escalated"], table[-1]["escalated"], table[-1]["agreement"]) == (0, 20, None)
    assert cascade([], []) == []


def agreement(summary: blpo.Summary) -> object:
    assert summary["metrics"] is not None
    return summary["metrics"]["strict"]["accuracy"]


def with_confidence(file: Path, is_first: bool) -> blpo.Judge:
    judge = blpo.load_judge(file)
    model = judge.file.model.model_copy(update={"confidence": "words" if is_first else None})
    return blpo.Judge(judge.file.model_copy(update={"model": model}))
