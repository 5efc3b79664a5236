"""`blpo judge --out FILE`: killed, stopped or with failures, the same command goes on and pays nothing twice."""

import asyncio
import base64
import json
import os
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from blpo.cli.main import main
from blpo.deployment.verdict_file import VerdictFile
from blpo.runs.judge_file import JudgeFile, read_judge_file
from state.settings import ModelSettings, TaskSettings
from tests.forked_blpo import ForkedBlpo
from tests.servers.chat_server import ChatServer
from tests.servers.faults import FINE, Fault
from tests.small_set import draw_dataset

PROMPT = "Rate how natural the image looks from 1 to 5.\nLower the rating when noise is high or above."


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    return write_judge(tmp_path / "judge.yaml", PROMPT)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return draw_dataset(tmp_path / "set", 40) / "images"


def write_judge(path: Path, prompt: str) -> Path:
    model = ModelSettings(name="embedded:judge", max_concurrency=2)
    path.write_text(JudgeFile(judge_prompt=prompt, task=TaskSettings(), model=model).dump())
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def calls_of(out: Path) -> list[tuple[str, str | None]]:
    """Keys and outcomes of calls."""
    with closing(sqlite3.connect(out.with_name(out.name + ".judging") / "responses.sqlite")) as store:
        return store.execute("SELECT key, outcome FROM calls").fetchall()


def wait_for_lines(out: Path, count: int, process: ForkedBlpo) -> None:
    while process.is_running and (not out.exists() or out.read_bytes().count(b"\n") < count):
        time.sleep(0.01)


def test_killed_and_started_again_it_repeats_only_what_was_in_flight(
    judge: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calm, out = tmp_path / "calm.jsonl", tmp_path / "out.jsonl"
    assert main(["judge", str(judge), str(images), "--out", str(calm)]) == 0
    for count in (3, 20):
        with ForkedBlpo("judge", judge, images, "--out", out) as process:
            wait_for_lines(out, count, process)
            process.kill()
        with out.open("a") as file:  # as if the kill had torn the next line
            file.write('{"id": "')
    capsys.readouterr()
    assert main(["judge", str(judge), str(images), "--out", str(out)]) == 0
    assert "lines are there" in capsys.readouterr().err
    assert out.read_bytes() == calm.read_bytes()
    calls = calls_of(out)
    answered = [key for key, outcome in calls if outcome == "ok"]
    assert len(answered) == len(set(answered)) == 40
    assert len(calls) - 40 <= 2 * 2  # calls in flight at the kills
    assert not (tmp_path / "out.jsonl.judging" / "lines.part").exists()


def test_only_what_had_failed_is_asked_again_and_keeps_its_place(
    judge: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    broken, whole = images / "007.png", tmp_path / "whole.png"
    shutil.move(broken, whole)
    broken.write_bytes(b"no image")
    command = ["judge", str(judge), str(images), "--out", str(out)]
    assert main(command) == 1
    before = lines_of(out)
    assert [i for i, row in enumerate(before) if row["status"] != "ok"] == [7]
    shutil.move(whole, broken)
    assert main(command) == 0
    after = lines_of(out)
    assert after[7]["status"] == "ok"
    assert after[7]["id"] == str(broken)
    assert [*after[:7], *after[8:]] == [*before[:7], *before[8:]]
    assert len(calls_of(out)) == 40
    assert main(command) == 0  # finished: nothing is asked, and the file stays
    assert lines_of(out) == after
    assert len(calls_of(out)) == 40
    assert "judged 40 samples: 40 ok" in capsys.readouterr().err


def test_another_judge_or_other_inputs_are_refused(
    judge: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    few = tmp_path / "few"
    few.mkdir()
    for name in ("000.png", "001.png", "002.png"):
        shutil.copy(images / name, few / name)

    def refusal(judge: Path, inputs: Path) -> str:
        before = out.read_bytes()
        assert main(["judge", str(judge), str(inputs), "--out", str(out)]) == 2
        assert out.read_bytes() == before
        return capsys.readouterr().err

    assert main(["judge", str(judge), str(few), "--out", str(out)]) == 0
    other = write_judge(tmp_path / "other.yaml", PROMPT + " Raise it otherwise.")
    assert "was begun with another judge" in refusal(other, few)
    assert f"out.jsonl:1: is of {few}/000.png, and the inputs now have {images}/000.png" in refusal(judge, images)
    (few / "002.png").unlink()
    assert "has 3 lines, and the inputs now only 2 images" in refusal(judge, few)
    shutil.copy(images / "002.png", few / "002.png")
    shutil.copy(images / "003.png", few / "003.png")
    assert main(["judge", str(judge), str(few), "--out", str(out)]) == 0  # more samples at the end are allowed
    assert len(lines_of(out)) == 4
    out.write_text(out.read_text().replace("status", "state", 1))
    assert "out.jsonl:1: can't go on from this line" in refusal(judge, few)
    shutil.rmtree(tmp_path / "out.jsonl.judging")
    assert "out.jsonl exists, and out.jsonl.judging with its answers doesn't" in refusal(judge, few)


def test_a_second_process_on_the_file_is_refused(
    judge: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    with VerdictFile(out, read_judge_file(judge)):
        assert main(["judge", str(judge), str(images), "--out", str(out)]) == 2
    assert "another process is working on" in capsys.readouterr().err
    assert main(["judge", str(judge), str(images / "000.png"), "--out", str(out)]) == 0


@pytest.mark.parametrize("ignores_sigint", [False, True])
def test_stopped_while_it_waits_for_stdin_it_says_how_to_go_on(
    judge: Path, images: Path, tmp_path: Path, ignores_sigint: bool
) -> None:
    pipe, out = tmp_path / "pipe", tmp_path / "out.jsonl"
    os.mkfifo(pipe)
    with (
        ForkedBlpo("judge", judge, "-", "--out", out, stdin=pipe, ignores_sigint=ignores_sigint) as process,
        pipe.open("w", buffering=1) as inputs,
    ):
        inputs.write(json.dumps({"image": str(images / "000.png")}) + "\n")
        wait_for_lines(out, 1, process)  # a line comes while more may follow
        process.signal(signal.SIGTERM)  # as Ctrl-C
        code, err = process.wait(), process.stderr
    assert code == 130
    assert err.splitlines()[-1] == "blpo: stopped after 1 images; give the same command to go on"
    assert len(lines_of(out)) == 1


def test_what_is_no_regular_file_takes_the_lines_as_they_come(judge: Path, images: Path, tmp_path: Path) -> None:
    assert main(["judge", str(judge), str(images / "000.png"), "--out", "/dev/null"]) == 0
    assert not Path("/dev/null.judging").exists()


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (Fault(status=401, message="Incorrect API key provided"), "Check the key in the environment for vllm: models"),
        (Fault(status=403, message="This API key is blocked"), "The server rejected the last 24 requests alike"),
        (Fault(status=402, message="no credit left"), "alike: check the account's balance"),
    ],
)
async def test_a_key_that_fails_after_answers_ends_the_command_which_goes_on_later(
    fault: Fault, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, images = tmp_path / "out.jsonl", draw_dataset(tmp_path / "set", 60) / "images"
    answer = '{"reason": "fine", "label": 4}'
    first = [base64.b64encode(file.read_bytes()).decode() for file in sorted(images.iterdir())[:20]]

    def fault_after_20(request: dict[str, Any]) -> Fault:  # of the images: their requests may arrive in another order
        return FINE if any(image in json.dumps(request) for image in first) else fault

    async with ChatServer(answer=lambda _: answer, faults=fault_after_20) as server:
        model = ModelSettings(name="vllm:m", base_url=server.base_url, max_concurrency=2, max_retries=0)
        file = JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=model)
        (tmp_path / "judge.yaml").write_text(file.dump())
        command = ["judge", str(tmp_path / "judge.yaml"), str(images), "--out", str(out)]
        assert await asyncio.to_thread(main, command) == 1
        assert server.count < 20 + 24 + 4
        err = capsys.readouterr().err
        assert advice in err and "Traceback" not in err
        assert f"lines are in {out}; give the same command to go on" in err
        assert [row["status"] for row in lines_of(out)].count("ok") == 20
        server.faults, before = iter(()), server.count
        assert await asyncio.to_thread(main, command) == 0
        assert server.count - before == 40
    assert [row["status"] for row in lines_of(out)] == ["ok"] * 60
