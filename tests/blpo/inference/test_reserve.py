"""Budget kept back for the test split: verdicts without a stored answer, and the repairs of these verdicts."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage

import blpo
from blpo.config.settings_file import load_settings
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun, open_run
from blpo.inference.reserve import calls_to_pay, reserve_test, reserve_test_of
from blpo.inference.verdicts import judge_sample, judge_samples
from blpo.models.budget import Budget
from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.message_images import images
from state.errors import BudgetSpent
from state.settings import LimitSettings
from tests.scripted import scripted
from tests.small_set import draw_dataset

DATASET: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def dataset(tmp_path_factory: pytest.TempPathFactory) -> None:
    DATASET["path"] = str(draw_dataset(tmp_path_factory.mktemp("data") / "set", 60))


def stammering(share: float) -> Callable[[Sequence[BaseMessage]], str]:
    """The embedded judge; for so large a share of the images the first reply holds no label."""

    def judge(messages: Sequence[BaseMessage]) -> str:
        chance = images(messages)[0].digest[0] / 256
        if len(messages) == 1 and chance < share:
            return "Let me see."
        return EmbeddedJudge().answer(messages[:1])

    return judge


def config(run: Path, share: float, **limits: Any) -> dict[str, Any]:
    judge = {"name": scripted(f"stammering-{share}", stammering(share)), "price": {"input": 1, "output": 1}}
    return {
        "data": DATASET,
        "models": {"judge": judge, "optimizer": {"name": "embedded:optimizer"}},
        "search": {"outer_rounds": 3, "inner_steps": 1, "error_batch": 6, "adopt": "always", "select": "last"},
        "limits": limits,
        "run": {"dir": str(run)},
    }


@pytest.mark.parametrize(("share", "more"), [(0.15, 80), (0.5, 120), (1.0, 120)])
async def test_a_judge_that_is_often_unparseable_does_not_starve_the_test(
    share: float, more: int, tmp_path: Path
) -> None:
    train_and_validation, test = 42, 18
    least = int((train_and_validation + 2 * test) * (1 + share))
    result = (await blpo.optimize(config(tmp_path / "run", share, calls=least + more))).result
    assert (result["status"], result["stop_reason"]) == ("budget", "budget")
    assert result["test"] is not None
    assert result["test"]["initial"]["coverage"] == 1
    assert result["calls"]["judge"]["issued"] <= least + more


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 20), st.integers(1, 200))
def test_what_the_search_leaves_pays_for_the_repairs_seen(unparseable: list[bool], test: int, limit: int) -> None:
    budget = Budget(LimitSettings(calls=limit))
    budget.reserve(2 * test)
    repairs = paid = 0
    with suppress(BudgetSpent):
        for number, repaired in enumerate(unparseable):
            budget.admit("judge")
            budget.judged(str(number), repaired=repaired)
            repairs += repaired
            if repaired:
                budget.admit("judge")
                paid += 1
    assert budget.calls <= limit
    budget.release()
    first_of_all = repairs == 1 and paid == 0  # a surprise
    if limit >= 2 * test and not first_of_all:
        assert budget.affords(budget.expected_calls(2 * test))


def test_the_last_word_on_a_sample_counts() -> None:
    budget = Budget(LimitSettings(calls=1000))
    for sample in "abcd":
        budget.judged(sample, repaired=sample == "a")
    for _ in range(5):
        budget.judged("a", repaired=True)
    assert budget.expected_calls(100) == 125
    budget.judged("a", repaired=False)
    assert budget.expected_calls(100) == 100


async def judge_some(run: OpenRun, count: int) -> None:
    initial, _ = initial_prompts(run.settings)
    await judge_samples(run, initial, run.split("test")[:count])


async def test_what_the_store_can_answer_is_neither_kept_back_nor_to_be_paid(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path / "run", 0.0, calls=1000), ())
    initial, _ = initial_prompts(settings)
    store = tmp_path / "run" / "responses.sqlite"
    async with open_run(settings, store) as run:
        test = run.split("test")
        assert run.budget.reserved == 2 * len(test)
        await reserve_test(run)
        assert run.budget.reserved == 2 * len(test)
        await judge_some(run, 7)
        assert await calls_to_pay(run, {initial, "Another."}, test) == 2 * len(test) - 7
    async with open_run(settings, store) as run:
        before = await run.caller.usage()
        await reserve_test(run)
        assert run.budget.reserved == 2 * len(test) - 7
        await judge_some(run, len(test))
        await reserve_test(run)
        assert run.budget.reserved == len(test)
        assert before["judge"]["issued"] == 7


async def test_once_no_prompt_can_follow_only_missing_verdicts_are_kept_back(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path / "run", 0.0, calls=1000), ())
    initial, _ = initial_prompts(settings)
    async with open_run(settings, tmp_path / "run" / "responses.sqlite") as run:
        test = run.split("test")
        await reserve_test_of(run, [initial])
        assert run.budget.reserved == len(test)
        await reserve_test_of(run, [initial, "Another."])
        assert run.budget.reserved == 2 * len(test)
        await judge_samples(run, "Another.", test[:5])
        await judge_samples(run, "A third.", test[:2])
        await judge_some(run, 4)
        await reserve_test_of(run, [initial, "Another."])
        assert run.budget.reserved == 2 * len(test) - 4 - 5
        await reserve_test_of(run, ["A third.", "Another."])
        assert run.budget.reserved == 2 * len(test) - 4 - 2
        await judge_samples(run, "Another.", test)
        await reserve_test_of(run, ["Another."])
        assert run.budget.reserved == len(test) - 4


async def test_a_run_without_updates_needs_one_verdict_a_sample(tmp_path: Path) -> None:
    settings = config(tmp_path / "run", 0.0, calls=60)
    settings["search"] = {"outer_rounds": 0}
    result = (await blpo.optimize(settings, progress=False)).result
    assert (result["status"], len(result["rounds"]), result["calls"]["judge"]["issued"]) == ("complete", 1, 60)
    assert result["test"] is not None


async def test_a_stored_reply_that_holds_no_label_needs_its_repair(tmp_path: Path) -> None:
    settings = load_settings(config(tmp_path / "run", 1.0, calls=1000), ())
    initial, _ = initial_prompts(settings)
    async with open_run(settings, tmp_path / "run" / "responses.sqlite") as run:
        first, second, *_ = run.split("test")
        assert await calls_to_pay(run, [initial], [first]) == 1  # nothing is known of the judge yet
        await judge_sample(run, initial, first)
        assert await calls_to_pay(run, [initial], [first]) == 0
        assert await calls_to_pay(run, [initial], [first, second]) == 2  # the second verdict will need a repair too
        run.budget.limits = LimitSettings(calls=3 + run.budget.reserved * 2)
        with pytest.raises(BudgetSpent):
            await judge_sample(run, initial, second)
        run.budget.release()
        assert await calls_to_pay(run, [initial], [first, second]) == 1
        await judge_sample(run, initial, second)
        assert await calls_to_pay(run, [initial], [first, second]) == 0
