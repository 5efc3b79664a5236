"""Signals, kills and spent budgets: a run stops, and goes on from there."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from langgraph.runtime import RunControl

from blpo.cli.main import main
from blpo.cli.search_view import SearchView
from blpo.cli.signals import run_with_signals
from blpo.runs.judge_file import read_judge_file
from state.result import Result
from tests.forked_blpo import ForkedBlpo
from tests.small_set import draw_dataset


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return draw_dataset(tmp_path / "set")


@contextmanager
def long_run(folder: Path, *, until: str) -> Iterator[ForkedBlpo]:
    """Yield a long run that has printed `until`."""
    rounds = ["--set", "search.outer_rounds=6", "--set", "search.patience=null"]
    command = ["optimize", str(folder / "config.yaml"), *rounds, "--run-dir", "run"]
    with ForkedBlpo(*command, folder=folder.parent) as process:
        process.wait_for_message(until)
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_and_resume_goes_on(
    number: signal.Signals, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with long_run(folder, until="round 1: quadratic kappa") as process:
        process.signal(number)
        code, out, err = process.wait(), process.stdout, process.stderr
    assert code == 130
    assert "stopping after this step; press Ctrl-C again to stop at once\n" in err
    assert err.endswith("resume with: blpo resume run\n")
    assert f": stopped by {number.name}." in out
    assert "Not tested: " in out
    assert json.loads((folder.parent / "run" / "result.json").read_text())["status"] == "interrupted"
    assert main(["resume", "run"]) == 0
    resumed = capsys.readouterr()
    assert "round 0: quadratic kappa" not in resumed.err  # finished work is not repeated
    assert "Stopped after " in resumed.out


def test_a_second_signal_stops_at_once(folder: Path) -> None:
    with long_run(folder, until="round 0: quadratic kappa") as process:
        process.signal(signal.SIGINT)
        process.signal(signal.SIGTERM)
        code, err = process.wait(), process.stderr
    assert code == 130
    assert err.endswith("resume with: blpo resume run\n")
    assert "Traceback" not in err
    assert main(["resume", "run", "--quiet"]) == 0


def test_a_killed_run_resumes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with long_run(folder, until="round 0, description 1") as process:
        assert process.kill() == -signal.SIGKILL
    assert main(["resume", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "complete"


def test_before_the_run_begins_a_signal_stops_at_once() -> None:
    began = []

    async def search(control: RunControl) -> Result:
        os.kill(os.getpid(), signal.SIGINT)
        began.append(control)
        await asyncio.sleep(60)
        raise AssertionError("was not stopped")

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run_with_signals(search, SearchView())
    assert began == []
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_spent_budget_exits_4_and_higher_limits_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(folder / "config.yaml"), "--run-dir", "run", "--quiet"]
    assert main(["optimize", *arguments, "--set", "limits.calls=12"]) == 4
    out, err = capsys.readouterr()
    assert ": the budget pays for no round (limits); blpo estimate says what a round costs" in out
    assert "The initial prompt stays: no other was tried" in out
    assert err.endswith("higher limits go on: blpo resume run --set limits.calls=...\n")
    initial = read_judge_file(Path("run")).judge_prompt
    for limit in (12, 24, 40):
        assert main(["resume", "run", "--quiet", "--json", "--set", f"limits.calls={limit}"]) == 4
        result = json.loads(capsys.readouterr().out)
        assert sum(usage["issued"] for usage in result["calls"].values()) <= limit
        assert read_judge_file(Path("run")).judge_prompt == initial  # no better prompt was found
    assert main(["resume", "run", "--quiet", "--set", "limits.calls=10000"]) == 0
    assert "Stopped after " in capsys.readouterr().out


def test_a_server_that_is_down_fails_the_run_and_resume_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {"judge": {"name": "vllm:nobody", "base_url": "http://127.0.0.1:9/v1", "max_retries": 0}}
    models["optimizer"] = {"name": "embedded:optimizer"}
    config = {"data": {"path": "labels.csv"}, "models": models}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["optimize", str(folder / "config.yaml"), "--run-dir", "run", "--quiet", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["status"] == "failed"
    assert out == (folder.parent / "run" / "result.json").read_text()
    message, resume = err.splitlines()
    assert message.startswith("blpo: 2 of 12 judge calls failed after retries")
    assert resume == "resume with: blpo resume run"
    assert main(["resume", "run", "--quiet"]) == 1
