"""`blpo.judge_set`: all of `blpo judge`, called from Python."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError, DataError, RunError
from state.settings import ModelSettings, TaskSettings
from state.verdict import Verdict
from tests.small_set import draw_dataset, edit_labels

PROMPT = "Rate the image from 1 to 5.\nStart from a rating of 5.\nLower the rating strongly when noise is above 90."


@pytest.fixture
def judge(tmp_path: Path) -> blpo.Judge:
    model = ModelSettings(name="embedded:judge", max_concurrency=2)
    file = JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=model)
    (tmp_path / "judge.yaml").write_text(file.dump())
    return blpo.load_judge(tmp_path / "judge.yaml")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return draw_dataset(tmp_path / "set")


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_the_summary_is_what_the_command_prints(
    judge: blpo.Judge, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts: list[Verdict] = []
    gates = ["accuracy>=0.01, coverage>=1", "mae<=4", "accuracy>1.01"]
    summary = await blpo.judge_set(
        judge, dataset, out=tmp_path / "python.jsonl", gates=gates, on_verdict=verdicts.append
    )
    command = ["judge", str(tmp_path / "judge.yaml"), str(dataset), "--out", str(tmp_path / "cli.jsonl"), "--json"]
    options = [word for gate in gates for word in ("--gate", gate)]
    assert await asyncio.to_thread(main, [*command, *options]) == 3
    assert json.loads(capsys.readouterr().out) == summary == json.loads(json.dumps(summary))
    assert (tmp_path / "cli.jsonl").read_bytes() == (tmp_path / "python.jsonl").read_bytes()
    assert [verdict.label for verdict in verdicts] == [row["verdict"] for row in lines_of(tmp_path / "cli.jsonl")]
    assert summary["judged"] == 30 and summary["statuses"] == {"ok": 30} and summary["calls"]["issued"] == 30
    assert [gate["kept"] for gate in summary["gates"]] == [True, True, True, False]
    assert summary["metrics"] is not None
    assert summary["gates"][0]["value"] == pytest.approx(summary["metrics"]["accuracy"])


async def test_a_stopped_call_goes_on_and_pays_for_nothing_twice(
    judge: blpo.Judge, dataset: Path, tmp_path: Path
) -> None:
    out, images = tmp_path / "out.jsonl", dataset / "images"
    whole = await blpo.judge_set(judge, images, out=tmp_path / "whole.jsonl")
    for number in (3, 11):
        verdicts: list[Verdict] = []

        def stop(verdict: Verdict, number: int = number, verdicts: list[Verdict] = verdicts) -> None:
            verdicts.append(verdict)
            if len(verdicts) == number:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await blpo.judge_set(judge, images, out=out, on_verdict=stop)
        assert len(lines_of(out)) == number
    resumed = await blpo.judge_set(tmp_path / "judge.yaml", [images], out=str(out))
    assert {**resumed, "calls": None} == {**whole, "calls": None}
    assert resumed["calls"]["issued"] <= 30 + 2 * 2  # at most the calls in flight are repeated
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    with closing(sqlite3.connect(tmp_path / "out.jsonl.judging" / "responses.sqlite")) as store:
        keys = [key for (key,) in store.execute("SELECT key FROM calls WHERE outcome = 'ok'")]
    assert len(keys) == len(set(keys)) == 30
    with pytest.raises(RunError, match="give the inputs of the first command"):
        await blpo.judge_set(judge, images / "003.png", out=out)


async def test_shares_are_corrected_by_a_calibration(judge: blpo.Judge, dataset: Path, tmp_path: Path) -> None:
    await blpo.judge_set(judge, dataset, out=tmp_path / "out.jsonl")
    rows = [{**row, "label": row["verdict"]} for row in lines_of(tmp_path / "out.jsonl")]
    (tmp_path / "known.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    summary = await blpo.judge_set(judge, dataset / "images", calibration=tmp_path / "known.jsonl")
    shares = summary["shares"]
    assert shares is not None and shares["undefined"] is None and shares["labelled"] == 30
    assert summary["metrics"] is None
    for share in shares["shares"]:  # a judge that was always right
        assert share["corrected"] == pytest.approx(share["judged"], abs=1e-9)
        low, high = share["interval"] or (0.0, 0.0)
        assert low <= share["judged"] <= high


async def test_groups_widen_the_intervals_and_stand_in_the_lines(
    judge: blpo.Judge, dataset: Path, tmp_path: Path
) -> None:
    edit_labels(dataset, lambda rows: [row.update(group=f"g{number // 10}") for number, row in enumerate(rows)])
    await blpo.judge_set(judge, dataset, out=tmp_path / "out.jsonl")
    rows = [{**row, "label": row["verdict"]} for row in lines_of(tmp_path / "out.jsonl")]
    assert [row["group"] for row in rows] == [f"g{number // 10}" for number in range(30)]
    widths = []
    for name, keys in (("grouped", {}), ("single", {"group": None})):
        (tmp_path / name).write_text("".join(json.dumps({**row, **keys}) + "\n" for row in rows))
        shares = (await blpo.judge_set(judge, dataset / "images", calibration=tmp_path / name))["shares"]
        assert shares is not None and shares["labelled"] == 30
        ends = [share["interval"] or [0.0, 0.0] for share in shares["shares"]]
        widths.append(sum(high - low for low, high in ends))
    assert widths[0] > widths[1]


async def test_a_broken_image_is_counted_and_bad_arguments_are_refused_before_a_call(
    judge: blpo.Judge, dataset: Path, tmp_path: Path
) -> None:
    (dataset / "images" / "002.png").write_bytes(b"no image")
    summary = await blpo.judge_set(judge, [dataset / "images" / "00*.png", tmp_path / "set" / "images" / "011.png"])
    assert summary["statuses"] == {"ok": 10, "error": 1}
    out = tmp_path / "out.jsonl"
    with pytest.raises(DataError, match="gates need labels"):
        await blpo.judge_set(judge, dataset / "images", out=out, gates=["accuracy>0"])
    with pytest.raises(ConfigError, match="did you mean 'macro_f1'"):
        await blpo.judge_set(judge, dataset, out=out, gates=["macrof1>0"])
    with pytest.raises(DataError, match="did you mean 'image'"):
        await blpo.judge_set(judge, dataset, out=out, columns=blpo.InputColumns(images=("imge",)))
    with pytest.raises(ConfigError, match="only a config has splits"):
        await blpo.judge_set(judge, dataset, out=out, split="test")
    assert not out.exists() and not out.with_name("out.jsonl.judging").exists()


async def test_a_split_of_a_config_is_an_input(judge: blpo.Judge, dataset: Path) -> None:
    parts = [
        await blpo.judge_set(judge, dataset / "config.yaml", split=name) for name in ("train", "validation", "test")
    ]
    assert sum(part["judged"] for part in parts) == 30
    assert all(part["metrics"] is not None and part["metrics"]["n"] == part["judged"] for part in parts)
