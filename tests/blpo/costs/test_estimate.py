"""Estimates against runs: bounds on calls are exact, ranges hold, and formulas give known values."""

import csv
import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from PIL import Image

import blpo
from blpo.config.settings_file import load_settings
from blpo.costs.call_counts import CallCounts, all_rounds, early_stop, least_calls, planned_rounds, pooled_counts
from blpo.costs.call_sizes import SHORT, CallSizes
from blpo.costs.dataset_sizes import DatasetSizes
from blpo.costs.estimate import RoleEstimate, estimate, total
from blpo.costs.workload import Workload, workload_of
from blpo.data.dataset import SPLITS
from blpo.inference.round_plan import FEWEST_CASES
from blpo.models.catalogue import facts
from blpo.models.embedded.message_images import images
from state.result import Result
from state.settings import LimitSettings, ModelSettings, SearchSettings, Settings
from tests.criteria_set import draw_criteria, tasks_config
from tests.scripted import scripted
from tests.small_set import blpo as command
from tests.small_set import draw_dataset


def estimated(config: dict[str, Any]) -> dict[str, RoleEstimate]:
    settings = load_settings(config)
    return estimate(settings, workload_of(settings))


def issued(result: Result) -> dict[str, int]:
    return {role: usage["issued"] for role, usage in result["calls"].items()}


@pytest.mark.parametrize(("rounds", "steps"), [(0, 1), (1, 0), (2, 1), (2, 2)])
async def test_a_search_that_never_repeats_itself_issues_exactly_the_high_count(
    tmp_path: Path, rounds: int, steps: int
) -> None:
    config = restless(tmp_path, rounds, steps)
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.high.calls for role, own in roles.items()}


@pytest.mark.parametrize("search", [{}, {"trials": "pooled", "batch": "filled"}])
@pytest.mark.parametrize(("order", "questions"), [("both", 2), ("random", 1)])
async def test_both_orders_of_a_pair_are_counted_exactly(
    tmp_path: Path, order: str, questions: int, search: dict[str, Any]
) -> None:
    config = restless(tmp_path, 2, 2, order=order)
    config["search"] |= search
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.high.calls for role, own in roles.items()}
    assert roles["judge"].high.calls % questions == 0


@pytest.mark.parametrize("shape", ["one", "each", "tasks"])
async def test_criteria_and_tasks_are_counted_exactly(tmp_path: Path, shape: str) -> None:
    config = restless(tmp_path, 2, 2, order="both" if shape == "tasks" else None, shape=shape)
    config["search"] |= {"trials": "pooled", "batch": "filled", "error_batch": 200}
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.high.calls for role, own in roles.items()}
    labels = {"one": 1, "each": 2, "tasks": 3}[shape]
    assert roles["judge"].low.calls == 40 * labels
    descriptions = 2 * 2 * (2 if shape == "tasks" else 1)
    assert roles["verbalizer"].high.calls % descriptions == 0


async def test_a_frozen_q_describes_a_sample_once(tmp_path: Path) -> None:
    config = restless(tmp_path, 3, 0)
    config["search"] |= {"trials": "pooled", "batch": "filled", "error_batch": 200, "select_on": "labelled"}
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert len(result["rounds"]) == 4
    described = roles["verbalizer"]
    assert issued(result)["verbalizer"] == described.low.calls == described.high.calls
    assert issued(result) == {role: own.high.calls for role, own in roles.items()}


async def test_every_vote_is_a_call(tmp_path: Path) -> None:
    config = restless(tmp_path, 1, 1, order="both")
    config["search"] |= {"trials": "pooled", "batch": "filled"}
    single = estimated(config)["judge"]
    config["models"]["judge"]["votes"] = 3
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.high.calls for role, own in roles.items()}
    assert (roles["judge"].low.calls, roles["judge"].high.calls) == (3 * single.low.calls, 3 * single.high.calls)


async def test_every_repair_of_a_pair_is_counted(tmp_path: Path) -> None:
    config = restless(tmp_path, 1, 1, repairs=True, order="both")
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.most.calls for role, own in roles.items()}


async def test_a_search_that_gains_nothing_issues_exactly_the_low_count(tmp_path: Path) -> None:
    config = restless(tmp_path, 3, 1, learns=False)
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert result["stop_reason"] == "patience"
    assert issued(result) == {role: own.low.calls for role, own in roles.items()}


async def test_where_every_reply_is_repaired_exactly_the_most_calls_are_issued(tmp_path: Path) -> None:
    config = restless(tmp_path, 1, 1, repairs=True)
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    assert issued(result) == {role: own.most.calls for role, own in roles.items()}


async def test_a_run_of_the_embedded_models_keeps_to_the_bounds(tmp_path: Path) -> None:
    search = {"preset": "paper", "outer_rounds": 1, "inner_steps": 2, "error_batch": 6, "max_prompt_tokens": 400}
    config: dict[str, Any] = {"data": {"limit": 60}, "search": search, "run": {"dir": str(tmp_path / "run")}}
    roles = estimated(config)
    result = (await blpo.optimize(config)).result
    for role, own in roles.items():
        used = result["calls"][role]
        assert used["issued"] <= own.high.calls <= own.most.calls
        assert used["input_tokens"] <= own.most.input_tokens
        assert used["output_tokens"] <= own.most.output_tokens
    # the input holds the image tokens by the count of the model, and text
    judge = result["calls"]["judge"]
    assert judge["input_tokens"] / judge["issued"] > workload_of(load_settings(config)).judge_images


SIZES = st.fixed_dictionaries(dict.fromkeys(SPLITS, st.integers(1, 500))).map(DatasetSizes.alike)
SCORED = st.builds(
    SearchSettings,
    trials=st.just("scored"),
    outer_rounds=st.integers(0, 9),
    inner_steps=st.integers(0, 9),
    error_batch=st.integers(1, 50),
    anchors=st.integers(0, 50),
    patience=st.none() | st.integers(1, 9),
    adopt=st.sampled_from(["improving", "always"]),
)
POOLED = st.builds(
    SearchSettings,
    outer_rounds=st.integers(0, 9),
    inner_steps=st.integers(0, 9),
    error_batch=st.integers(1, 100),
    patience=st.none() | st.integers(1, 9),
)


@given(SIZES, POOLED, st.integers(1, 5000))
def test_a_plan_leaves_enough_for_every_new_prompt_and_the_test(
    sizes: DatasetSizes, search: SearchSettings, limit: int
) -> None:
    plans = planned_rounds(sizes, search, search.outer_rounds, limit)
    counts = pooled_counts(sizes, search, plans, len(plans))
    calls = counts.judge + counts.verbalize + counts.optimizer
    assert calls <= limit or not plans
    assert all(plan.inner_steps <= search.steps_of_round(t) for t, plan in enumerate(plans))
    assert all(plan.cases <= min(search.error_batch, sizes.labelled) for plan in plans)
    fewest = min(search.error_batch, sizes.labelled, FEWEST_CASES)
    assert all(plan.cases >= fewest for plan in plans)
    more = planned_rounds(sizes, search, search.outer_rounds, limit + 500)
    assert len(more) >= len(plans)
    least = least_calls(sizes, search)
    assert len(planned_rounds(sizes, search, 1, least)) == 1
    assert planned_rounds(sizes, search, 1, least - 1) == []


@given(SIZES, SCORED | POOLED, st.none() | st.integers(1, 5000))
def test_the_range_is_one(sizes: DatasetSizes, search: SearchSettings, limit: int | None) -> None:
    low, high = early_stop(sizes, search, limit), all_rounds(sizes, search, limit)
    for kind in ("judge", "verbalize", "critique_judge", "update_judge", "critique_i2t", "update_i2t"):
        assert 0 <= getattr(low, kind) <= getattr(high, kind)
    assert low.judge >= sum(sizes.requests.values())
    work = Workload(sizes, 100.5, 100.5, 3.2, 50, 5, 60, 60)
    roles = estimate(Settings(search=search, limits=LimitSettings(calls=limit)), work)
    loads = [total(roles, case)[0] for case in ("low", "high", "most")]
    for one, other in pairwise(loads):
        assert one.calls <= other.calls
        assert one.input_tokens <= other.input_tokens
        assert one.output_tokens <= other.output_tokens


@pytest.mark.parametrize(
    ("name", "width", "height", "tokens"),
    [
        ("openai:gpt-4o", 1024, 1024, 85 + 4 * 170),
        ("openai:gpt-4o-2024-11-20", 2048, 4096, 85 + 6 * 170),
        ("openai:gpt-4.1", 128, 64, 85 + 170),
        ("openai:gpt-4o-mini", 128, 64, 2833 + 5667),
        ("openai:o3", 128, 64, 75 + 150),
        ("openai:gpt-5", 1024, 1024, 70 + 4 * 140),
        ("openai:gpt-5-mini", 1024, 1024, 1229),
        ("openai:gpt-4.1-mini", 1024, 1024, 1659),
        ("openai:o4-mini", 2048, 2048, 2642),
        ("vllm:Qwen/Qwen2.5-VL-32B-Instruct", 1024, 1024, 37 * 37 + 2),
        ("vllm:Qwen/Qwen2.5-VL-7B-Instruct", 280, 10, 10 + 2),
        ("vllm:Qwen/Qwen3-VL-8B-Instruct", 1024, 1024, 32 * 32 + 2),
        ("vllm:someone/unheard-of", 280, 280, 102),
        ("embedded:judge", 512, 512, 335),
    ],
)
def test_images_cost_what_their_family_counts(name: str, width: int, height: int, tokens: int) -> None:
    assert facts(ModelSettings(name=name)).image_formula.value.tokens(width, height) == tokens


def test_images_count_as_they_are_sent(tmp_path: Path) -> None:
    config = restless(tmp_path, 1, 1)
    config["models"]["judge"] = {"name": "openai:gpt-4o", "max_pixels": 1024}
    assert workload_of(load_settings(config)).judge_images == 85 + 170


def test_the_command_says_what_it_takes_for_granted(tmp_path: Path) -> None:
    overrides = ("models.judge.name=openai:gpt-4o", "models.optimizer.name=openai:o3", "limits.calls=120")
    done = run(tmp_path, *overrides)
    assert done.returncode == 0
    assert "plan: 1 round of 21 cases x 2 I2T prompts" in done.stdout
    assert "US $ 2.5 in and 10 out for a million tokens (list price of" in done.stdout
    assert "85 + 170 for each 512 px tile" in done.stdout
    assert "thinking" in done.stdout
    assert "?" not in done.stdout.partition("total")[2].splitlines()[0]


def test_a_limit_that_pays_for_no_round_is_told_and_bounds_the_total(tmp_path: Path) -> None:
    done = run(tmp_path, "limits.calls=50", as_json=True)
    content = json.loads(done.stdout)
    assert content["plan"] == []
    assert "plan: limits.calls (50) pays for no round; one round needs at least 87, the test included" in done.stdout
    assert content["total"]["most"]["calls"] == 50


def test_an_unknown_price_stays_unknown_and_json_is_json(tmp_path: Path) -> None:
    done = run(tmp_path, "models.judge.name=vllm:q", "models.optimizer.name=openai:o3", as_json=True)
    content = json.loads(done.stdout)
    assert content["roles"]["judge"]["high"]["usd"] is content["total"]["high"]["usd"] is None
    optimizer = content["roles"]["optimizer"]["high"]
    cost = (optimizer["input_tokens"] * 2 + optimizer["output_tokens"] * 8) / 1e6
    assert optimizer["usd"] == pytest.approx(cost, abs=1e-4)
    assert any("price unknown (set models.judge.price)" in line for line in content["assumptions"])
    assert content["total"]["most"]["calls"] == sum(role["most"]["calls"] for role in content["roles"].values())


def run(folder: Path, *settings: str, as_json: bool = False) -> "subprocess.CompletedProcess[str]":
    chosen = [part for setting in settings for part in ("--set", setting)]
    return command("estimate", draw_dataset(folder / "set") / "config.yaml", *chosen, *(["--json"] if as_json else []))


def restless(
    folder: Path,
    rounds: int,
    steps: int,
    *,
    learns: bool = True,
    repairs: bool = False,
    order: str | None = None,
    shape: str = "",
) -> dict[str, Any]:
    """Configure a search over 40 samples with models that never repeat a reply.

    The first prompt is wrong on even samples and later prompts are wrong on odd samples, so two batches share no
    sample. Without `learns` every prompt is wrong on the even samples. With `repairs` the first replies are unusable.
    With `order` the samples are pairs: the better image is the darker one. `shape` asks for two criteria in one request
    or in one each, or for two tasks: the ratings, and the pairs.
    """
    write_samples(folder, are_pairs=order is not None)

    def judge(messages: Sequence[BaseMessage]) -> str:
        if repairs and len(messages) == 1:
            return "no idea"
        text = str(messages[0].content)
        number, label = (int(value) for value in re.findall(r"sample (\d+) of rating (\d)", text)[0])
        wrong = number % 2 == (int("Prompt" in text) if learns else 0)
        answer = label % 5 + 1 if wrong else label
        if shape == "one":
            return json.dumps({"reason": "so", "rating": answer, "again": answer})
        if order is not None and '"better"' not in text.rpartition("task at hand")[2][:30] and shape:
            return json.dumps({"reason": "so", "label": answer})
        if order is not None:
            return json.dumps({"reason": "so", "label": "second" if shows_darker_first(messages) == wrong else "first"})
        return json.dumps({"reason": "so", "label": answer})

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        if repairs and len(messages) < 5:
            return "no tags"
        text = str(messages[0].content)
        tag = next(t for t in ("critique", "judge_prompt", "i2t_prompt") if f"inside <{t}> and" in text)
        return f"<{tag}>Prompt {hashlib.sha256(text.encode()).hexdigest()}</{tag}>"

    names = {
        "judge": scripted("restless-judge", judge),
        "verbalizer": scripted("restless-verbalizer", lambda messages: str(hash(str(messages)))),
        "optimizer": scripted("restless-optimizer", optimizer),
    }
    search: dict[str, Any] = {"preset": "paper"} if learns else {"trials": "scored", "patience": 1}
    batch = {"outer_rounds": rounds, "inner_steps": steps, "error_batch": 4, "anchors": 0}
    path = str(folder / "labels.csv")
    pairs: dict[str, Any] = {"image": ["image", "other"], "label": "better"} if order else {}
    sections: dict[str, Any] = {
        **({"task": {"kind": "pairwise", "order": order}} if order else {}),
        "data": {"path": path, **pairs},
    }
    if shape == "tasks":
        sections = {"tasks": [{"name": "rating", "data": {"path": path}}, {"name": "better", **sections}]}
    elif shape:
        sections |= {"criteria": [{"name": "rating", "label": "label"}, {"name": "again", "label": "label"}]}
        sections |= {"criteria_calls": shape}
    return {
        **sections,
        "models": {role: {"name": name} for role, name in names.items()},
        "search": {**search, **batch},
        "run": {"dir": str(folder / "run")},
    }


def shows_darker_first(messages: Sequence[BaseMessage]) -> bool:
    with Image.open(BytesIO(images(messages)[0].data)) as first:
        pixel = first.convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel[1] < 100


def write_samples(folder: Path, *, are_pairs: bool) -> None:
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "label", "text", "other", "better"])
        for number in range(40):
            Image.new("RGB", (32, 48), (number, 9, 9)).save(folder / f"{number}.png")
            names, rating = [f"{number}.png", f"other-{number}.png"], number // 2 % 5 + 1
            if are_pairs:
                Image.new("RGB", (32, 48), (number, 200, 9)).save(folder / names[1])
            is_swapped = are_pairs and number // 2 % 2 == 1
            first, second = reversed(names) if is_swapped else names
            text = f"sample {number} of rating {rating}"
            rows.writerow([first, rating, text, second, "ab"[is_swapped]])


def test_a_judge_with_a_part_for_each_task_is_shown_less_of_the_prompt(tmp_path: Path) -> None:
    config = tasks_config(draw_criteria(tmp_path / "set"), tmp_path / "run")
    whole, parts = (
        workload_of(Settings.model_validate({**config, "prompts": {"parts": parts}})) for parts in ("one", "per_task")
    )
    assert whole.shown == 1 and 0.5 < parts.shown < 1
    counts = CallCounts(judge=100, verbalize=0, critique_judge=3, update_judge=3, critique_i2t=0, update_i2t=0)
    loads = [
        CallSizes(Settings.model_validate({**config, "prompts": {"parts": name}}), work, SHORT, 900, 60).loads(counts)
        for name, work in (("one", whole), ("per_task", parts))
    ]
    assert all(loads[1][role].input_tokens < loads[0][role].input_tokens for role in ("judge", "optimizer"))
