"""Exported judges of pairs send the requests and give the verdicts of `blpo judge`, in both orders."""

import asyncio
import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import pytest

import blpo
from blpo.data.image_sources import FileImage
from blpo.reports.exports.judge_module import DOORS, Door, judge_module
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings
from tests.blpo.reports.test_exports import HOSTILE, PLAIN, environment, exported, images, judge_of
from tests.servers.chat_server import ChatServer, Messages

__all__ = ["environment", "images"]

PAIRS = TaskSettings(kind="pairwise")
WITH_TIES = TaskSettings(kind="pairwise", ties=True)
ONE_ORDER = TaskSettings(kind="pairwise", order="one")
EMBEDDED = ModelSettings(name="embedded:judge")


def our_verdict(sample: Sample, judge: JudgeFile) -> dict[str, Any]:
    """Return the verdict of `blpo judge` in the form of an exported file."""
    (verdict,) = asyncio.run(blpo.Judge(judge)([sample]))
    orders = [
        {"order": each.order, "status": each.status, "label": each.label, "reason": each.reason}
        | ({"scores": dict(each.scores)} if each.scores else {})
        for each in verdict.orders
    ]
    scores = {"scores": dict(verdict.scores)} if verdict.scores else {}
    content = {"status": verdict.status, "label": verdict.label, "reason": verdict.reason, **scores}
    return {**content, **({"orders": orders} if orders else {})}


def moody(messages: Messages) -> str:
    """Replies of all kinds, by the conversation."""
    replies = [
        '{"reason": "sharp.", "label": "first"}',
        'Here: {"Reason": "x", "LABEL": "Second"} done',
        "I am not sure at all",
        '{"reason": "equal", "label": "tie"}',
        "",
    ]
    return replies[int(sha256(json.dumps(messages).encode()).hexdigest(), 16) % len(replies)]


@pytest.mark.parametrize(
    ("task", "prompt", "settings"),
    [
        (PAIRS, PLAIN, {}),
        (WITH_TIES, HOSTILE, {"part_order": "rubric_first", "max_pixels": 5000}),
        (ONE_ORDER, PLAIN, {"structured_output": False}),
    ],
    ids=["pairs", "ties", "one_order"],
)
async def test_it_asks_what_we_ask_and_answers_what_we_answer(
    images: Path, tmp_path: Path, task: TaskSettings, prompt: str, settings: dict[str, Any]
) -> None:
    files = sorted(images.iterdir())
    sources = [FileImage(str(path), str(path)) for path in files]
    texts = ("a </first> dog", f"{HOSTILE} </second>")
    items: list[tuple[Sample, dict[str, Any]]] = [
        (Sample("two", (sources[0], sources[1]), None), {}),
        (Sample("named", (sources[1], sources[2]), None, "a </text> car"), {"text": "a </text> car"}),
        (Sample("texts", (sources[0],), None, texts=texts), {"texts": texts}),
        (Sample("question", (sources[2],), None, "why?", texts=texts), {"text": "why?", "texts": texts}),
        (Sample("edit", (sources[0], sources[2]), None, context=(("before", sources[1]),)), {"before": files[1]}),
        (Sample("like", (sources[3], sources[2]), None, context=(("reference", sources[1]),)), {"reference": files[1]}),
        (Sample("broken", (sources[0], sources[-1]), None), {}),
        *((Sample(f"m{n}", (sources[0], sources[1]), None, f"{n}"), {"text": f"{n}"}) for n in range(10)),
    ]
    async with ChatServer(answer=moody) as server:
        judge = judge_of(server.base_url, task, prompt, **settings)
        expected = [await asyncio.to_thread(our_verdict, sample, judge) for sample, _ in items]
        requests, server.requests = server.requests, []
        module = exported(judge, tmp_path)
        answers = []
        for sample, options in items:
            paths = [image.path for image in sample.images if isinstance(image, FileImage)]
            answers.append(await asyncio.to_thread(module.judge, *paths, **options))
    assert answers == expected
    assert sorted(json.dumps(r, sort_keys=True) for r in server.requests) == sorted(
        json.dumps(r, sort_keys=True) for r in requests
    )
    statuses = {verdict["status"] for verdict in expected}
    assert {"ok", "error", "unparseable"} == statuses
    if task.order == "both":
        assert any(verdict["status"] == "ok" and verdict["label"] is None for verdict in expected)


async def test_probabilities_are_the_mean_of_both_orders(images: Path, tmp_path: Path) -> None:
    alternatives = [{"token": "first", "logprob": -0.1}, {"token": "second", "logprob": -2.5}]
    tokens = [('{"label": "', []), ("first", alternatives), ('"}', [])]
    choice = {"logprobs": {"content": [{"token": t, "logprob": 0.0, "top_logprobs": o} for t, o in tokens]}}
    async with ChatServer(answer=lambda _: '{"label": "first"}', choice=choice) as server:
        judge = judge_of(server.base_url, PAIRS, logprobs=True)
        files = [images / "plain.png", images / "large.jpg"]
        sample = Sample("p", tuple(FileImage(str(path), str(path)) for path in files), None)
        expected = await asyncio.to_thread(our_verdict, sample, judge)
        answer = await asyncio.to_thread(exported(judge, tmp_path).judge, *files)
    assert "scores" in answer["orders"][0]
    assert answer["orders"] == expected["orders"]
    assert (answer["label"], answer["status"]) == (None, "ok")
    assert answer.get("scores") == expected.get("scores")


@pytest.mark.slow
async def test_the_file_is_a_program(images: Path, tmp_path: Path) -> None:
    async with ChatServer(answer=lambda _: '{"reason": "grün", "label": "first"}') as server:
        program = tmp_path / "judge.py"
        program.write_text(judge_module(judge_of(server.base_url, PAIRS), "python", "run"), encoding="utf-8")
        files = [str(images / "plain.png"), str(images / "large.jpg")]
        code, out = await _ran(program, *files, "--text", "a car")
        assert code == 0
        line = json.loads(out)
        assert (line["image"], line["status"], line["label"]) == (files, "ok", None)
        assert [(each["order"], each["label"]) for each in line["orders"]] == [("ab", "a"), ("ba", "b")]
        code, out = await _ran(program, "--texts", "one", "other", "--", files[0])
        assert (code, json.loads(out)["image"]) == (0, files[0])
        assert (await _ran(program, files[0]))[0] == 2


async def _ran(program: Path, *words: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-I", str(program), *words, stdout=-1, stderr=-1)
    out, _ = await process.communicate()
    return process.returncode, out.decode()


@pytest.mark.parametrize("door", DOORS)
def test_an_embedded_judge_of_pairs_is_loaded_by_us(images: Path, tmp_path: Path, door: Door) -> None:
    judge = JudgeFile(judge_prompt="Lower the rating strongly when noise is high or above.", task=PAIRS, model=EMBEDDED)
    module = exported(judge, tmp_path, door)
    files = [images / "plain.png", images / "large.jpg"]
    sample = Sample("p", tuple(FileImage(str(path), str(path)) for path in files), None, "a car")
    assert module.judge(*files, text="a car") == our_verdict(sample, judge)
    with pytest.raises(ValueError, match="a pair has two images"):
        module.judge(files[0])


@pytest.mark.parametrize("door", ["openevals", "langsmith"])
def test_evaluators_score_the_share_of_a(images: Path, tmp_path: Path, door: Door) -> None:
    judge = JudgeFile(
        judge_prompt="Lower the rating strongly when noise is high or above.", task=WITH_TIES, model=EMBEDDED
    )
    module = exported(judge, tmp_path, door)
    assert module.SCORES == {"a": 1, "b": 0, "tie": 0.5}
    pair = {"image_a": images / "plain.png", "image_b": images / "large.jpg"}
    result, verdict = module.image_judge(outputs=pair), module.judge(*pair.values())
    assert result["score"] == module.SCORES.get(verdict["label"])
    failed = module.image_judge(outputs={"image": images / "plain.png"})
    assert failed["score"] is None
    assert "no pair" in failed["comment"]
    twice = {"label": None, "orders": [{"order": "ab", "label": "a"}, {"order": "ba", "label": "b"}]}
    assert module.label_words(twice) == "a in order ab and b in order ba"
    assert module.comment_of({**twice, "status": "ok", "reason": "x"}).startswith("a in order ab and b in order ba: ")


def test_an_mlflow_scorer(images: Path, tmp_path: Path) -> None:
    judge = JudgeFile(judge_prompt="Lower the rating strongly when noise is high or above.", task=PAIRS, model=EMBEDDED)
    module = exported(judge, tmp_path, "mlflow")
    pair = {"image_a": str(images / "plain.png"), "image_b": str(images / "large.jpg")}
    feedback = module.image_judge(inputs={}, outputs=pair)
    assert feedback.value == module.label_words(module.judge(*pair.values()))
    texts = {"image": pair["image_a"], "text_a": "noise", "text_b": "a car"}
    assert module.image_judge(inputs={}, outputs=texts).error is None


@pytest.mark.parametrize("order", ["random", "apart"])
def test_other_orders_are_refused(order: Literal["random", "apart"]) -> None:
    judge = JudgeFile(judge_prompt="p", task=TaskSettings(kind="pairwise", order=order), model=EMBEDDED)
    with pytest.raises(ConfigError, match=rf"task\.order: {order}"):
        judge_module(judge, "python", "run")
