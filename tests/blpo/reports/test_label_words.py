"""Words for the labels of the built-in sample: a program made the labels, not people."""

from pathlib import Path

import pytest

from blpo.cli.main import main


def test_questions_and_lists_name_the_labels_of_the_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    scored = ("search.trials=scored", "search.score_on=batch", "search.outer_rounds=1", "search.inner_steps=1")
    options = [word for setting in ("data.limit=60", *scored, "approval=judge") for word in ("--set", setting)]
    assert main(["optimize", "--run-dir", str(run), "--quiet", *options]) == 130
    assert main(["resume", str(run)]) == 130
    question = capsys.readouterr().err
    assert "nearer to the sample's labels" in question and "people" not in question
    assert main(["resume", str(run), "--approve"]) == 0
    capsys.readouterr()
    assert main(["disagreements", str(run)]) == 0
    out, err = capsys.readouterr()
    assert out.split()[:4] == ["id", "split", "label", "judge"]
    assert "by distance from the sample's label" in err and "people" not in out + err
