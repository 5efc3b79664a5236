"""The open run: nodes find the run in the context, and a second opening never changes the settings."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.config.settings_file import load_settings
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_models import open_recall
from blpo.inference.open_run import OpenRun, open_run, run_of, settings_of
from blpo.inference.verdicts import judge_sample, judge_samples, recalled_verdicts
from state.errors import RunError
from state.loops import OuterState
from state.settings import Settings

Runs = list[OpenRun]


def settings_in(folder: Path, *overrides: str) -> Settings:
    return load_settings({}, [f"run.dir={folder / 'run'}", "data.limit=60", *overrides])


def store_in(folder: Path) -> Path:
    return folder / "run" / "responses.sqlite"


def graph_that_notes(runs: Runs) -> Any:
    """A graph with a subgraph; the nodes note their open run."""

    async def note(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
        async with run_of(runtime) as run:
            assert settings_of(runtime) == run.settings
            runs.append(run)
        return {"round": len(runs)}

    inner = StateGraph(OuterState, context_schema=CONTEXT)
    inner.add_node("note", note)
    inner.add_edge(START, "note")
    outer = StateGraph(OuterState, context_schema=CONTEXT)
    outer.add_node("note", note)
    outer.add_node("loop", inner.compile())
    outer.add_edge(START, "note")
    outer.add_edge("note", "loop")
    outer.add_edge("loop", END)
    return outer.compile(checkpointer=InMemorySaver())


async def test_another_opening_with_other_settings_is_refused(tmp_path: Path) -> None:
    first = settings_in(tmp_path, "search.seed=1", "limits.calls=100")
    second = settings_in(tmp_path, "search.seed=2", "limits.calls=5")
    async with open_run(first, store_in(tmp_path)) as run:
        with pytest.raises(RunError, match=r"responses\.sqlite is open with other settings"):
            async with open_run(second, store_in(tmp_path)):
                pass
        async with open_run(first, store_in(tmp_path)) as again:
            assert again is run
        assert await run.store.usage() == {}  # the store is still open
    async with open_run(second, store_in(tmp_path)) as later:
        assert (later.settings.search.seed, later.budget.limits.calls) == (2, 5)


async def test_nodes_of_both_loops_find_the_run_that_is_held(tmp_path: Path) -> None:
    settings, runs = settings_in(tmp_path), Runs()
    graph = graph_that_notes(runs)
    config = {"configurable": {"thread_id": "t"}}
    async with open_run(settings, store_in(tmp_path), thread="t") as run:
        await graph.ainvoke({}, config, context=Settings())  # the settings of the open run count
        async for _ in graph.astream({}, config, subgraphs=True):
            pass
    assert len(runs) == 4
    assert all(each is run for each in runs)


async def test_without_a_holder_each_node_opens_the_run_and_closes_it(tmp_path: Path) -> None:
    settings, runs = settings_in(tmp_path), Runs()
    config = {"configurable": {"thread_id": "t"}}
    await graph_that_notes(runs).ainvoke({}, config, context=settings)
    assert len({id(run) for run in runs}) == 2
    assert {run.settings for run in runs} == {settings}
    assert store_in(tmp_path).exists()


async def test_a_graph_of_another_thread_has_a_run_of_its_own(tmp_path: Path) -> None:
    outer, inner, runs = settings_in(tmp_path / "a"), settings_in(tmp_path / "b"), Runs()
    async with open_run(outer, store_in(tmp_path / "a"), thread="a"):
        await graph_that_notes(runs).ainvoke({}, {"configurable": {"thread_id": "b"}}, context=inner)
    assert [run.settings for run in runs] == [inner, inner]


async def test_runs_in_concurrent_tasks_do_not_meet(tmp_path: Path) -> None:
    async def one(name: str) -> Runs:
        settings, runs = settings_in(tmp_path / name), Runs()
        async with open_run(settings, store_in(tmp_path / name), thread=name) as run:
            await graph_that_notes(runs).ainvoke({}, {"configurable": {"thread_id": name}}, context=settings)
        assert all(each is run for each in runs)
        return runs

    both = await asyncio.gather(one("a"), one("b"))
    assert [len(runs) for runs in both] == [2, 2]


async def test_a_recall_answers_from_the_store_alone_and_changes_nothing(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    prompt, _ = initial_prompts(settings)
    async with open_run(settings, store_in(tmp_path)) as run:
        first, second, *_ = run.split("test")
        verdicts = await judge_samples(run, prompt, [first])
        usage = await run.caller.usage()
        recorded = await recalled_verdicts(run, prompt, [first, second])
        assert recorded[0] == verdicts[0]
        assert (recorded[1].status, recorded[1].reason) == ("error", "was never answered (not asked again)")
    content = store_in(tmp_path).read_bytes()
    async with open_recall(settings, store_in(tmp_path)) as recall:
        assert await judge_sample(recall, prompt, first) == verdicts[0]
        assert (await judge_sample(recall, prompt, second)).status == "error"
        assert await recall.caller.usage() == usage
    assert store_in(tmp_path).read_bytes() == content
