"""Methods of the comparison: they run to the end within the budget, also a second time and after interrupts."""

import asyncio
import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage
from langgraph.runtime import RunControl

from blpo.config.settings_file import load_settings
from blpo.inference.rounds import selected_round
from blpo.models.embedded.chat import texts
from blpo.models.embedded.message_images import images
from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.runs.driver import Search
from blpo.runs.run_record import RunRecord
from blpo.runs.start_and_resume import resume_run, start_run
from evals.methods import METHODS
from evals.methods.method import Method
from state.errors import ModelError, RunError
from state.result import Result
from state.settings import Settings
from tests.scripted import scripted
from tests.small_set import draw_dataset, edit_labels

NAMES = [name for name, method in METHODS.items() if method.judging is None and not method.runs_each_task]
OWN_GRAPHS = ["opro", "apo", "textgrad", "gepa", "judge_as_i2t", "random_i2t", "random_i2t_pooled", "no_image"]
"""The remaining methods share BLPO's graph, which other tests drain, or APO's graph."""
POOLING = ["blpo", "random_i2t_pooled"]
"""Methods with pooled trials, which have no score."""
SHORT_ROUNDS = ["textgrad", "judge_as_i2t", "no_image"]
"""Methods whose rounds cost little. The budget sets the number of rounds."""
LIMITS = {name: 75 if name in SHORT_ROUNDS else 220 for name in NAMES}
"""Budgets of runs: 21 calls for p_0 on train and validation, 18 reserved for the test, the rest for the search."""
_WANTED_TAG = re.compile(r"inside <(\w+)> and\s</\1>")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_dataset(tmp_path_factory.mktemp("methods") / "set")
    sentence = "Somebody once saw a card with many dots on it, and wrote the number {} on its back."
    edit_labels(folder, lambda rows: [row.update(text=sentence.format(row["id"])) for row in rows])
    return folder


def settings_for(method: Method, folder: Path, run: Path, *overrides: str) -> Settings:
    steps, batch = (2, 12) if method.name in POOLING else (1, 6)
    small = {"error_batch": batch, "anchors": 4, "inner_steps": steps}
    sizes = ["search.outer_rounds=1", *(f"search.{name}={n}" for name, n in small.items())]
    return method.adapt(load_settings(folder / "config.yaml", [f"run.dir={run}", *sizes, *overrides]), small)


def run_method(name: str, folder: Path, run: Path, *overrides: str, **options: Any) -> Result:
    method = METHODS[name]
    return asyncio.run(
        start_run(settings_for(method, folder, run, *overrides), search=Search(method.name, method.builder), **options)
    ).result


def calls(run: Path) -> list[tuple[str, str]]:
    database = sqlite3.connect(run / "responses.sqlite")
    rows = database.execute("SELECT key, role FROM calls").fetchall()
    database.close()
    return rows


def comparable(result: Result) -> dict[str, Any]:
    return {key: value for key, value in result.items() if key not in ("calls", "seconds")}


@pytest.fixture(scope="module")
def finished(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    run = tmp_path_factory.mktemp("runs") / request.param
    return request.param, run, run_method(request.param, folder, run, f"limits.calls={LIMITS[request.param]}")


def test_methods_are_known_by_name_and_in_order() -> None:
    assert all(name == method.name and method.title for name, method in METHODS.items())
    assert [*METHODS][:7] == ["none", "opro", "apo", "apo_image", "textgrad", "gepa", "blpo"]
    assert [*METHODS][7:12] == ["fixed_i2t", "judge_as_i2t", "random_i2t", "random_i2t_pooled", "no_image"]
    assert [*METHODS][12:] == [
        *("one_order", "random_order", "pointwise"),
        *("pointwise_sort", "bradley_terry"),
        "separate_runs",
    ]
    assert [*METHODS][:12] == NAMES


@pytest.mark.parametrize("finished", NAMES, indirect=True)
def test_a_run_keeps_its_budget_pays_nothing_twice_and_selects_by_validation(finished: Any) -> None:
    name, run, result = finished
    rows = calls(run)
    assert len({key for key, _ in rows}) == len(rows) <= LIMITS[name]
    assert {role: usage["issued"] for role, usage in result["calls"].items() if usage["issued"]} == {
        role: sum(r == role for _, r in rows) for role in {r for _, r in rows}
    }
    assert result["test"] is not None
    rounds: Any = result["rounds"]
    assert result["best_round"] == selected_round(rounds, RunRecord.read(run).settings.search)
    trials = sum(len(record["trials"]) for record in result["rounds"])
    assert (trials == 0) == (name == "none")
    verbalizes = name in ("blpo", "fixed_i2t", "judge_as_i2t", "random_i2t", "random_i2t_pooled")
    assert (result["calls"]["verbalizer"]["issued"] > 0) == verbalizes


@pytest.mark.parametrize("finished", NAMES, indirect=True)
def test_a_prompt_adopted_is_one_that_was_tried_and_copies_no_sample(finished: Any) -> None:
    name, run, result = finished
    lines = (run / "verdicts" / "initial.jsonl").read_text().splitlines()
    for before, record in zip(result["rounds"], result["rounds"][1:], strict=False):
        trials = (run / "rounds" / f"{before['round']:02d}" / "trials.jsonl").read_text().splitlines()
        scores = {json.loads(line)["judge_prompt"]: json.loads(line)["score"] for line in trials}
        if name in POOLING:
            assert set(scores.items()) == {(None, None)}
        else:
            assert record["judge_prompt"] == before["judge_prompt"] or scores[record["judge_prompt"]] > 0
        assert not any(json.loads(line)["id"] in record["judge_prompt"].split() for line in lines)
        assert "Somebody once" not in record["judge_prompt"]
    assert name != "none" or len(result["rounds"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("finished", OWN_GRAPHS, indirect=True)
def test_drained_at_every_superstep_a_run_ends_alike(finished: Any, folder: Path, tmp_path: Path) -> None:
    name, run, calm = finished
    search, steps, control = Search(name, METHODS[name].builder), 0, RunControl()
    control.request_drain("test")
    result = run_method(name, folder, tmp_path / "run", f"limits.calls={LIMITS[name]}", control=control)
    with pytest.raises(RunError, match=f"the method {name} .*blpo evals"):
        asyncio.run(resume_run(tmp_path / "run"))
    while result["status"] == "interrupted":
        steps += 1
        assert steps < 200
        control = RunControl()

        def drain(event: Any, control: RunControl = control) -> None:
            if event["event"] == "phase":
                control.request_drain("test")

        result = asyncio.run(resume_run(tmp_path / "run", on_event=drain, control=control, search=search)).result
    assert steps >= 3
    assert comparable(result) == comparable(calm)
    rows = calls(tmp_path / "run")
    assert len({key for key, _ in rows}) == len(rows) == len(calls(run))


@pytest.mark.parametrize("name", OWN_GRAPHS)
def test_wherever_the_budget_ends_the_run_ends_well(name: str, folder: Path, tmp_path: Path) -> None:
    for limit in (20, 62):
        result = run_method(name, folder, tmp_path / str(limit), f"limits.calls={limit}")
        assert len(calls(tmp_path / str(limit))) <= limit
        assert result["status"] in ("budget", "complete")
        assert result["test"] is not None  # of p_0 alone if the budget allows no more


@pytest.mark.parametrize("name", [name for name in OWN_GRAPHS if name != "gepa"])
def test_an_optimizer_that_talks_about_something_else_does_not_end_the_run(
    name: str, folder: Path, tmp_path: Path
) -> None:
    chatty = scripted("chatty", lambda messages: "I would rather talk about something else.")
    result = run_method(name, folder, tmp_path / "run", f"models.optimizer.name={chatty}")
    assert (result["status"], result["stop_reason"]) == ("complete", "rounds")
    assert all(trial["score"] is None for record in result["rounds"] for trial in record["trials"])
    assert len({record["judge_prompt"] for record in result["rounds"]}) == 1


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_an_optimizer_that_copies_what_it_is_shown_gets_nothing_adopted(
    name: str, folder: Path, tmp_path: Path
) -> None:
    def copy(messages: Sequence[BaseMessage]) -> str:
        task = texts(messages[:1])
        passages = re.findall(r"<(text|description|critique|feedback)>(.+?)</\1>", task, re.DOTALL)
        copied = " ".join([*(text for _, text in passages), *re.findall("Somebody once.*", task)])
        tag = (_WANTED_TAG.findall(task) or ["judge_prompt"])[-1]  # GEPA's own prompt wants no tag
        return f"<{tag}>Describe or rate it by how noisy it is. {copied}</{tag}>"

    name_of = scripted("copying", copy)
    result = run_method(name, folder, tmp_path / "run", f"models.optimizer.name={name_of}")
    assert result["status"] == "complete"
    for line in (tmp_path / "run" / "rounds" / "00" / "trials.jsonl").read_text().splitlines():
        assert "Somebody once" not in (json.loads(line)["judge_prompt"] or "")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "none"])
def test_the_optimizer_is_shown_images_where_the_method_says_so_and_texts_as_data(
    name: str, folder: Path, tmp_path: Path
) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def remember(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return EmbeddedOptimizer().answer(messages)

    name_of = scripted("remembering", remember)
    run_method(name, folder, tmp_path / "run", f"models.optimizer.name={name_of}")
    counts = {len(images(messages)) for messages in requests}
    assert (min(counts), max(counts)) == {"textgrad": (0, 1), "apo_image": (0, 6), "gepa": (6, 6)}.get(name, (0, 0))
    for messages in requests if name != "gepa" else ():  # GEPA's own prompt shows texts in its own way
        task = texts(messages)
        assert task.count("Somebody once") == len(re.findall(r"<text>Somebody once[^<]*</text>", task))


@pytest.mark.parametrize("name", ["textgrad", "apo_image"])
def test_a_blind_optimizer_is_refused_by_methods_that_show_images(name: str) -> None:
    models = {"optimizer": {"name": "openai:o3-mini"}}
    with pytest.raises(ModelError, match=r"o3-mini can't see images.*models\.optimizer\.vision: true"):
        METHODS[name].adapt(Settings.model_validate({"models": models}))
    models["optimizer"]["vision"] = True  # type: ignore[assignment]
    METHODS[name].adapt(Settings.model_validate({"models": models}))
    assert METHODS["apo"].adapt(Settings()).models == Settings().models
