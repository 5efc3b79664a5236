"""`blpo judge ... --baseline`: what changed since an earlier judging."""

import json
from pathlib import Path

import pytest

import blpo
from blpo.cli.main import main
from blpo.deployment.baseline import Baseline
from blpo.deployment.verdict_lines import JudgedSample
from blpo.runs.judge_file import JudgeFile
from state.errors import DataError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings
from state.verdict import Verdict
from tests.small_set import draw_dataset

PROMPT = "Rate the image from 1 to 5.\nStart from a rating of 5.\nLower the rating strongly when noise is above 90."


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a set, its judge, and the judge's lines in old.jsonl."""
    place = tmp_path_factory.mktemp("baseline")
    draw_dataset(place / "set", 12)
    file = JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=ModelSettings(name="embedded:judge"))
    (place / "judge.yaml").write_text(file.dump())
    assert main(["judge", str(place / "judge.yaml"), str(place / "set"), "--quiet", "--out", f"{place}/old.jsonl"]) == 0
    return place


def test_lines_carry_the_identity_of_the_judge(place: Path) -> None:
    rows = [json.loads(line) for line in (place / "old.jsonl").read_text().splitlines()]
    assert all(row["judge"].keys() == {"prompt", "model", "version"} for row in rows)
    assert rows[0]["judge"]["model"] == "embedded:judge"
    assert len(rows[0]["judge"]["prompt"]) == 16


async def test_the_same_judge_has_no_drift(place: Path) -> None:
    summary = await blpo.judge_set(
        place / "judge.yaml", place / "set", baseline=place / "old.jsonl", gates=["drift:flips<=0, accuracy>=0"]
    )
    drift = summary["drift"]
    assert (drift["samples"], drift["flips"], drift["unmatched"], drift["changes"]) == (12, 0, 0, [])
    assert drift["agreement"] is not None and drift["agreement"]["p_value"] == 1.0
    assert drift["judges_before"] == drift["judges_after"]
    assert [gate["gate"] for gate in summary["gates"]] == ["accuracy>=0", "drift:flips<=0"]
    assert all(gate["kept"] for gate in summary["gates"])
    assert summary["judge"]["versions"] == {drift["judges_after"][0]["version"]: 12}


def test_a_changed_model_is_told_and_a_gate_ends_with_3(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in (place / "old.jsonl").read_text().splitlines()]
    for row in rows:
        row["judge"]["version"] = "older"
    for row in rows[:4]:
        row["verdict"] = 1 if row["verdict"] != 1 else 2
    del rows[11]
    old = place / "changed.jsonl"
    old.write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = ["judge", str(place / "judge.yaml"), str(place / "set"), "--out", str(place / "new.jsonl")]
    assert main([*command, "--baseline", str(old), "--gate", "drift:flips<=0.1"]) == 3
    err = capsys.readouterr().err
    assert "4 of 11 samples changed the label since the baseline: 36.4% (15.2% to 64.6%)" in err
    assert "not in the baseline: 1 sample of the inputs" in err
    assert "another version as served than in the baseline: older before" in err
    assert "gate drift:flips<=0.1 is missed: 0.3636" in err


def test_lines_of_other_samples_are_refused(place: Path, tmp_path: Path) -> None:
    baseline = Baseline(place / "old.jsonl", TaskSettings())
    usage = {"input_tokens": 0, "output_tokens": 0, "usd": None}
    with pytest.raises(DataError, match="s0 is of another image"):
        baseline.add(JudgedSample(Sample("s0", (), 3), Verdict("s0", "ok", 3), usage))  # type: ignore[arg-type]
    line = (place / "old.jsonl").read_text().splitlines()[0]
    (tmp_path / "twice.jsonl").write_text(f"{line}\n{line}\n")
    with pytest.raises(DataError, match=r"twice\.jsonl:2: s0 has a second line"):
        Baseline(tmp_path / "twice.jsonl", TaskSettings())


def test_lines_of_older_versions_are_a_baseline_too(place: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (place / "old.jsonl").read_text().splitlines()]
    for row in rows:
        del row["judge"]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    baseline = Baseline(tmp_path / "old.jsonl", TaskSettings())
    assert baseline.record(baseline.drift())["judges_before"] == []
