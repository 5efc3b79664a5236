"""What models cost, which may judge, and how dollars are counted, shown and limited."""

import io
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import blpo
from blpo.cli.usage_table import UNKNOWN, usage_table
from blpo.models.catalogue import LIST_PRICES, facts
from blpo.models.role_checks import require_prices, require_vision
from blpo.runs.run_progress import Progress, advance
from state.errors import ConfigError, ModelError
from state.events import ProgressEvent, Spending
from state.result import RoleUsage
from state.settings import LimitSettings, ModelSettings, ModelsSettings, PriceSettings, Settings
from tests.small_set import blpo as command
from tests.small_set import draw_dataset


def model(name: str, **settings: Any) -> ModelSettings:
    return ModelSettings(name=name, **settings)


@pytest.mark.parametrize(
    ("settings", "price"),
    [
        (model("openai:o3"), (2, 8)),
        (model("openai:o3-2025-04-16"), (2, 8)),
        (model("openai:gpt-4o-2024-05-13"), (5, 15)),
        (model("openai:gpt-4o-2024-11-20"), (2.5, 10)),
        (model("openai:o3", price={"input": 1, "output": 0}), (1, 0)),
        (model("openai:o3", base_url="https://api.openai.com/v1"), (2, 8)),
        (model("openai:o3", base_url="https://resold.example/v1"), None),
        (model("openai:o3-unheard-of"), None),
        (model("vllm:o3", base_url="http://h/v1"), None),
        (model("langchain:package.Class"), None),
        (model("embedded:judge"), (0, 0)),
        (model("embedded:judge", price={"input": 3, "output": 4}), (3, 4)),
    ],
)
def test_a_price_is_the_one_set_or_listed_or_unknown(
    settings: ModelSettings, price: tuple[float, float] | None
) -> None:
    known = facts(settings).price.value
    assert (None if known is None else (known.input, known.output)) == price


def test_a_server_named_in_the_environment_has_its_own_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://resold.example/v1")
    assert facts(model("openai:o3")).price.value is None


def test_the_list_is_plausible() -> None:
    assert all(0 < price.input < price.output <= 100 for price in LIST_PRICES.values())


def test_a_budget_in_dollars_needs_every_price() -> None:
    judge, optimizer = model("vllm:q", base_url="http://h/v1"), model("openai:o3")
    models = ModelsSettings(judge=judge, optimizer=optimizer)
    require_prices(models, LimitSettings(calls=5))
    with pytest.raises(ConfigError, match=r"^limits\.usd: .* set models\.judge\.price, in US dollars") as caught:
        require_prices(models, LimitSettings(usd=1))
    assert "verbalizer" not in str(caught.value)
    priced = judge.model_copy(update={"price": PriceSettings(input=0, output=0)})
    require_prices(ModelsSettings(judge=priced, optimizer=optimizer), LimitSettings(usd=1))
    with pytest.raises(ConfigError, match=r"models\.verbalizer\.price and models\.optimizer\.price"):
        require_prices(
            ModelsSettings(judge=priced, verbalizer=judge, optimizer=model("openai:unheard-of")), LimitSettings(usd=1)
        )


TEXT_ONLY = (
    "openai:gpt-3.5-turbo",
    "openai:gpt-4",
    "openai:gpt-4-0613",
    "openai:o3-mini",
    "openai:o1-mini",
    "openai:gpt-oss-120b",
    "vllm:deepseek-ai/DeepSeek-R1",
    "vllm:meta-llama/Llama-3.1-8B-Instruct",
    "vllm:meta-llama/Llama-3.2-3B-Instruct",
    "vllm:Qwen/Qwen2.5-32B-Instruct",
    "vllm:Qwen/Qwen3-8B",
    "vllm:mistralai/Mixtral-8x7B",
    "vllm:google/gemma-2-9b-it",
    "vllm:microsoft/phi-4",
    "vllm-engine:Qwen/Qwen2.5-7B-Instruct",
)
SEEING = (
    "openai:gpt-4o",
    "openai:gpt-4.1-mini",
    "openai:gpt-4-turbo",
    "openai:o3",
    "openai:o4-mini",
    "openai:o1",
    "openai:gpt-5",
    "vllm:Qwen/Qwen2.5-VL-32B-Instruct",
    "vllm:Qwen/Qwen3-VL-8B-Instruct",
    "vllm:Qwen/Qwen2.5-Omni-7B",
    "vllm:meta-llama/Llama-4-Scout-17B-16E-Instruct",
    "vllm:meta-llama/Llama-3.2-11B-Vision-Instruct",
    "vllm:deepseek-ai/deepseek-vl2",
    "vllm:google/gemma-3-27b-it",
    "vllm:microsoft/Phi-4-multimodal-instruct",
    "vllm:someone/unheard-of",
    "embedded:judge",
    "embedded:verbalizer",
    "embedded:optimizer",
)


def test_models_known_to_read_text_alone_are_known() -> None:
    assert [name for name in TEXT_ONLY if facts(model(name)).sees_images.value] == []
    assert [name for name in SEEING if not facts(model(name)).sees_images.value] == []
    assert not facts(model("langchain:langchain_openai.ChatOpenAI", arguments={"model": "o3-mini"})).sees_images.value
    assert facts(model("openai:o3-mini", vision=True)).sees_images.value
    assert not facts(model("openai:gpt-4o", vision=False)).sees_images.value


@pytest.mark.parametrize("role", ["judge", "verbalizer"])
def test_a_model_that_sees_nothing_is_refused_with_the_setting_to_change(role: str) -> None:
    roles = {"judge": model("openai:gpt-4o"), "optimizer": model("openai:o3-mini"), role: model("openai:o3-mini")}
    with pytest.raises(ModelError, match=rf"^models\.{role}: openai:o3-mini can't see .* models\.{role}\.vision: true"):
        require_vision(ModelsSettings.model_validate(roles))
    require_vision(ModelsSettings.model_validate({**roles, role: model("openai:o3-mini", vision=True)}))


@pytest.mark.parametrize("role", ["judge", "verbalizer"])
def test_the_embedded_optimizer_sees_but_is_refused_in_other_roles(role: str) -> None:
    models = ModelsSettings.model_validate({role: model("embedded:optimizer")})
    with pytest.raises(ModelError, match=rf"^models\.{role}: embedded:optimizer is no {role}; name embedded:{role}"):
        require_vision(models)


def test_the_check_names_both(tmp_path: Path) -> None:
    config = draw_dataset(tmp_path / "set") / "config.yaml"
    optimizer = "models.optimizer={name: 'vllm:q', base_url: 'http://127.0.0.1:9/v1'}"
    done = command("check", config, "--set", "models.judge.vision=false", "--set", "limits.usd=1", "--set", optimizer)
    assert done.returncode == 2
    assert "can't see images (by its setting)" in done.stdout
    assert "set models.optimizer.price" in done.stdout
    assert "Traceback" not in done.stderr


async def test_neither_leaves_a_run_behind(tmp_path: Path) -> None:
    config = draw_dataset(tmp_path / "set") / "config.yaml"
    run = f"run.dir={tmp_path / 'run'}"
    with pytest.raises(ModelError, match="can't see"):
        await blpo.optimize(config, overrides=[run, "models.judge.vision=false"])
    with pytest.raises(ConfigError, match=r"models\.optimizer\.price"):
        await blpo.optimize(config, overrides=[run, "limits.usd=1", "models.optimizer={name: 'vllm:q'}"])
    assert not (tmp_path / "run").exists()


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
    result = await blpo.optimize(config, on_event=events.append)
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
    shown = Progress()
    for event in events:
        if event["event"] == "phase" and shown.done == shown.total > 0:  # a node has ended that was followed
            for role, usage in event["usage"].items():
                live = shown.usage[role]
                kept, added = ([u["issued"], u["input_tokens"] + u["output_tokens"]] for u in (usage, live))
                assert added == kept
                assert live["usd"] == pytest.approx(usage["usd"])
        shown = advance(shown, event)


async def test_a_budget_in_dollars_is_kept_over_resumes(priced: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    directory = tmp_path / "run"
    whole = await blpo.optimize({**priced[1], "run": {"dir": str(tmp_path / "whole")}})
    needed = sum(usage["usd"] or 0 for usage in whole["calls"].values())
    config = {**priced[1], "run": {"dir": str(directory)}, "limits": {"usd": needed / 4}}
    result = await blpo.optimize(config)
    for share in (0.5, 0.75):
        assert result["status"] == "budget"
        result = await blpo.resume(directory, overrides=[f"limits.usd={needed * share}"])
        in_flight = 16 * max(
            (usage["usd"] or 0) / max(usage["issued"], 1) for usage in whole["calls"].values()
        )  # the dearest role's mean
        assert sum(usage["usd"] or 0 for usage in result["calls"].values()) <= needed * share + in_flight
    result = await blpo.resume(directory, overrides=["limits.usd=null"])
    assert result["status"] == "complete"
    assert sum(usage["usd"] or 0 for usage in result["calls"].values()) == pytest.approx(needed)


def test_an_unknown_price_is_null_and_is_said() -> None:
    known = RoleUsage(issued=10, cached=2, failed=0, input_tokens=5, output_tokens=6, usd=1.25)
    unknown = RoleUsage(issued=7, cached=0, failed=0, input_tokens=5, output_tokens=6, usd=None)
    free = RoleUsage(issued=1, cached=0, failed=0, input_tokens=5, output_tokens=6, usd=0.0)
    text = shown({"judge": known, "optimizer": unknown})
    assert UNKNOWN in text
    assert "17      2     22 1.25+?" in text
    assert "?" not in shown({"judge": known, "optimizer": free})
    assert "US $" not in shown({"judge": free, "optimizer": free})


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


def test_arguments_hold_no_secret() -> None:
    for arguments in ({"api_key": "x"}, {"client": {"headers": [{"Authorization": "x"}]}}, {"openai_api_token": "x"}):
        with pytest.raises(ValueError, match="looks like a secret"):
            ModelSettings.model_validate({"name": "langchain:a.B", "arguments": arguments})
    assert ModelSettings.model_validate({"name": "langchain:a.B", "arguments": {"max_tokens": 5, "top_k": 1}}).arguments


def test_settings_with_arguments_can_be_told_apart_and_found() -> None:
    one, other = (model("langchain:a.B", arguments={"model": name}) for name in ("x", "y"))
    assert {one: 1, other: 2}[model("langchain:a.B", arguments={"model": "y"})] == 2
    assert json.loads(Settings(models=ModelsSettings(judge=one, optimizer=other)).model_dump_json())


def shown(usage: dict[str, RoleUsage]) -> str:
    console = Console(file=io.StringIO(), width=60)
    console.print(usage_table(usage))
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()
