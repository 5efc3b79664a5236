"""Whole runs of the graph with the embedded models, and the content of run directories."""

import asyncio
import json
import re
import sqlite3
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import BaseMessage
from langgraph.runtime import RunControl
from pydantic import TypeAdapter

import blpo
from blpo.config.settings_file import load_settings
from blpo.inference.rounds import selected_round
from blpo.models.embedded.chat import texts
from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.runs.judge_file import read_judge_file
from blpo.storage.checkpoints import open_checkpoints
from graph.outer import builder, graph
from state.errors import DataError, RunError, TooManyFailures
from state.events import Event
from state.result import Result
from state.settings import Settings
from tests.scripted import scripted
from tests.small_set import draw_dataset, edit_labels

SMALL: dict[str, Any] = {"search": {"outer_rounds": 2, "inner_steps": 2, "error_batch": 16}}
SEARCHES: dict[str, dict[str, Any]] = {
    "pooled": {},
    "scored": {"trials": "scored", "inner_steps": 1, "error_batch": 6},
}
"""Search settings of the finished runs, beside `SMALL`."""


class Finished(NamedTuple):
    """A finished run."""

    directory: Path
    result: Result
    search: dict[str, Any]


def config(directory: Path, **sections: dict[str, Any]) -> dict[str, Any]:
    names = {*SMALL, *sections}
    return {n: {**SMALL.get(n, {}), **sections.get(n, {})} for n in names} | {"run": {"dir": str(directory)}}


def calls(directory: Path) -> list[tuple[str, str, str]]:
    database = sqlite3.connect(directory / "responses.sqlite")
    rows = database.execute("SELECT key, role, outcome FROM calls").fetchall()
    database.close()
    return rows


def comparable(result: Result) -> dict[str, Any]:
    usage = {
        role: {k: v for k, v in counts.items() if k not in ("issued", "cached")}
        for role, counts in result["calls"].items()
    }
    return {**result, "calls": usage, "seconds": None}


@pytest.fixture(scope="module", autouse=True)
def dataset(tmp_path_factory: pytest.TempPathFactory) -> None:
    SMALL["data"] = {"path": str(draw_dataset(tmp_path_factory.mktemp("data") / "set", 60))}


@pytest.fixture(scope="module", params=SEARCHES)
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    search = SEARCHES[request.param]
    directory = tmp_path_factory.mktemp("runs") / "calm"
    return Finished(directory, asyncio.run(blpo.optimize(config(directory, search=search))).result, search)


async def test_result_and_files(finished: Finished) -> None:
    directory, result, search = finished
    assert json.loads((directory / "result.json").read_text()) == result
    assert result["status"] == "complete"
    assert result["stop_reason"] in ("rounds", "patience", "no_errors")
    assert result["test"] is not None
    assert set(result["test"]) == {
        *("initial", "best", "p_value", "difference_ci95"),
        *("left_out", "beyond_guessing"),
    }
    rounds: Any = result["rounds"]
    assert result["best_round"] == selected_round(rounds, load_settings(config(directory, search=search)).search)
    for record in result["rounds"]:
        folder = directory / "rounds" / f"{record['round']:02d}"
        assert (folder / "judge.md").read_text().strip() == record["judge_prompt"]
        assert (folder / "i2t.md").read_text().strip() == record["i2t_prompt"]
        errors = [json.loads(line) for line in (folder / "errors.jsonl").read_text().splitlines()]
        assert len(errors) == record["errors"]
        assert ("anchors" in record, "labelled" in record) == (not search, not search)
        assert all(row["status"] == "ok" and row["label"] != row["verdict"] for row in errors)
        trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
        assert [t["score"] for t in trials] == [t["score"] for t in record["trials"]]
        assert all((t["score"] is None) == (not search) for t in trials)
    for name in ("initial", "best"):
        rows = (directory / "verdicts" / f"{name}.jsonl").read_text().splitlines()
        assert len(rows) == 60


async def test_events_on_disk_are_those_of_the_documented_union(finished: Finished) -> None:
    events: list[dict[str, Any]] = [
        json.loads(line) for line in (finished[0] / "events.jsonl").read_text().splitlines()
    ]
    for event in events:
        assert datetime.fromisoformat(event.pop("time")).tzinfo is not None
        assert TypeAdapter(Event).validate_python(event, strict=True) == event
    assert {event["event"] for event in events} == {"started", "phase", "judged", "errors", "trial", "tested"}


async def test_no_request_is_issued_twice(finished: Finished) -> None:
    rows = calls(finished[0])
    assert len({key for key, _, _ in rows}) == len(rows) > 100
    assert {outcome for _, _, outcome in rows} == {"ok"}
    issued = {role: sum(r == role for _, r, _ in rows) for role in ("judge", "verbalizer", "optimizer")}
    assert {role: usage["issued"] for role, usage in finished[1]["calls"].items()} == issued


async def test_the_prompt_adopted_is_the_prompt_that_was_scored(finished: Finished) -> None:
    directory, result, search = finished
    if not search:  # pooled trials have no scores
        assert {trial["score"] for record in result["rounds"] for trial in record["trials"]} == {None}
        return
    for record, following in zip(result["rounds"], result["rounds"][1:], strict=False):
        folder = directory / "rounds" / f"{record['round']:02d}"
        trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
        best = max(trials, key=lambda t: -2 if t["score"] is None else t["score"])
        adopted = best["judge_prompt"] if best["score"] > 0 else record["judge_prompt"]
        assert following["judge_prompt"] == adopted
        assert following["i2t_prompt"] == best["i2t_prompt"]


async def test_pooled_rounds_describe_a_filled_batch_and_judge_only_what_is_adopted(tmp_path: Path) -> None:
    requests: list[str] = []

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        requests.append(texts(messages[:1]))
        return EmbeddedOptimizer().answer(messages)

    models = {"optimizer": {"name": scripted("counting", optimizer)}}
    search = {"outer_rounds": 2, "inner_steps": 3, "error_batch": 10}
    result = (await blpo.optimize(config(tmp_path / "run", search=search, models=models))).result
    first, second = result["rounds"][:2]
    trials = [trial["i2t_prompt"] for trial in first["trials"]]
    assert (first["errors"] + first["anchors"], len(set(trials))) == (10, 3)
    assert trials[0] == first["i2t_prompt"] == "Describe the image."
    assert second["i2t_prompt"] == trials[-1] and trials[-1] not in [t["i2t_prompt"] for t in second["trials"]]
    assert (len(second["trials"]), len(result["rounds"])) == (2, 3)  # a later round has two at most
    update = next(text for text in requests if "<wrong_cases>" in text)
    assert update.count("</case>") == 10 and update.count("<description>") == 30
    coverage = [text for text in requests if "do the descriptions of these cases not state yet" in text]
    described = [text.count("<description>") // 10 for text in coverage]
    assert described == [1, 2, 0, 1]  # a round after the first begins with the judge's reasons alone
    prompts = {record["judge_prompt"] for record in result["rounds"]}
    assert result["calls"]["judge"]["issued"] == 42 * len(prompts) + 18 * (1 + (result["best_round"] > 0))
    assert result["calls"]["verbalizer"]["issued"] == 50


async def test_a_trial_is_scored_on_samples_that_its_update_was_not_shown(tmp_path: Path) -> None:
    requests: list[str] = []

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        requests.append(texts(messages[:1]))
        return EmbeddedOptimizer().answer(messages)

    models = {"optimizer": {"name": scripted("scored_outside", optimizer)}}
    search = {**SEARCHES["scored"], "outer_rounds": 1, "error_batch": 6, "anchors": 2}
    result = (await blpo.optimize(config(tmp_path / "run", search=search, models=models))).result
    trials = [json.loads(line) for line in (tmp_path / "run/rounds/00/trials.jsonl").read_text().splitlines()]
    assert all(trial["noise"] >= 0 for trial in trials if trial["score"] is not None)
    best = max(trials, key=lambda trial: trial["score"])
    adopted = best["judge_prompt"] if best["score"] > best["noise"] else result["rounds"][0]["judge_prompt"]
    assert result["rounds"][1]["judge_prompt"] == adopted
    assert not any("<judge_after>" in text for text in requests)
    record = json.loads((tmp_path / "run/rounds/00/record.json").read_text())
    batch, scored_on = {*record["errors"], *record["anchors"]}, set(record["scored_on"])
    assert (len(batch), len(scored_on)) == (8, 32) and scored_on.isdisjoint(batch)
    assert result["calls"]["judge"]["issued"] >= 42 + 32


async def test_the_result_tells_gains_spending_and_advice(tmp_path: Path) -> None:
    search = {"outer_rounds": 2, "inner_steps": 2, "error_batch": 24, "patience": None}
    result = (await blpo.optimize(config(tmp_path / "run", search=search))).result
    assert ["gain" in record for record in result["rounds"]] == [False, True, True]
    calls, spent = result["calls"], result["spent"]
    assert sum(spent.values()) == sum(usage["issued"] for usage in calls.values())
    prompts = len({record["judge_prompt"] for record in result["rounds"]})
    tested = len({result["rounds"][t]["judge_prompt"] for t in (0, result["best_round"])})
    assert (spent["train_and_validation"], spent["test"], spent["other"]) == (42 * prompts, 18 * tested, 0)
    assert "the same 42 samples of train and validation, and can use 6 more" in result["advice"]


async def test_after_full_agreement_nothing_is_advised(tmp_path: Path) -> None:
    """The judge errs without a rubric: the text of a sample holds the label."""

    def judge(messages: Sequence[BaseMessage]) -> str:
        text = texts(messages)
        label = re.search(r"label-(\d)", text)
        return json.dumps({"reason": "", "label": 3 if " when " not in text or label is None else int(label[1])})

    folder = draw_dataset(tmp_path / "set", 60)
    edit_labels(folder, lambda rows: [row.update(text=f"label-{row['label']}") for row in rows])
    search = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 40}
    models = {"judge": {"name": scripted("knowing", judge)}, "optimizer": {"name": "embedded:optimizer"}}
    models["verbalizer"] = {"name": "embedded:verbalizer"}
    sections: dict[str, Any] = {"search": search, "models": models, "data": {"path": str(folder)}}
    result = (await blpo.optimize(config(tmp_path / "run", **sections))).result
    assert (result["stop_reason"], result["best_round"]) == ("rounds", 1)
    assert result["labelled"]["best"]["accuracy"] == 1
    assert "advice" not in result


async def test_verdicts_of_an_unfinished_first_round_are_of_train_and_validation(tmp_path: Path) -> None:
    result = (await blpo.optimize(config(tmp_path / "run", limits={"calls": 50}))).result
    assert (result["stop_reason"], result["rounds"]) == ("budget", [])
    spent = result["spent"]
    assert (spent["other"], spent["test"]) == (0, 18)
    assert spent["train_and_validation"] == result["calls"]["judge"]["issued"] - 18 > 0


async def test_a_failed_i2t_prompt_leaves_the_others(tmp_path: Path) -> None:
    def optimizer(messages: Sequence[BaseMessage]) -> str:
        task = texts(messages[:1])
        is_first = "inside <i2t_prompt>" in task and task.count("<tried>") == 1
        return "no" if is_first else EmbeddedOptimizer().answer(messages)

    models = {"optimizer": {"name": scripted("failing", optimizer)}}
    search = {"outer_rounds": 1, "inner_steps": 3, "error_batch": 10}
    result = (await blpo.optimize(config(tmp_path / "run", search=search, models=models))).result
    lines = (tmp_path / "run" / "rounds" / "00" / "trials.jsonl").read_text().splitlines()
    assert [json.loads(line)["failure"] is None for line in lines] == [True, False, True]
    assert result["rounds"][1]["judge_prompt"] != result["rounds"][0]["judge_prompt"]


async def test_without_any_description_p_stays(tmp_path: Path) -> None:
    def optimizer(messages: Sequence[BaseMessage]) -> str:
        return "no" if "<cases>" in texts(messages[:1]) else EmbeddedOptimizer().answer(messages)

    models = {"optimizer": {"name": scripted("speechless", optimizer)}}
    result = (await blpo.optimize(config(tmp_path / "run", models=models))).result
    prompts = [record["judge_prompt"] for record in result["rounds"]]
    assert prompts[1] != prompts[0] and prompts[2] == prompts[1]
    assert all(trial["i2t_prompt"] is None for trial in result["rounds"][1]["trials"])


async def test_resuming_a_finished_run_returns_its_result_and_asks_nothing(finished: Finished) -> None:
    directory, result, _ = finished
    before = len(calls(directory))
    assert (await blpo.resume(directory)).result == result
    assert len(calls(directory)) == before


async def test_the_judge_judges_as_the_run_did(finished: Finished) -> None:
    directory, result, search = finished
    judge = blpo.load_judge(directory / "judge.yaml")
    assert judge.file.judge_prompt == result["rounds"][result["best_round"]]["judge_prompt"]
    rows = [json.loads(line) for line in (directory / "verdicts" / "best.jsonl").read_text().splitlines()]
    from blpo.data.run_dataset import dataset_of

    dataset = dataset_of(Settings.model_validate(config(directory, search=search)))
    verdicts = await judge([dataset.by_id[row["id"]] for row in rows])
    assert [v.label for v in verdicts] == [row["verdict"] for row in rows]


@pytest.mark.slow
async def test_draining_at_every_superstep_changes_nothing(finished: Finished, tmp_path: Path) -> None:
    directory, steps = tmp_path / "stopped", 0
    control = RunControl()
    control.request_drain("test")
    search = finished.search
    result = (await blpo.optimize(config(directory, search=search), control=control)).result
    while result["status"] == "interrupted":
        steps += 1
        assert steps < 100
        control = RunControl()

        def drain(event: Any, control: RunControl = control) -> None:
            if event["event"] == "phase":
                control.request_drain("test")

        result = (await blpo.resume(directory, on_event=drain, control=control)).result
    assert steps > 10
    assert comparable(result) == comparable(finished[1])
    rows = calls(directory)
    assert len({key for key, _, _ in rows}) == len(rows) == len(calls(finished[0]))


async def test_without_its_checkpoints_a_run_is_replayed_at_no_cost(finished: Finished, tmp_path: Path) -> None:
    directory = tmp_path / "replayed"
    await blpo.optimize(config(directory, search=finished.search))
    before = len(calls(directory))
    (tmp_path / "checkpoints.sqlite").unlink()
    (directory / "result.json").unlink()
    assert comparable((await blpo.resume(directory)).result) == comparable(finished[1])
    assert len(calls(directory)) == before


async def test_the_compiled_graph_gives_the_same_result(finished: Finished, tmp_path: Path) -> None:
    context: Any = config(tmp_path / "bare", search=finished.search)
    output = await graph.ainvoke({}, context=context)
    assert comparable(output["result"]) == comparable(finished[1])


@pytest.mark.parametrize("limit", [1, 30, 100])
async def test_a_budget_of_calls_is_kept(tmp_path: Path, limit: int) -> None:
    result = (await blpo.optimize(config(tmp_path / "run", limits={"calls": limit}))).result
    assert result["status"] == "budget"
    assert result["stop_reason"] == "budget"
    assert sum(usage["issued"] for usage in result["calls"].values()) == len(calls(tmp_path / "run")) <= limit
    assert read_judge_file(tmp_path / "run" / "judge.yaml").judge_prompt
    again = (await blpo.resume(tmp_path / "run")).result
    assert again == result


async def test_a_spent_budget_saves_the_best_prompt_so_far(tmp_path: Path) -> None:
    data = {"path": str(draw_dataset(tmp_path / "set", 90))}
    search = {"outer_rounds": 3, "inner_steps": 1, "error_batch": 8}
    result = (
        await blpo.optimize(
            {"data": data, "search": search, "limits": {"calls": 240}, "run": {"dir": str(tmp_path / "run")}}
        )
    ).result
    assert (result["status"], result["best_round"]) == ("budget", 1)
    assert read_judge_file(tmp_path / "run").judge_prompt == result["rounds"][1]["judge_prompt"]


@pytest.mark.slow
async def test_wherever_the_budget_ends_the_run_ends_well(tmp_path: Path) -> None:
    """Every case allows a call more: the budget is spent in every node of both loops."""
    data = {"path": str(draw_dataset(tmp_path / "set", 30))}
    initial, reserved = 21, 18  # train and validation under p_0; the test split under two prompts
    for limit in range(initial + reserved, initial + reserved + 28, 3):
        result = (await blpo.optimize(config(tmp_path / str(limit), data=data, limits={"calls": limit}))).result
        assert (result["status"], result["stop_reason"]) == ("budget", "budget")
        assert len(calls(tmp_path / str(limit))) <= limit
        assert result["test"] is not None


async def test_raising_the_budget_goes_on_and_pays_nothing_twice(finished: Finished, tmp_path: Path) -> None:
    directory = tmp_path / "run"
    await blpo.optimize(config(directory, limits={"calls": 100}, search=finished.search))
    result = (await blpo.resume(directory, overrides=["limits.calls=null"])).result
    assert comparable(result) == comparable(finished[1])
    rows = calls(directory)
    assert len({key for key, _, _ in rows}) == len(rows)


async def test_the_search_leaves_enough_for_the_test(tmp_path: Path) -> None:
    result = (await blpo.optimize(config(tmp_path / "run", limits={"calls": 90}))).result
    assert result["status"] == "budget"
    assert result["test"] is not None


async def test_preset_paper(tmp_path: Path) -> None:
    result = (await blpo.optimize(config(tmp_path / "run", search={"preset": "paper"}))).result
    assert result["stop_reason"] in ("rounds", "no_errors")
    assert result["best_round"] == len(result["rounds"]) - 1
    prompts = [record["judge_prompt"] for record in result["rounds"]]
    assert len(set(prompts)) > 1


async def test_an_optimizer_that_never_uses_the_tags_does_not_end_the_run(tmp_path: Path) -> None:
    chatty = scripted("chatty", lambda messages: "I would rather talk about something else.")
    result = (await blpo.optimize(config(tmp_path / "run", models={"optimizer": {"name": chatty}}))).result
    assert result["status"] == "complete"
    assert result["stop_reason"] == "rounds"
    assert all(trial["score"] is None for record in result["rounds"] for trial in record["trials"])
    assert result["test"] is not None
    assert result["test"]["p_value"] == 1.0


async def test_an_unusable_reply_is_repaired(tmp_path: Path) -> None:
    def forgetful(messages: Sequence[BaseMessage]) -> str:
        text = "\n".join(str(message.content) for message in messages)
        if len(messages) == 1:
            return "I forgot the tags."
        tag = next(t for t in ("critique", "judge_prompt", "i2t_prompt") if f"inside <{t}> and" in text)
        return f"<{tag}>Look at the image and rate it from 1 to 5. Raise the rating.</{tag}>"

    name = scripted("forgetful", forgetful)
    models = {"optimizer": {"name": name}}
    result = (await blpo.optimize(config(tmp_path / "run", models=models, search=SEARCHES["scored"]))).result
    assert all(trial["score"] is not None for record in result["rounds"] for trial in record["trials"])


async def test_a_prompt_that_is_too_long_is_a_failed_trial(tmp_path: Path) -> None:
    def verbose(messages: Sequence[BaseMessage]) -> str:
        text = str(messages[0].content)
        tag = next(t for t in ("critique", "judge_prompt", "i2t_prompt") if f"inside <{t}> and" in text)
        return f"<{tag}>{'word ' * 2000}</{tag}>"

    models = {"optimizer": {"name": scripted("verbose", verbose)}}
    result = (await blpo.optimize(config(tmp_path / "run", models=models, search=SEARCHES["scored"]))).result
    lines = (tmp_path / "run" / "rounds" / "00" / "trials.jsonl").read_text().splitlines()
    assert all("tokens" in json.loads(line)["failure"] for line in lines)
    assert result["status"] == "complete"


async def test_a_pooled_update_that_fails_keeps_p_and_says_why(tmp_path: Path) -> None:
    def verbose(messages: Sequence[BaseMessage]) -> str:
        is_update = "inside <judge_prompt>" in texts(messages[:1])
        return f"<judge_prompt>{'word ' * 2000}</judge_prompt>" if is_update else EmbeddedOptimizer().answer(messages)

    models = {"optimizer": {"name": scripted("verbose_update", verbose)}}
    result = (await blpo.optimize(config(tmp_path / "run", models=models))).result
    assert len({record["judge_prompt"] for record in result["rounds"]}) == 1
    failures = [record.get("failure", "") for record in result["rounds"]]
    assert ["tokens" in failure for failure in failures] == [True, True, False]
    assert "all 4 trials failed" in result["warnings"][0] and "tokens" in result["warnings"][0]


async def test_verdicts_that_are_no_label_never_reach_the_error_batch(tmp_path: Path) -> None:
    def moody(messages: Sequence[BaseMessage]) -> str:
        mood = zlib.crc32(str(messages[0].content).encode()) % 3
        return ('{"reason": "fine", "label": 3}', "I can't say.", '{"label": 9}')[mood]

    name = scripted("moody", moody)
    models = {"judge": {"name": name}, "optimizer": {"name": "embedded:optimizer"}}
    result = (await blpo.optimize(config(tmp_path / "run", models=models))).result
    rows = [json.loads(line) for line in (tmp_path / "run" / "verdicts" / "initial.jsonl").read_text().splitlines()]
    assert {row["status"] for row in rows} == {"ok", "unparseable"}
    assert {row["verdict"] for row in rows} == {3, None}
    batch = (tmp_path / "run" / "rounds" / "00" / "errors.jsonl").read_text().splitlines()
    assert {json.loads(line)["verdict"] for line in batch} == {3}
    assert 0 < result["rounds"][0]["validation"]["coverage"] < 1
    measured = result["rounds"][0]["validation"]
    strict, answered = measured["strict"]["mae"], measured["mae"]
    assert strict is not None and answered is not None and strict > answered


async def test_another_configuration_and_a_second_process_are_refused(finished: Finished) -> None:
    directory, _, _ = finished
    with pytest.raises(RunError, match=r"search.seed=5: can.t change on resume"):
        await blpo.resume(directory, overrides=["search.seed=5"])
    with pytest.raises(RunError, match="holds a run already"):
        await blpo.optimize(config(directory, search=finished.search))
    from blpo.runs.run_directory import RunDirectory

    run = RunDirectory.open(directory)
    try:
        with pytest.raises(RunError, match="another process"):
            await blpo.resume(directory)
    finally:
        run.close()


async def test_a_dataset_may_move_but_not_change(tmp_path: Path) -> None:
    draw_dataset(tmp_path / "data", 60)
    control = RunControl()
    control.request_drain("test")
    data = {"path": str(tmp_path / "data")}
    await blpo.optimize(config(tmp_path / "run", data=data), control=control)
    (tmp_path / "data").rename(tmp_path / "moved")
    with pytest.raises(DataError, match=r"data.*(does not exist|not there|no such)"):
        await blpo.resume(tmp_path / "run")
    labels = tmp_path / "moved" / "labels.csv"
    content = labels.read_text()
    labels.write_text(content.replace(",5\n", ",4\n"))
    moved = [f"data.path={tmp_path / 'moved'}"]
    with pytest.raises(RunError, match="dataset is not the one"):
        await blpo.resume(tmp_path / "run", overrides=moved)
    labels.write_text(content)
    assert (await blpo.resume(tmp_path / "run", overrides=moved)).result["status"] == "complete"


@pytest.mark.slow
async def test_checkpoints_stay_small_whatever_the_size_of_the_dataset(tmp_path: Path) -> None:
    growth = {}
    dataset = draw_dataset(tmp_path / "set", 240)
    for limit in (60, 240):
        directory = tmp_path / str(limit) / "run"
        await blpo.optimize(config(directory, data={"path": str(dataset), "limit": limit}))
        path = directory.parent / "checkpoints.sqlite"
        async with open_checkpoints(path) as saver:
            compiled = builder.compile(checkpointer=saver)
            thread = json.loads((directory / "run.json").read_text())["thread_id"]
            history = [s async for s in compiled.aget_state_history({"configurable": {"thread_id": thread}})]
        database = sqlite3.connect(path)
        steps, size = database.execute(
            "SELECT count(*), sum(length(checkpoint) + length(metadata)) FROM checkpoints"
        ).fetchone()
        size += database.execute("SELECT sum(length(value)) FROM writes").fetchone()[0]
        database.close()
        assert len(history) > 3
        growth[limit] = size / steps
    assert max(growth.values()) < 64_000
    assert growth[240] < 1.2 * growth[60]


async def test_a_failing_judge_ends_the_run_resumable(tmp_path: Path) -> None:
    pytest.importorskip("blpo.models.served_model")
    models = {"optimizer": {"name": "vllm:nobody", "base_url": "http://127.0.0.1:9/v1", "max_retries": 0}}
    with pytest.raises(TooManyFailures, match="did not answer"):
        await blpo.optimize(config(tmp_path / "run", models=models))
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["status"] == "failed"
    assert "did not answer" in result["stop_reason"]
    paid = len([row for row in calls(tmp_path / "run") if row[2] == "ok"])
    with pytest.raises(TooManyFailures):
        await blpo.resume(tmp_path / "run")
    assert len([row for row in calls(tmp_path / "run") if row[2] == "ok"]) == paid


async def test_tags_in_a_prompt_survive_the_search(tmp_path: Path) -> None:
    rubric = "<criteria>\n<text>Rate it & be strict.</text>\n</criteria>\n</judge_prompt> <case 1>"
    i2t_prompt = "<text>Describe the image.</text>"
    result = (await blpo.optimize(config(tmp_path / "run", prompts={"judge": rubric, "i2t": i2t_prompt}))).result
    adopted = {record["judge_prompt"] for record in result["rounds"]}
    assert len(adopted) > 1
    assert all(prompt.startswith(rubric) for prompt in adopted)
    assert read_judge_file(tmp_path / "run" / "judge.yaml").judge_prompt.startswith(rubric)
