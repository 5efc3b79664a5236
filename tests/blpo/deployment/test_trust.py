"""Calibrated confidences and trusted verdicts of `blpo judge`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.deployment.trust import Trust, TrustTarget, learn, one_of_each_group
from blpo.deployment.verdict_lines import JudgedSample, line_of, read_line
from blpo.metrics.confidence import confidence_quality
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError, DataError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings
from state.verdict import Verdict
from tests.small_set import draw_dataset, edit_labels

PROMPT = "Rate the image from 1 to 5.\nStart from a rating of 5.\nLower the rating strongly when noise is above 90."
TASK = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
USAGE: Any = {"input_tokens": 5, "output_tokens": 2, "usd": 0.25}


def judged(
    name: str, confidence: float | None, *, right: bool = True, group: str | None = None, version: str = "1"
) -> JudgedSample:
    verdict = Verdict(name, "ok", "safe" if right else "unsafe")
    judge = JudgeIdentity("ab", "vllm:q", version)
    return JudgedSample(Sample(name, (), "safe", group=group), verdict, USAGE, judge, confidence)


def learned(size: int = 40, **changes: Any) -> Trust:
    items = [judged(str(n), 0.9 if n % 2 else 0.4, right=bool(n % 2), **changes) for n in range(2 * size)]
    return learn(items, "labels.csv", TrustTarget(0.9))


def test_sure_verdicts_are_trusted_and_others_are_not() -> None:
    trust = learned()
    assert trust.threshold is not None and trust.threshold.confidence == 0.9
    assert trust.mark(judged("a", 0.95)).trusted is True
    assert trust.mark(judged("a", 0.5)).trusted is False
    assert trust.mark(judged("a", None)).trusted is False
    assert trust.mark(judged("a", 0.95, version="2")).trusted is False  # another version was never measured
    assert trust.mark(judged("a", 0.95, version="")).trusted is True
    item = trust.mark(judged("a", 0.9))
    assert item.confidence == pytest.approx(trust.choice.map([0.9])[0])
    assert read_line(line_of(item), TASK).judged(item.sample) == item


def test_one_sample_of_a_group_counts() -> None:
    items = [judged(f"{n}", 0.9, group=f"g{n % 28}") for n in range(280)]
    assert len(one_of_each_group(items)) == 28
    assert one_of_each_group(items) == one_of_each_group(items[::-1])
    with pytest.raises(DataError, match=r"has 28 labelled samples, one a group, .* needs 29 without a wrong verdict"):
        learn(items, "labels.csv", TrustTarget(0.9))
    assert learn([*items, judged("x", 0.9)], "labels.csv", TrustTarget(0.9)).threshold is not None


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(DataError, match=r"no confidence shows an agreement of 0\.9 at delta 0\.05 on 60"):
        learn([judged(str(n), 0.9, right=n % 2 == 0) for n in range(60)], "labels.csv", TrustTarget(0.9))
    with pytest.raises(DataError, match="no labelled sample has a verdict with a confidence"):
        learn([judged("a", None)], "labels.csv", None)
    with pytest.raises(ConfigError, match="--target-agreement 90: must be above 0 and below 1"):
        TrustTarget(90)
    with pytest.raises(ConfigError, match="--delta 0: must be"):
        TrustTarget(0.9, 0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a judge, two sets of images (`old` is labelled for the calibration), and a run of the first."""
    place = tmp_path_factory.mktemp("trust")
    draw_dataset(place / "old", 50)
    draw_dataset(place / "new", 20)
    edit_labels(
        place / "old", lambda rows: [row.update(label="5" if n % 5 == 0 else "4") for n, row in enumerate(rows)]
    )
    file = JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=ModelSettings(name="embedded:judge"))
    (place / "judge.yaml").write_text(file.dump())
    return place


def command(place: Path, *options: str) -> list[str]:
    return ["judge", str(place / "judge.yaml"), str(place / "new"), "--confidence", "words", *options]


def test_lines_carry_confidence_and_trust_and_the_work_goes_on(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = place / "lines.jsonl"
    calibrated = command(place, "--calibrate-on", str(place / "old"), "--out", str(out))
    options = [*calibrated, "--target-agreement", "0.8", "--json"]
    assert main(options) == 0
    printed, err = capsys.readouterr()
    summary, text = json.loads(printed), out.read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert all(0 <= row["confidence"] <= 1 and row["trusted"] in (True, False) for row in rows)
    assert summary["trust"]["trusted"] == sum(row["trusted"] for row in rows)
    assert summary["trust"]["coverage"] == summary["trust"]["trusted"] / 20
    quality = confidence_quality([row["confidence"] for row in rows], [row["verdict"] == row["label"] for row in rows])
    assert quality is not None
    assert summary["confidence"]["quality"]["brier"] == pytest.approx(quality.brier, abs=1e-5)
    assert "trusted: " in err and "confidence by words: 20 of 20 samples" in err
    out.write_text("".join(text.splitlines(keepends=True)[:7]))
    assert main(options) == 0
    again = json.loads(capsys.readouterr().out)
    assert out.read_text() == text
    assert again["trust"] == summary["trust"]
    assert main(calibrated) == 2
    assert "was begun with another calibration of the confidences" in capsys.readouterr().err
    assert main([*options, "--confidence", "repeats"]) == 2
    assert "was begun with another judge" in capsys.readouterr().err


async def test_verdicts_are_the_same_with_and_without_a_confidence(place: Path) -> None:
    (place / "plain").mkdir()
    await blpo.judge_set(place / "judge.yaml", place / "new", out=place / "plain" / "lines.jsonl")
    content = JudgeFile.model_validate(blpo.load_judge(place / "judge.yaml").file)
    model = content.model.model_copy(update={"confidence": "repeats", "repeats": 3})
    judge = blpo.Judge(content.model_copy(update={"model": model}))
    summary = await blpo.judge_set(judge, place / "new", out=place / "repeated.jsonl")
    plain, repeated = (
        [json.loads(line) for line in file.read_text().splitlines()]
        for file in (place / "plain" / "lines.jsonl", place / "repeated.jsonl")
    )
    assert [row["verdict"] for row in plain] == [row["verdict"] for row in repeated]
    assert {row["confidence"] for row in repeated} == {1.0}  # the embedded judge repeats itself
    assert summary["calls"]["issued"] == 20 * 3
    assert summary["confidence"]["calibrated_on"] is None
    assert "confidence" not in plain[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target-agreement", "0.9"], "needs labelled samples; give --calibrate-on FILE"),
        (["--target-agreement", "0.95", "--calibrate-on", "{place}/old"], "has 50 labelled samples, .* needs 59"),
        (["--calibrate-on", "{place}/old/images"], "has no labels, and a calibration needs labels"),
        (["--calibrate-on", "{place}/gone.csv"], "gone.csv: does not exist"),
        (["--confidence", "logprobs"], "this judge has no log-probabilities"),
    ],
)
def test_what_cannot_calibrate_is_refused_before_a_call(
    options: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(place, *(option.format(place=place) for option in options))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert re.search(message, err)


def test_samples_that_chose_the_prompt_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = place / "run"
    config = str(place / "new" / "config.yaml")
    assert main(["optimize", config, "--run-dir", str(run), "--quiet", "--set", "search.outer_rounds=0"]) == 0
    arguments = ["judge", str(run), str(place / "old"), "--confidence", "words", "--quiet", "--calibrate-on"]
    capsys.readouterr()
    assert main([*arguments, str(place / "new")]) == 2
    assert "is of the train or validation split of the judge's run" in capsys.readouterr().err
    assert main([*arguments, str(place / "new" / "config.yaml")]) == 0  # of a config the test split
    before = (run / "judge.yaml").read_text()
    assert "test_used_up" not in before
    trusting = [*arguments, str(place / "new" / "config.yaml"), "--target-agreement", "0.05", "--delta", "0.9"]
    for _ in range(2):
        capsys.readouterr()
        assert main([word for word in trusting if word != "--quiet"]) == 0
        assert "the test split of the judge's run set this threshold and is used up" in capsys.readouterr().err
        assert (run / "judge.yaml").read_text() == before + "test_used_up: true\n"
    file = blpo.load_judge(run).file
    assert file.test_used_up and "test_used_up: true" in file.dump()
