"""Whole runs on pairs: two orders of every pair, no repeated request, and equal results over HTTP."""

import json
import sqlite3
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from langchain_core.messages import BaseMessage
from PIL import Image

import blpo
from blpo.config.settings_file import load_settings
from blpo.costs.call_counts import least_calls
from blpo.costs.dataset_sizes import DatasetSizes
from blpo.data.run_dataset import dataset_of
from blpo.models.embedded.message_images import images
from blpo.runs.verdict_rows import VerdictRow, read_verdict_rows
from graph.outer import graph
from state.errors import ModelError
from tests.pair_set import draw_pairs
from tests.scripted import scripted
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.servers.faults import FINE, Fault
from tests.servers.sayings import FEW_IMAGES
from tests.short_runs import FREE, SEARCHES, comparable, requests

SIZE = 60


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_pairs(tmp_path_factory.mktemp("pairs") / "set", SIZE)


def config(pairs: Path, directory: Path, **sections: Any) -> dict[str, Any]:
    return {
        "task": {"kind": "pairwise"},
        "data": {"path": str(pairs), "image": ["image_a", "image_b"]},
        "search": SEARCHES["pooled"],
        "run": {"dir": str(directory)},
        **sections,
    }


def in_rows(directory: Path, name: str) -> tuple[VerdictRow, ...]:
    return read_verdict_rows(directory / "verdicts" / f"{name}.jsonl")


@pytest.mark.parametrize("search", SEARCHES)
async def test_every_pair_is_judged_in_both_orders_and_no_request_is_sent_twice(
    pairs: Path, tmp_path: Path, search: str
) -> None:
    result = (await blpo.optimize(config(pairs, tmp_path / "run", search=SEARCHES[search]))).result
    calls = requests(tmp_path / "run")
    assert len(set(calls)) == len(calls)
    prompts = {round["judge_prompt"] for round in result["rounds"]}
    if search == "pooled":  # all samples but those of the test under every prompt, and the test under two at most
        tested = len({result["rounds"][0]["judge_prompt"], result["rounds"][result["best_round"]]["judge_prompt"]})
        assert result["test"] is not None
        test = result["test"]["initial"]["n"]
        judge_calls = sum(role == "judge" for role, _ in calls)
        rows = in_rows(tmp_path / "run", "best")
        own = len([row for row in rows if row.split == "test"])
        assert judge_calls == 2 * (len(prompts) * (SIZE - own) + tested * own) and test >= own
    for row in in_rows(tmp_path / "run", "best"):
        assert [ordered.order for ordered in row.orders] == ["ab", "ba"]


@pytest.mark.parametrize("order", ["one", "random"])
async def test_one_order_is_half_the_calls(pairs: Path, tmp_path: Path, order: str) -> None:
    settings = config(pairs, tmp_path / "run", task={"kind": "pairwise", "order": order})
    settings["search"] = {"outer_rounds": 0, "seed": 3}
    run = await blpo.optimize(settings)
    assert [role for role, _ in requests(tmp_path / "run")] == ["judge"] * SIZE
    orders = [ordered.order for row in in_rows(tmp_path / "run", "best") for ordered in row.orders]
    assert len(orders) == SIZE
    assert set(orders) == ({"ab"} if order == "one" else {"ab", "ba"})
    judge, samples = run.judge(), dataset_of(load_settings(settings)).by_id
    assert ("seed: 3\n" in judge.file.dump()) == (order == "random")
    again = await judge([samples[row.id] for row in in_rows(tmp_path / "run", "best")])
    assert [ordered.order for verdict in again for ordered in verdict.orders] == orders


@pytest.mark.parametrize("word", ["first", "second", "tie"])
async def test_a_judge_that_names_a_place_is_right_in_one_order_at_most(pairs: Path, tmp_path: Path, word: str) -> None:
    def judge(messages: Sequence[BaseMessage]) -> str:
        return json.dumps({"reason": "", "label": word})

    models = {"judge": {"name": scripted(word, judge)}, "optimizer": {"name": "embedded:optimizer"}}
    task = {"kind": "pairwise", "ties": True}
    settings = config(pairs, tmp_path / "run", task=task, models=models, search={"outer_rounds": 0})
    test = (await blpo.optimize(settings)).result["test"]
    assert test is not None
    measured = {name: test["best"].get(name) for name in ("accuracy", "consistent_accuracy", "first_rate", "ties")}
    assert (
        measured
        == {
            "first": {"accuracy": 0.5, "consistent_accuracy": 0.0, "first_rate": 1.0, "ties": 0.0},
            "second": {"accuracy": 0.5, "consistent_accuracy": 0.0, "first_rate": 0.0, "ties": 0.0},
            "tie": {"accuracy": 0.0, "consistent_accuracy": 0.0, "first_rate": None, "ties": 1.0},
        }[word]
    )
    rows = in_rows(tmp_path / "run", "best")
    labels = {tuple(ordered.label for ordered in row.orders) for row in rows}
    assert labels == {{"first": ("a", "b"), "second": ("b", "a"), "tie": ("tie", "tie")}[word]}
    assert {row.answer for row in rows} == {"tie" if word == "tie" else None}


async def test_the_bare_graph_gives_the_same_result(pairs: Path, tmp_path: Path) -> None:
    alone = (await blpo.optimize(config(pairs, tmp_path / "alone"))).result
    bare: Any = await graph.ainvoke({}, context=cast("Any", config(pairs, tmp_path / "bare")))
    assert {**comparable(bare["result"]), "calls": None} == {**comparable(alone), "calls": None}


async def test_over_http_as_in_process(pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "none")
    local = (await blpo.optimize(config(pairs, tmp_path / "local"))).result
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": FREE}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        served = (await blpo.optimize(config(pairs, tmp_path / "served", models=models))).result
    assert comparable(served) == comparable(local)
    assert server.count == len(requests(tmp_path / "local"))
    for name in ("initial", "best"):
        assert in_rows(tmp_path / "served", name) == in_rows(tmp_path / "local", name)


@pytest.mark.parametrize("spare", [-1, 0, 1, 60])
async def test_a_budget_pays_for_the_test_in_both_orders(pairs: Path, tmp_path: Path, spare: int) -> None:
    settings = load_settings(config(pairs, tmp_path / "run"))
    least = least_calls(DatasetSizes.of(settings, dataset_of(settings)), settings.search)
    result = (await blpo.optimize(config(pairs, tmp_path / "run", limits={"calls": least + spare}))).result
    calls = requests(tmp_path / "run")
    assert len(set(calls)) == len(calls) <= least + spare
    assert result["test"] is not None
    assert (len(result["rounds"]) > 1) == (spare >= 0)


async def test_a_server_of_one_image_a_request_is_refused_before_anything_is_paid(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "none")

    def one_image(request: dict[str, Any]) -> Fault:
        images = [part for part in request["messages"][0]["content"] if part["type"] == "image_url"]
        return FEW_IMAGES["number"] if len(images) > 1 else FINE

    async with ChatServer(respond=embedded_answer, faults=one_image) as server:
        model = {"base_url": server.base_url, "price": FREE, "max_concurrency": 8}
        models: dict[str, dict[str, Any]] = {
            role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")
        }
        with pytest.raises(ModelError, match="takes fewer images a request"):
            await blpo.optimize(config(pairs, tmp_path / "told", models=models))
        models["judge"] = {**models["judge"], "max_images": 1}
        requests_before = server.count
        with pytest.raises(ModelError, match=r"models\.judge: .* takes 1 image a request \(by its setting\)"):
            await blpo.optimize(config(pairs, tmp_path / "known", models=models))
    assert server.count == requests_before < 80  # of 80: calls under way are not taken back
    assert not (tmp_path / "known").exists()
    with sqlite3.connect(tmp_path / "told" / "responses.sqlite") as db:
        assert db.execute("SELECT count(*) FROM responses").fetchone() == (0,)
    db.close()


async def test_a_question_to_a_person_tells_both_answers_about_a_pair(pairs: Path, tmp_path: Path) -> None:
    def judge(messages: Sequence[BaseMessage]) -> str:
        spreads = [np.std(np.asarray(Image.open(BytesIO(image.data)))) for image in images(messages)]
        calmer = "first" if spreads[0] < spreads[1] else "second"
        return json.dumps({"reason": "so", "label": calmer if "calmer" in str(messages[0].content) else "first"})

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        text = str(messages[0].content)
        tag = next(t for t in ("critique", "judge_prompt", "i2t_prompt") if f"inside <{t}> and" in text)
        return f"<{tag}>Choose the calmer one.</{tag}>"

    names = {"judge": scripted("leaning", judge), "optimizer": scripted("writing", optimizer)}
    models = {role: {"name": name} for role, name in names.items()} | {"verbalizer": {"name": "embedded:verbalizer"}}
    search = {"trials": "scored", "score_on": "batch", "outer_rounds": 1, "inner_steps": 0, "error_batch": 6}
    settings = config(pairs, tmp_path / "run", models=models, search={**search, "anchors": 0}, approval="judge")
    question = (await blpo.optimize(settings)).result["question"]
    assert question["score"] is not None and question["score"] > 0
    for change in question["fixes"]:
        assert (change["before"], change["after"]) == ("first in both orders", change["label"])
    assert question["fixes"]
    result = (await blpo.resume(tmp_path / "run", answer="approve")).result
    assert result["status"] == "complete"
    assert result["rounds"][-1]["judge_prompt"] == "Choose the calmer one."
