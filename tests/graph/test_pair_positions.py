"""Whole runs and judged sets of judges that look at the position alone: the numbers are known by hand."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.cli.main import main
from blpo.runs.run_record import RunRecord
from state.metrics import Metrics
from state.result import Result
from tests.pair_set import draw_pairs
from tests.servers.chat_server import ChatServer, Messages

Judge = Callable[[Messages], str]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pairs(tmp_path_factory.mktemp("positions") / "set", 40)


def saying(answer: str) -> Judge:
    return lambda _: json.dumps({"reason": "as always", "label": answer})


async def run_of(pairs: Path, directory: Path, answer: str, **task: Any) -> Result:
    """Run a search with a judge that gives one answer, over HTTP, and embedded models in the other roles."""
    async with ChatServer(saying(answer)) as server:
        config = {
            "task": {"kind": "pairwise", **task},
            "data": {"path": str(pairs), "image": ["image_a", "image_b"]},
            "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 8, "metric": "accuracy"},
            "models": {
                "judge": {"name": "vllm:org/judge", "base_url": server.base_url, "price": {"input": 0, "output": 0}},
                "verbalizer": {"name": "embedded:verbalizer"},
                "optimizer": {"name": "embedded:optimizer"},
            },
            "run": {"dir": str(directory)},
        }
        return (await blpo.optimize(config)).result


def measured(result: Result) -> list[Metrics]:
    """Return the metrics of both prompts on test, and of all rounds on validation."""
    test = result["test"]
    assert test is not None
    return [test["initial"], test["best"], *(record["validation"] for record in result["rounds"])]


async def test_always_first(pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = await run_of(pairs, tmp_path / "run", "first")
    for metrics in measured(result):
        for reading in (metrics, metrics["strict"]):
            assert (reading["accuracy"], reading["consistent_accuracy"]) == (0.5, 0.0)
            assert (reading["consistency"], reading["first_rate"]) == (0.0, 1.0)
        assert metrics["first_rate_ci95"] is not None
        assert metrics["first_rate_ci95"][0] > 0.5
        assert metrics["first_rate_ci95"][1] == 1.0
        assert metrics["coverage"] == 1.0
    test = result["test"]
    assert test is not None
    assert (test["p_value"], test["difference_ci95"]) == (1.0, [0.0, 0.0])
    batch = result["rounds"][0]
    assert (batch["errors"], batch["anchors"]) == (8, 0)  # each pair is wrong in one order, and in I_B
    assert test["beyond_guessing"]["ci95"][0] <= 0
    rows = RunRecord.read(tmp_path / "run").best.values()
    assert {tuple(each.label for each in row.orders) for row in rows} == {("a", "b")}
    assert {(row.status, row.verdict) for row in rows} == {("ok", None)}
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "The judge leans to the first: 100.0% of the answers" in html
    assert await asyncio.to_thread(main, ["disagreements", str(tmp_path / "run"), "--json"]) == 0
    differing = json.loads(capsys.readouterr().out)
    assert len(differing) == 40
    assert {each["answer"] for each in differing} == {"first in both orders"}


async def test_always_second(pairs: Path, tmp_path: Path) -> None:
    for metrics in measured(await run_of(pairs, tmp_path / "run", "second")):
        assert (metrics["accuracy"], metrics["consistent_accuracy"], metrics["first_rate"]) == (0.5, 0.0, 0.0)


async def test_always_tie(pairs: Path, tmp_path: Path) -> None:
    # No pair of the set is a tie: every answer is wrong, and both orders agree.
    for metrics in measured(await run_of(pairs, tmp_path / "run", "tie", ties=True)):
        assert (metrics["accuracy"], metrics["consistent_accuracy"]) == (0.0, 0.0)
        assert (metrics["consistency"], metrics["ties"]) == (1.0, 1.0)
        assert metrics["first_rate"] is None
        assert metrics["undefined"]["first_rate"] == "no answer is first or second"


async def test_a_judge_of_one_order_tells_no_lean(pairs: Path, tmp_path: Path) -> None:
    result = await run_of(pairs, tmp_path / "run", "first", order="one")
    test = result["test"]
    assert test is not None
    rows = [row for row in RunRecord.read(tmp_path / "run").best.values() if row.split == "test"]
    share = sum(row.label == "a" for row in rows) / len(rows)
    assert test["best"]["accuracy"] == pytest.approx(share)
    assert test["best"]["first_rate"] == 1.0
    assert "consistency" not in test["best"]
    assert {row.verdict for row in rows} == {"a"}


async def test_a_judged_set_has_positions_without_labels(pairs: Path, tmp_path: Path) -> None:
    await run_of(pairs, tmp_path / "run", "first")
    unlabelled = pairs / "new.jsonl"
    images = [f"images/{image.name}" for image in sorted((pairs / "images").iterdir())]
    lines = [{"image_a": a, "image_b": b} for a, b in zip(images[::2], images[1::2], strict=True)]
    unlabelled.write_text("".join(json.dumps(line) + "\n" for line in lines[:10]))
    async with ChatServer(saying("first")) as server:
        file = tmp_path / "run" / "judge.yaml"
        text = file.read_text().splitlines()
        address = next(line for line in text if "base_url" in line)
        file.write_text("\n".join(text).replace(address.split(": ", 1)[1], server.base_url) + "\n")
        summary = await blpo.judge_set(blpo.load_judge(file), unlabelled, out=tmp_path / "lines.jsonl")
    assert summary["positions"]["first_rate"] == 1.0
    assert summary["positions"]["consistency"] == 0.0
    assert summary["metrics"] is None
    lines_of_set = [json.loads(line) for line in (tmp_path / "lines.jsonl").read_text().splitlines()]
    assert len(lines_of_set) == 10
    assert all([each["label"] for each in line["orders"]] == ["a", "b"] for line in lines_of_set)
    assert all((line["status"], line["verdict"]) == ("ok", None) for line in lines_of_set)
