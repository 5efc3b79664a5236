"""A person approves, edits or rejects new prompts: from Python, by options and on the terminal."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage

import blpo
from blpo.cli.approval import show
from blpo.cli.main import main
from blpo.reports.label_source import PEOPLE
from nodes.approve import read_answer
from state.approval import Question
from state.errors import AnswerError
from state.result import Result
from tests.scripted import scripted
from tests.small_set import COMMAND, ENVIRONMENT, draw_dataset

PROMPT = "Look at the image and rate it from 1 to 5."

POOLED: dict[str, Any] = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 12}
SCORED: dict[str, Any] = {"trials": "scored", "outer_rounds": 2, "inner_steps": 1, "error_batch": 4, "anchors": 4}


def config(directory: Path, **sections: Any) -> dict[str, Any]:
    data = directory.parent / "set"
    if not data.exists():
        draw_dataset(data)
    small = {"data": {"path": str(data)}, "search": POOLED}
    return {**small, "approval": "judge", **sections, "run": {"dir": str(directory)}}


def issued(result: Result) -> int:
    return sum(usage["issued"] for usage in result["calls"].values())


@pytest.mark.slow
@pytest.mark.parametrize("search", [POOLED, SCORED], ids=["pooled", "scored"])
async def test_approving_everything_gives_what_asking_nobody_gives(tmp_path: Path, search: dict[str, Any]) -> None:
    alone = (await blpo.optimize(config(tmp_path / "alone", approval="none", search=search))).result
    result = (await blpo.optimize(config(tmp_path / "asked", approval="all", search=search))).result
    questions = []
    while "question" in result:
        questions.append(result["question"])
        assert (result["status"], result["test"]) == ("interrupted", None)
        assert (await blpo.resume(tmp_path / "asked")).result["question"] == result["question"]
        result = (await blpo.resume(tmp_path / "asked", answer="approve")).result
    assert {question["prompt"] for question in questions} == {"judge", "i2t"}
    assert [r["judge_prompt"] for r in result["rounds"]] == [r["judge_prompt"] for r in alone["rounds"]]
    assert [r["i2t_prompt"] for r in result["rounds"]] == [r["i2t_prompt"] for r in alone["rounds"]]
    assert (result["test"], issued(result)) == (alone["test"], issued(alone))
    assert not any("decisions" in record for record in alone["rounds"])
    assert sum(len(record.get("decisions", [])) for record in result["rounds"]) == len(questions)


async def test_a_question_shows_what_the_prompt_changes(tmp_path: Path) -> None:
    search = {**SCORED, "score_on": "batch", "adopt": "improving"}
    question = (await blpo.optimize(config(tmp_path / "run", search=search))).result["question"]
    trials = (tmp_path / "run" / "rounds" / "00" / "trials.jsonl").read_text().splitlines()
    best = max(map(json.loads, trials), key=lambda trial: trial["score"])
    assert (question["new"], question["score"]) == (best["judge_prompt"], best["score"])
    assert question["diff"].startswith("--- a/judge.md\n+++ b/judge.md\n")
    rows = [(change, 1) for change in question["fixes"]] + [(change, -1) for change in question["breaks"]]
    assert len(rows) == question["fixed"] + question["broken"] > 0
    gain = 0
    for change, sign in rows:
        assert isinstance(change["label"], int) and isinstance(change["before"], int)
        assert isinstance(change["after"], int)
        nearer = abs(change["before"] - change["label"]) - abs(change["after"] - change["label"])
        assert nearer * sign > 0
        gain += nearer
    assert question["score"] == pytest.approx(gain / 4 / question["judged"])


async def test_a_prompt_from_pooled_trials_has_no_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = (await blpo.optimize(config(tmp_path / "run"))).result["question"]
    assert question["new"] != question["old"]
    assert (question["score"], question["judged"], question["fixes"], question["breaks"]) == (None, 0, [], [])
    show(question, PEOPLE)
    assert "not judged" in capsys.readouterr().err


async def test_an_i2t_prompt_by_a_person_is_used_first(tmp_path: Path) -> None:
    await blpo.optimize(config(tmp_path / "run", approval="all"))
    question = (await blpo.resume(tmp_path / "run", answer="approve")).result["question"]
    assert question["prompt"] == "i2t"
    text = "Describe the noise."
    await blpo.resume(tmp_path / "run", answer={"decision": "edit", "text": text})
    result = (await blpo.resume(tmp_path / "run", overrides=["approval=none"])).result
    assert result["rounds"][1]["i2t_prompt"] == text == result["rounds"][1]["trials"][0]["i2t_prompt"]


async def test_an_edited_prompt_is_judged_as_it_is(tmp_path: Path) -> None:
    await blpo.optimize(config(tmp_path / "run"))
    result = (await blpo.resume(tmp_path / "run", answer={"decision": "edit", "text": f"\n{PROMPT}\n"})).result
    assert result["rounds"][1]["judge_prompt"] == PROMPT
    assert result["rounds"][0].get("decisions") == [{"prompt": "judge", "decision": "edit", "reason": None}]
    assert result["question"]["old"] == PROMPT


async def test_critiques_see_why_a_prompt_was_rejected(tmp_path: Path) -> None:
    requests: list[str] = []

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        text = str(messages[0].content)
        requests.append(text)
        tag = next(t for t in ("critique", "judge_prompt", "i2t_prompt") if f"inside <{t}> and" in text)
        first_trial = tag == "judge_prompt" and "Version 1." in text  # the first trial fails, so q* is a new prompt
        return "no" if first_trial else f"<{tag}>Rate it by its noise, from 1 to 5. Version {len(requests)}.</{tag}>"

    models = {"optimizer": {"name": scripted("objected", optimizer)}}
    search = {"preset": "paper", "outer_rounds": 2, "inner_steps": 1, "error_batch": 6}
    await blpo.optimize(config(tmp_path / "run", approval="all", models=models, search=search))
    assert not any("<objection" in text for text in requests)
    first = len(requests)
    await blpo.resume(tmp_path / "run", answer={"decision": "reject", "reason": "Noise is a </objections> matter."})
    result = (await blpo.resume(tmp_path / "run", answer={"decision": "reject", "reason": "Ask for colours."})).result
    later = [text for text in requests[first:] if "inside <critique>" in text]
    of_judge = [text for text in later if "<objection>Noise is a ‹/objections> matter.</objection>" in text]
    of_i2t = [text for text in later if "<objection>Ask for colours.</objection>" in text]
    assert of_judge and of_i2t and len(of_judge) + len(of_i2t) == len(later)
    assert all("Compare the cases" in text for text in of_judge)
    assert result["rounds"][1]["judge_prompt"] == result["rounds"][0]["judge_prompt"]
    assert result["rounds"][1]["i2t_prompt"] == result["rounds"][0]["i2t_prompt"]


async def test_approval_can_be_given_up_in_the_middle(tmp_path: Path) -> None:
    await blpo.optimize(config(tmp_path / "run"))
    result = (await blpo.resume(tmp_path / "run", overrides=["approval=none"])).result
    assert result["status"] == "complete"
    with pytest.raises(AnswerError, match="asks no question: it is finished"):
        await blpo.resume(tmp_path / "run", answer="approve")


QUESTION: Any = {"max_prompt_tokens": 50}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("perhaps", "decision: must be 'approve', 'edit' or 'reject'"),
        (None, "must be a valid dictionary"),
        ({"decision": "approve", "text": "x"}, "text must be given with the decision edit, and with no other"),
        ({"decision": "edit"}, "text must be given"),
        ({"decision": "edit", "text": " \n"}, "it is empty"),
        ({"decision": "edit", "text": "From {{ min }} to 5."}, "the placeholder {{ min }}"),
        ({"decision": "edit", "text": "word " * 100}, "about 125 tokens, and 50 are allowed"),
        ({"decision": "reject"}, "reason must be given"),
        ({"decision": "reject", "reason": " "}, "reason must be given"),
        ({"decision": "reject", "reason": "x" * 2001}, "reason: must have at most 2000 characters"),
        ({"decision": "approve", "why": "x"}, "why: "),
    ],
)
def test_a_bad_answer_is_one_clear_line(answer: object, message: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_answer(answer, QUESTION)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@given(st.text(max_size=200))
def test_any_edit_is_adopted_or_refused(text: str) -> None:
    try:
        assert read_answer({"decision": "edit", "text": text}, QUESTION).text == text
    except AnswerError as refused:
        assert not text.strip() or "{{" in text or len(text) > 200, refused


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """A run with an open question."""
    folder = draw_dataset(tmp_path / "set")
    run = tmp_path / "run"
    assert (
        main(["optimize", str(folder / "config.yaml"), "--run-dir", str(run), "--set", "approval=judge", "-q"]) == 130
    )
    return run


def test_options_answer(waiting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["resume", str(waiting)]) == 130
    err = capsys.readouterr().err
    assert "+++ b/judge.md" in err and "The prompt is not judged yet" in err
    assert "the new judge prompt of round 0 waits for an answer" in err
    assert err.splitlines()[-1].startswith("answer with: blpo resume ")
    refused = [["--approve", "--reject", "no"], ["--edit", "nowhere.md"], ["--reject", ""]]
    (waiting / "bad.md").write_text("Rate {{it}}.")
    for options in [*refused, ["--edit", str(waiting / "bad.md")]]:
        assert main(["resume", str(waiting), "-q", *options]) == 2
        assert len(capsys.readouterr().err.replace("resume with:", "").splitlines()) <= 2
    assert main(["resume", str(waiting), "--reject", "Too long.", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["rounds"][0]["decisions"] == [{"prompt": "judge", "decision": "reject", "reason": "Too long."}]
    assert main(["resume", str(waiting), "--approve"]) == 2
    assert capsys.readouterr().err == f"blpo: {waiting} asks no question: it is finished\n"


@pytest.mark.slow
def test_the_terminal_asks(waiting: Path) -> None:
    editor = waiting.parent / "editor.py"
    editor.write_text(f"import sys; open(sys.argv[1], 'w').write({PROMPT!r})")
    environment = {**ENVIRONMENT, "EDITOR": f"{sys.executable} {editor}", "TERM": "dumb"}
    ours, theirs = pty.openpty()
    command = [*COMMAND, "resume", str(waiting)]
    process = subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    output = b""
    try:
        for key, expected in ((b"x\n", b"[l]ater?"), (b"r\n\n", b"[l]ater?"), (b"e\n", b"[l]ater?")):
            output += _until(ours, expected)
            os.write(ours, key)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(ours)
    assert process.returncode == 0
    assert b"judge.yaml" in out
    assert (waiting / "rounds" / "01" / "judge.md").read_text() == PROMPT + "\n"


def _until(terminal: int, expected: bytes) -> bytes:
    output, deadline = b"", time.monotonic() + 60
    while expected not in output:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], output
        output += os.read(terminal, 65536)
    return output


def test_questions_have_what_their_type_says() -> None:
    assert set(Question.__annotations__) == Question.__required_keys__ | {"problem"}
