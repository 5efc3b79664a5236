"""Forks: a new run from a past round pays for new requests only, and names its parent."""

import asyncio
import json
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from state.errors import BlpoError
from state.result import Result
from tests.forked_blpo import ForkedBlpo
from tests.small_set import draw_dataset

PROMPT = "Look at the image and rate it from 1 to 5.\n\n- Lower the rating strongly when noise is high or above."


def calls(run: Path) -> list[str]:
    database = sqlite3.connect(run / "responses.sqlite")
    keys = [key for (key,) in database.execute("SELECT key FROM calls")]
    database.close()
    return keys


def issued(result: Result) -> int:
    return sum(usage["issued"] for usage in result["calls"].values())


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of three rounds."""
    place = tmp_path_factory.mktemp("fork")
    search = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 12, "patience": None}
    config: dict[str, Any] = {"data": {"path": str(draw_dataset(place / "set"))}, "search": search}
    result = asyncio.run(blpo.optimize({**config, "run": {"dir": str(place / "parent")}})).result
    assert len(result["rounds"]) == 3
    return place / "parent"


def result_of(run: Path) -> Result:
    result: Result = json.loads((run / "result.json").read_text())
    return result


@pytest.mark.parametrize("round", [0, 1, 2])
async def test_what_does_not_differ_is_not_paid_for(parent: Path, tmp_path: Path, round: int) -> None:
    result = (await blpo.fork(parent, round, overrides=[f"run.dir={tmp_path / 'fork'}"])).result
    before = result_of(parent)
    assert issued(result) == 0
    for name in ("status", "stop_reason", "rounds", "best_round", "validation", "test"):
        assert result[name] == before[name]
    thread = json.loads((parent / "run.json").read_text())["thread_id"]
    assert result["lineage"]["fork"] == {"run": str(parent), "thread_id": thread, "round": round, "changed": []}
    assert json.loads((tmp_path / "fork" / "run.json").read_text())["lineage"] == result["lineage"]
    for name in ("judge.md", "i2t.md", "trials.jsonl", "errors.jsonl"):
        assert (tmp_path / "fork" / "rounds" / "00" / name).read_text() == (parent / "rounds" / "00" / name).read_text()


async def test_another_prompt_pays_for_what_it_changes(parent: Path, tmp_path: Path) -> None:
    result = (await blpo.fork(parent, 1, judge_prompt=PROMPT, overrides=[f"run.dir={tmp_path / 'fork'}"])).result
    before = result_of(parent)
    assert result["rounds"][0] == before["rounds"][0]
    assert result["rounds"][1]["judge_prompt"] == PROMPT
    assert result["test"] is not None and before["test"] is not None
    assert result["test"]["initial"] == before["test"]["initial"]
    own = calls(tmp_path / "fork")
    assert 0 < len(own) == issued(result)
    assert len(set(own)) == len(own)
    assert not set(own) & set(calls(parent))


async def test_the_budget_counts_only_the_forks_own_calls(parent: Path, tmp_path: Path) -> None:
    paid = issued(result_of(parent))
    limit = f"limits.calls={paid // 2}"
    result = (await blpo.fork(parent, 2, overrides=[f"run.dir={tmp_path / 'fork'}", limit])).result
    assert (result["status"], issued(result)) == ("complete", 0)
    assert result["lineage"]["fork"]["changed"] == [limit]


async def test_a_fork_may_search_on(parent: Path, tmp_path: Path) -> None:
    more = ["search.outer_rounds=3", f"run.dir={tmp_path / 'fork'}"]
    result = (await blpo.fork(parent, 2, overrides=more)).result
    assert len(result["rounds"]) == 4
    assert [r["judge_prompt"] for r in result["rounds"][:3]] == [r["judge_prompt"] for r in result_of(parent)["rounds"]]
    again = (await blpo.fork(tmp_path / "fork", 3, overrides=[f"run.dir={tmp_path / 'again'}"])).result
    assert (issued(again), again["rounds"]) == (0, result["rounds"])


async def test_another_seed_is_forked_if_a_column_names_the_splits(tmp_path: Path) -> None:
    table = draw_dataset(tmp_path / "set") / "labels.csv"
    names = ("train", "train", "validation", "test")
    lines = table.read_text().splitlines()
    table.write_text("".join(f"{line},{names[i % 4] if i else 'split'}\n" for i, line in enumerate(lines)))
    data = {"path": str(table), "split": {"column": "split"}}
    search = {"outer_rounds": 1, "inner_steps": 0, "error_batch": 3, "anchors": 0}
    run = await blpo.optimize({"data": data, "search": search, "run": {"dir": str(tmp_path / "parent")}})
    fork = await blpo.fork(run.directory, 0, overrides=["search.seed=5", f"run.dir={tmp_path / 'fork'}"])
    assert fork.result["lineage"]["fork"]["changed"] == ["search.seed=5"]
    assert fork.result["rounds"][0]["validation"] == run.result["rounds"][0]["validation"]
    assert set(calls(fork.directory)).isdisjoint(calls(run.directory))


async def test_at_round_0_a_prompt_is_the_initial_one(parent: Path, tmp_path: Path) -> None:
    result = (await blpo.fork(parent, 0, judge_prompt=PROMPT, overrides=[f"run.dir={tmp_path / 'fork'}"])).result
    assert result["rounds"][0]["judge_prompt"] == PROMPT
    assert result["validation"] is not None
    assert result["validation"]["initial"] == result["rounds"][0]["validation"]


def test_a_killed_fork_goes_on_where_it_forked(parent: Path, tmp_path: Path) -> None:
    run = tmp_path / "fork"
    (tmp_path / "p.md").write_text(PROMPT)
    command: tuple[str | Path, ...] = (
        "fork",
        parent,
        "--round",
        "1",
        "--judge-prompt",
        tmp_path / "p.md",
        "--run-dir",
        run,
    )
    with ForkedBlpo(*command) as process:
        process.wait_for_message("\n")  # its directory is made
        assert process.kill() == -signal.SIGKILL
    moved = shutil.copytree(parent, tmp_path / "parent")
    assert main(["resume", str(run), "-q"]) == 0
    result = result_of(run)
    assert (result["rounds"][0], result["rounds"][1]["judge_prompt"]) == (result_of(moved)["rounds"][0], PROMPT)
    assert result["lineage"]["fork"]["changed"] == ["judge prompt"]


def test_the_command_says_where_the_run_comes_from(
    parent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fork", str(parent), "--round", "2", "--run-dir", str(tmp_path / "fork"), "-q"]) == 0
    out = capsys.readouterr().out
    assert "at round 2; changed: nothing." in out
    assert main(["resume", str(tmp_path / "fork"), "-q"]) == 0
    assert "at round 2; changed: nothing." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--round", "7"], "has no round 7; it has rounds 0 to 2"),
        (["--round", "-1"], "'--round'"),
        (["--round", "one"], "'--round'"),
        ([], "--round"),
        (
            ["--round", "1", "--set", "search.seed=5"],
            "because search.seed draws the splits; keep search.seed=0, or start a new run",
        ),
        (["--round", "1", "--set", "task.max=6"], "task"),
        (["--round", "1", "--set", "models.judge.temperature=1"], "models.judge: past rounds were measured by it"),
        (["--round", "1", "--set", "prompts.judge=Rate it."], "prompts: past rounds"),
        (["--round", "1", "--set", "run.checkpoints=postgres"], "run.checkpoints"),
        (["--round", "1", "--judge-prompt", "nowhere.md"], "--judge-prompt nowhere.md: can't be read"),
        (["--round", "1", "--i2t-prompt", "/dev/null"], "--i2t-prompt: the prompt can't be used: it is empty"),
    ],
)
def test_what_can_not_be_forked_is_one_line(
    parent: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fork", str(parent), *options]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert message in err


def test_no_run_to_fork(tmp_path: Path, parent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fork", str(tmp_path), "--round", "0"]) == 2
    assert "is no run directory" in capsys.readouterr().err
    copy = shutil.copytree(parent, tmp_path / "copy")
    (copy / "rounds" / "01" / "record.json").write_text("{")
    assert main(["fork", str(copy), "--round", "1"]) == 2
    assert "blpo resume" in capsys.readouterr().err
    shutil.rmtree(copy / "rounds" / "00")
    assert main(["fork", str(copy), "--round", "0"]) == 2
    assert f"{copy / 'rounds' / '00'} can't be read (No such file or directory)" in capsys.readouterr().err
    (copy / "result.json").unlink()  # as the message says
    assert main(["resume", str(copy), "--quiet", "--json"]) == 0
    assert result_of(copy)["rounds"] == json.loads(capsys.readouterr().out)["rounds"]
    assert [len(list((copy / "rounds" / name).iterdir())) for name in ("00", "01")] == [7, 7]
    asyncio.run(blpo.fork(copy, 1, overrides=[f"run.dir={tmp_path / 'fork'}"]))
    info = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**info, "method": "opro"}))
    assert main(["fork", str(copy), "--round", "0"]) == 2
    assert "is a run of opro" in capsys.readouterr().err
    with pytest.raises(BlpoError, match="no round 5"):
        asyncio.run(blpo.fork(parent, 5))


@pytest.mark.slow
async def test_a_team_forks_and_answers_in_its_database(tmp_path: Path, database_url: str) -> None:
    assert database_url
    search = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 12, "patience": None}
    config: dict[str, Any] = {"data": {"path": str(draw_dataset(tmp_path / "set"))}, "search": search}
    run = {"dir": str(tmp_path / "parent"), "checkpoints": "postgres"}
    result = (await blpo.optimize({**config, "run": run, "approval": "judge"})).result
    while "question" in result:
        result = (await blpo.resume(tmp_path / "parent", answer="approve")).result
    assert result["status"] == "complete"
    overrides = [f"run.dir={tmp_path / 'fork'}", "approval=none"]
    forked = (await blpo.fork(tmp_path / "parent", 1, overrides=overrides)).result
    assert (issued(forked), forked["test"]) == (0, result["test"])
    assert [r["judge_prompt"] for r in forked["rounds"]] == [r["judge_prompt"] for r in result["rounds"]]
    assert forked["rounds"][0] == result["rounds"][0]
    assert "decisions" in forked["rounds"][0]
