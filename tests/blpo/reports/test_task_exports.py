"""Exports of a judge of several tasks: one task, asked as the whole judge asks."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.reports.exports.judge_module import JudgeOfTasks, judge_module
from blpo.runs.judge_file import JudgeFile
from blpo.runs.judge_tasks import JudgeTask
from blpo.runs.verdict_rows import read_verdict_rows
from state.settings import ModelSettings, TaskSettings
from tests.blpo.reports.test_exports import HOSTILE, KINDS, environment, images, load
from tests.servers.chat_server import ChatServer

__all__ = ["environment", "images"]

REPLIES = (
    {"reason": "calm", "quality": 4, "light": "na'tural", "label": "na'tural"},
    {"reason": "no label", "quality": 9},
)


def judge_of(url: str, fields: Mapping[str, Any]) -> JudgeFile:
    tasks = (
        JudgeTask(name="quality", about="how {{place}} it is", task=TaskSettings(), images=1),
        JudgeTask(name="light", task=KINDS.model_copy(update={"positive": KINDS.labels[0]}), images=1),
    )
    prompt = f"Look.\n\n## quality\nFine is good.\n\n## light\n{HOSTILE}"
    model = ModelSettings(name="vllm:org/judge", base_url=url, max_retries=0)
    return JudgeFile(judge_prompt=prompt, tasks=tasks, model=model, **fields)


@pytest.mark.parametrize(
    "fields", [{"criteria_calls": "one"}, {"criteria_calls": "each"}, {"parts": "per_task"}], ids=str
)
@pytest.mark.parametrize("reply", REPLIES, ids=["answered", "unusable"])
async def test_a_task_is_asked_about_as_the_whole_judge_asks(
    images: Path, tmp_path: Path, fields: Mapping[str, Any], reply: Mapping[str, Any]
) -> None:
    file = images / "plain.png"
    async with ChatServer(answer=lambda _: json.dumps(reply)) as server:
        judge = judge_of(server.base_url, fields)
        (expected,) = await blpo.Judge(judge, task="light")([file])
        requests, server.requests = server.requests, []
        source = judge_module(judge.of_task("light"), "python", "here", JudgeOfTasks(judge, "light"))
        answer = await asyncio.to_thread(load(source, tmp_path).judge, file)
    assert (answer["status"], answer["label"]) == (expected.status, expected.label)
    assert server.requests == requests and len(requests) == (1 if expected.status == "ok" else 2)


def test_an_export_names_one_task_of_several(
    criteria_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = ["export", str(criteria_run), "--out", str(tmp_path), "--to"]
    assert main([*export, "python"]) == 2 and main([*export, "python", "--task", "ligh"]) == 2
    errors = capsys.readouterr().err
    assert "several tasks (quality, light); an export is of one: --task NAME" in errors
    assert "no task 'ligh'; did you mean 'light'?" in errors
    assert main([*export, "openevals", "--task", "light"]) == 0
    assert 'blpo.load_judge(path, "light")' in (tmp_path / "light_openevals_judge.py").read_text()
    assert main([*export, "csv"]) == 0
    header, *rows = (tmp_path / "verdicts.csv").read_text().splitlines()
    assert header.startswith("id,task,split,") and {row.split(",")[1] for row in rows} == {"quality", "light"}


def test_each_task_has_a_project_of_its_own_in_label_studio(
    criteria_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(criteria_run), "--to", "label-studio"]) == 2
    assert "an export is of one: --task NAME" in capsys.readouterr().err
    folder = tmp_path / "studio"
    assert main(["export", str(criteria_run), "--to", "label-studio", "--task", "light", "--out", str(folder)]) == 0
    tasks = json.loads((folder / "tasks.json").read_text())
    rows = [row for row in read_verdict_rows(criteria_run / "verdicts" / "best.jsonl") if row.id.startswith("light/")]
    wrong = {row.id for row in rows if row.status == "ok" and not row.is_right}
    assert {task["data"]["sample_id"] for task in tasks} == wrong
    assert '<Choice value="dark" />' in (folder / "config.xml").read_text()
    (tmp_path / "labels.csv").write_text("id,label\nlight/s0,dark\n")
    assert main(["disagreements", str(criteria_run), "--correct", str(tmp_path / "labels.csv"), "--by", "Ada"]) == 2
    assert "has several tasks, and corrections are of one" in capsys.readouterr().err
