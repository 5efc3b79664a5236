"""Dollars: counted by role, shown, and limited over resumes."""

import io
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import blpo
from blpo.cli.usage_table import UNKNOWN, usage_table
from blpo.runs.run_progress import Progress, advance
from state.events import ProgressEvent, Spending
from state.role_usage import RoleUsage
from tests.small_set import draw_dataset


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = draw_dataset(tmp_path_factory.mktemp("priced") / "set")
    models = {
        "judge": {"name": "embedded:judge", "price": {"input": 2, "output": 10}},
        "optimizer": {"name": "embedded:optimizer", "price": {"input": 5, "output": 20}},
    }
    search = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4}
    return folder, {"data": {"path": str(folder / "labels.csv")}, "models": models, "search": search}


async def test_dollars_are_counted_by_role_and_for_every_answer(
    priced: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    events: list[Any] = []
    config = {**priced[1], "run": {"dir": str(tmp_path / "run")}}
    result = (await blpo.optimize(config, on_event=events.append)).result
    judge, verbalizer, optimizer = (result["calls"][role] for role in ("judge", "verbalizer", "optimizer"))
    assert judge["usd"] == pytest.approx((judge["input_tokens"] * 2 + judge["output_tokens"] * 10) / 1e6)
    assert optimizer["usd"] == pytest.approx((optimizer["input_tokens"] * 5 + optimizer["output_tokens"] * 20) / 1e6)
    assert verbalizer["usd"] == 0
    database = sqlite3.connect(tmp_path / "run" / "responses.sqlite")
    assert database.execute("SELECT sum(usd) FROM calls").fetchone()[0] == pytest.approx(
        (judge["usd"] or 0) + (optimizer["usd"] or 0)
    )
    database.close()
    spent = [event["spent"]["usd"] for event in events if event["event"] == "progress"]
    assert spent == sorted(spent)
    assert spent[-1] > 0
    progress = Progress()
    for event in events:
        if event["event"] == "phase" and progress.done == progress.total > 0:  # a followed node has ended
            for role, usage in event["usage"].items():
                live = progress.usage[role]
                final, live_sum = ([u["issued"], u["input_tokens"] + u["output_tokens"]] for u in (usage, live))
                assert live_sum == final
                assert live["usd"] == pytest.approx(usage["usd"])
        progress = advance(progress, event)


async def test_a_budget_in_dollars_is_kept_over_resumes(priced: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    directory = tmp_path / "run"
    whole = (await blpo.optimize({**priced[1], "run": {"dir": str(tmp_path / "whole")}})).result
    whole_usd = sum(usage["usd"] or 0 for usage in whole["calls"].values())
    config = {**priced[1], "run": {"dir": str(directory)}, "limits": {"usd": whole_usd / 4}}
    result = (await blpo.optimize(config)).result
    for share in (0.5, 0.75):
        assert result["status"] == "budget"
        result = (await blpo.resume(directory, overrides=[f"limits.usd={whole_usd * share}"])).result
        in_flight = 16 * max(
            (usage["usd"] or 0) / max(usage["issued"], 1) for usage in whole["calls"].values()
        )  # the dearest role's mean
        assert sum(usage["usd"] or 0 for usage in result["calls"].values()) <= whole_usd * share + in_flight
    result = (await blpo.resume(directory, overrides=["limits.usd=null"])).result
    assert result["status"] == "complete"
    assert sum(usage["usd"] or 0 for usage in result["calls"].values()) == pytest.approx(whole_usd)


def test_an_unknown_price_is_null_and_is_said() -> None:
    priced_usage = RoleUsage(issued=10, cached=2, failed=0, input_tokens=5, output_tokens=6, usd=1.25)
    unknown = RoleUsage(issued=7, cached=0, failed=0, input_tokens=5, output_tokens=6, usd=None)
    free = RoleUsage(issued=1, cached=0, failed=0, input_tokens=5, output_tokens=6, usd=0.0)
    text = table_text({"judge": priced_usage, "optimizer": unknown})
    assert UNKNOWN in text
    assert "17      2     22 1.25+?" in text
    assert "?" not in table_text({"judge": priced_usage, "optimizer": free})
    assert "US $" not in table_text({"judge": free, "optimizer": free})


def test_what_each_role_spends_is_followed_while_a_node_works() -> None:
    nothing = RoleUsage(issued=0, cached=0, failed=0, input_tokens=0, output_tokens=0, usd=0.0)
    usage: dict[str, RoleUsage] = {
        "judge": {**nothing, "issued": 10, "output_tokens": 6, "usd": 1.25},
        "optimizer": nothing,
        "verbalizer": {**nothing, "issued": 4, "input_tokens": 9, "usd": None},
    }
    began = advance(Progress(), {"event": "phase", "round": 0, "phase": "judge", "usage": usage})
    all_roles: Spending = {"calls": 99, "tokens": 515, "usd": 7.5}
    spent = ProgressEvent(event="progress", round=0, done=1, total=9, spent=all_roles)
    working = advance(began, spent)
    judge = working.usage["judge"]
    assert (judge["issued"], judge["input_tokens"] + judge["output_tokens"], judge["usd"]) == (95, 506, 7.5)
    assert working == advance(working, spent)
    assert {name: working.usage[name] for name in ("optimizer", "verbalizer")} == {
        name: usage[name] for name in ("optimizer", "verbalizer")
    }
    described = advance(replace(began, phase="verbalize"), spent)
    assert described.usage["verbalizer"]["usd"] is None
    assert (described.usage["verbalizer"]["issued"], described.usage["judge"]) == (89, usage["judge"])


def table_text(usage: dict[str, RoleUsage]) -> str:
    console = Console(file=io.StringIO(), width=60)
    console.print(usage_table(usage))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_the_table_shows_tokens_from_a_servers_cache_if_any() -> None:
    usage: dict[str, RoleUsage] = {
        role: {"issued": 3, "cached": 0, "failed": 0, "input_tokens": 5000, "output_tokens": 1, "usd": 0.0}
        for role in ("judge", "optimizer")
    }
    assert "reused" not in table_text(usage)
    usage["judge"]["cached_tokens"] = 4321
    assert "reused" in table_text(usage)
    assert [line.split()[-1] for line in table_text(usage).splitlines()[1:4]] == ["4321", "0", "4321"]
