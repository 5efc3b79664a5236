"""Whole runs on rankings: one request for a list, the same over HTTP and after kills."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

import blpo
from benchmarks.kill import kill_until_done
from benchmarks.kill_storage import Files
from blpo.config.settings_file import load_settings
from blpo.data.dataset import load_dataset
from blpo.metrics.rankings import tau_b
from blpo.runs.verdict_rows import read_verdict_rows
from state.ranking import ranks_of
from tests.list_set import draw_lists
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.short_runs import FREE, SEARCHES, comparable, requests


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_lists(tmp_path_factory.mktemp("lists") / "set")


def config(lists: Path, directory: Path, **sections: Any) -> dict[str, Any]:
    return {
        "task": {"kind": "ranking", "best": "highest"},
        "data": {"path": str(lists / "labels.csv"), "group": "list"},
        "search": SEARCHES["pooled"],
        "run": {"dir": str(directory)},
        **sections,
    }


@pytest.mark.parametrize("search", SEARCHES)
async def test_a_run_learns_to_rank_and_sends_no_request_twice(lists: Path, tmp_path: Path, search: str) -> None:
    result = (await blpo.optimize(config(lists, tmp_path / "run", search=SEARCHES[search]))).result
    test = result["test"]
    assert result["metric"] == "kendall_tau_b" and test is not None
    before, after = (test[side]["strict"]["kendall_tau_b"] for side in ("initial", "best"))
    assert before is not None and after is not None and after > before + 0.5
    assert test["p_value"] < 0.05
    assert set(test["best"]["strict"]) == {"kendall_tau_b", "ndcg", "top_1"}
    calls = requests(tmp_path / "run")
    assert len(set(calls)) == len(calls)


async def test_the_verdicts_of_a_run_are_its_metrics(lists: Path, tmp_path: Path) -> None:
    result = (await blpo.optimize(config(lists, tmp_path / "run"))).result
    rows = [row for row in read_verdict_rows(tmp_path / "run" / "verdicts" / "best.jsonl") if row.split == "test"]
    taus = [tau_b(str(row.label), str(row.verdict)) for row in rows]
    assert result["test"] is not None
    assert result["test"]["best"]["kendall_tau_b"] == pytest.approx(sum(taus) / len(taus))
    errors = read_verdict_rows(tmp_path / "run" / "rounds" / "00" / "errors.jsonl")
    assert errors and all(tau_b(str(row.label), str(row.verdict)) < 1 for row in errors)


async def test_a_judge_that_ranks_as_people_do_has_no_wrong_verdict(lists: Path, tmp_path: Path) -> None:
    """A list with images that people find equal counts as right, though no permutation reaches a tau-b of 1."""
    settings = load_settings(config(lists, tmp_path / "run"))
    samples = load_dataset(settings.data, settings.task, 0).by_id.values()
    by_text = {sample.text: str(sample.label) for sample in samples}

    def judge(messages: Sequence[BaseMessage]) -> str:
        content: Any = messages[0].content
        texts = [part["text"] for part in content if part["type"] == "text"]
        text = next(text for text in texts if text.startswith("<text>")).removeprefix("<text>").removesuffix("</text>")
        ranks = ranks_of(by_text[text])
        return json.dumps({"reason": "", "label": sorted(range(1, len(ranks) + 1), key=lambda i: ranks[i - 1])})

    models = {"judge": {"name": scripted("people", judge)}, "optimizer": {"name": "embedded:optimizer"}}
    result = (await blpo.optimize(config(lists, tmp_path / "run", models=models))).result
    assert result["stop_reason"] == "no_errors"
    assert any("=" in label for label in by_text.values())
    assert result["test"] is not None and result["test"]["best"]["top_1"] == 1


async def test_over_http_as_in_process(lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "none")
    local = (await blpo.optimize(config(lists, tmp_path / "local"))).result
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": FREE}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        served = (await blpo.optimize(config(lists, tmp_path / "served", models=models))).result
    assert comparable(served) == comparable(local)
    assert server.count == len(requests(tmp_path / "local"))


def test_killed_runs_end_as_the_uninterrupted_one(lists: Path, tmp_path: Path) -> None:
    task = ("task.kind=ranking", "task.best=highest", f"data.path={lists / 'labels.csv'}", "data.group=list")
    search = ("search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=6")
    outcome = kill_until_done(tmp_path, kills=3, seed=0, settings=(*task, *search), storage=Files())
    assert outcome.kills >= 3
    assert outcome.differences == []
    assert outcome.paid_twice == 0
