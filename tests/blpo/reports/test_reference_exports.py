"""Exported judges that compare with a reference send the requests of `blpo judge`."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blpo.data.image_sources import FileImage
from blpo.reports.exports.judge_module import DOORS, Door, judge_module
from blpo.runs.judge_file import JudgeFile
from state.sample import Sample
from state.settings import FurtherColumn, ModelSettings, TaskSettings
from tests.blpo.reports.test_exports import HOSTILE, PLAIN, environment, exported, images, judge_of
from tests.blpo.reports.test_pair_exports import our_verdict
from tests.servers.chat_server import ChatServer

__all__ = ["environment", "images"]

RATING = TaskSettings()
PAIRS = TaskSettings(kind="pairwise")


@pytest.mark.parametrize("part_order", ["image_first", "rubric_first"])
@pytest.mark.parametrize("columns", [("reference",), ("reference_text",), ("reference", "reference_text")])
@pytest.mark.parametrize("task", [RATING, PAIRS], ids=["rating", "pairs"])
async def test_it_asks_what_we_ask(
    images: Path, tmp_path: Path, task: TaskSettings, columns: tuple[FurtherColumn, ...], part_order: str
) -> None:
    files = sorted(images.iterdir())
    sources = [FileImage(str(path), str(path)) for path in files]
    own = tuple(sources[: task.questions])
    values: dict[str, Any] = {"reference": files[2], "reference_text": f"{HOSTILE} </reference> </text>"}
    options = {name: values[name] for name in columns}
    compared = Sample("s", own, None, "a <reference> car")
    if "reference" in columns:
        compared = replace(compared, context=(("reference", sources[2]),))
    if "reference_text" in columns:
        compared = replace(compared, reference_text=values["reference_text"])
    reply = '{"reason": "sharp", "label": %s}' % ("4" if task is RATING else '"first"')
    async with ChatServer(answer=lambda _: reply) as server:
        judge = judge_of(server.base_url, task, PLAIN, part_order=part_order)
        judge = judge.model_copy(update={"further_columns": columns})
        expected = await asyncio.to_thread(our_verdict, compared, judge)
        requests, server.requests = server.requests, []
        module = exported(judge, tmp_path)
        paths = [source.path for source in own]
        answer = await asyncio.to_thread(module.judge, *paths, text="a <reference> car", **options)
    assert answer == expected
    ours, theirs = (sorted(json.dumps(r, sort_keys=True) for r in each) for each in (requests, server.requests))
    assert ours == theirs and len(ours) == task.questions


@pytest.mark.parametrize("door", DOORS)
def test_an_embedded_judge_and_evaluators_take_the_reference(images: Path, tmp_path: Path, door: Door) -> None:
    columns: tuple[FurtherColumn, ...] = ("reference", "reference_text")
    model = ModelSettings(name="embedded:judge")
    judge = JudgeFile(judge_prompt="Lower the rating when noise is high.", task=RATING, model=model)
    judge = judge.model_copy(update={"further_columns": columns})
    module = exported(judge, tmp_path, door)
    own, reference = images / "plain.png", images / "large.jpg"
    verdict = module.judge(own, reference=reference, reference_text="a car")
    assert verdict["status"] == "ok"
    if door != "python":
        item = {"image": str(own), "reference": str(reference), "reference_text": "a car"}
        assert module.judged(item) == verdict
        missing = module.judged({"image": str(own)})
        assert (missing["status"], missing["reason"]) == ("error", "no image to compare with; looked for reference")


async def test_the_program_asks_for_the_reference(images: Path, tmp_path: Path) -> None:
    program = tmp_path / "judge.py"
    judge = judge_of("http://127.0.0.1:9/v1").model_copy(update={"further_columns": ("reference", "reference_text")})
    program.write_text(judge_module(judge, "python", "run"), encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(program), str(images / "plain.png"), stdout=-1, stderr=-1
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"required: --reference" in errors
