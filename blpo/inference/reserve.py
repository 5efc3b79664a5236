"""Budget kept back for the test split: the calls still due for the verdicts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from blpo.inference.answer_forms import answer_form, asks_once
from blpo.inference.answers import answer_of, judge_messages, repair_messages, request_name, verdict_of
from blpo.inference.discussion import Spoken, is_divided, talk_with
from blpo.inference.fan_out import fan_out
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.list_parts import parts_of, with_task
from blpo.inference.open_models import OpenModels
from blpo.inference.open_run import OpenRun
from blpo.inference.pair_orders import View, orders_of
from blpo.inference.votes import Ballot, ballots_of
from blpo.models.messages import Message
from state.response import Failure
from state.sample import Sample

Due = Literal["nothing", "repair", "verdict"]
"""Calls still to be paid for one verdict, a pair's in one order: none, the repair of an unparseable reply, or the
verdict itself."""


async def reserve_test(run: OpenRun) -> None:
    """Keep back the test split under p_0, as far as answers are missing in the store, and under the best prompt.

    The stored verdicts under p_0 also tell the share of repairs. Nothing is sent.
    """
    if not run.budget.is_limited or run.budget.calls == 0:
        return  # the store is empty; verdicts under two prompts are kept back since the opening
    initial, _ = initial_prompts(run.settings)
    await _due(run, [initial], run.labelled)
    run.budget.reserve(await _missing_verdicts(run, initial) + run.questions("test"))


async def reserve_test_of(run: OpenRun, judge_prompts: Iterable[str]) -> None:
    """Keep back the test split under p_0, and under the dearest of `judge_prompts`: no other prompt can be the best.

    A prompt costs the verdicts without an answer in the store. Nothing is sent.
    """
    if not run.budget.is_limited:
        return
    initial, _ = initial_prompts(run.settings)
    costs = [await _missing_verdicts(run, prompt) for prompt in {*judge_prompts} - {initial}]
    run.budget.reserve(await _missing_verdicts(run, initial) + max(costs, default=0))


async def calls_to_pay(run: OpenRun, judge_prompts: Iterable[str], samples: Sequence[Sample]) -> int:
    """Return the number of judge calls still to pay for `samples` under `judge_prompts`: calls without a stored answer.

    Repairs of missing replies are counted by the share of repairs so far.
    """
    due = await _due(run, sorted(set(judge_prompts)), samples)
    return due.count("repair") + run.budget.expected_calls(due.count("verdict"))


async def answered_verdicts(run: OpenRun, judge_prompt: str, samples: Sequence[Sample]) -> int:
    """Return the number of `samples` with a stored reply under a prompt. Nothing is sent."""
    due = await _due(run, [judge_prompt], samples)
    return len(due) - due.count("verdict")


async def _missing_verdicts(run: OpenRun, judge_prompt: str) -> int:
    """Return the number of test verdicts under a prompt that are still to be paid for."""
    due = await _due(run, [judge_prompt], run.split("test"))
    return len(due) - due.count("nothing")


async def _due(run: OpenRun, judge_prompts: Sequence[str], samples: Sequence[Sample]) -> list[Due]:
    """Return the calls due for all samples under all prompts, and count stored replies as judged."""
    recall = run.recall
    if (parts := run.settings.task.parts) is not None:
        recall, samples = with_task(recall, parts), [part for sample in samples for part in parts_of(sample, parts)]
    settings = recall.settings

    if asks_once(settings):  # the criteria of an item share a request
        samples = list({sample.item: sample for sample in samples}.values())
    questions = [
        _Question(recall, prompt, sample, view)
        for prompt in judge_prompts
        for sample in samples
        for view in orders_of(settings.of_task(sample.task).task, sample, settings.search.seed)
    ]
    due = await fan_out(lambda each: each.due(), questions, run.width("judge"))
    return [call for calls in due for call in calls]


@dataclass(frozen=True, slots=True)
class _Question:
    """A sample in one order, under a prompt."""

    recall: OpenModels
    judge_prompt: str
    sample: Sample
    view: View | None

    async def due(self) -> list[Due]:
        """Return the calls due for all answers; with a discussion at most, where an answer is missing."""
        models = self.recall.settings.models
        ballots = ballots_of(models)
        alone = [await self._due(ballot) for ballot in ballots]
        if models.calls == models.answers:
            return alone
        if any(call != "nothing" for call in alone):
            missing: list[Due] = ["verdict"] * len(ballots)
            return alone + missing
        answers = [await answer_of(self.recall, self.judge_prompt, self.sample, self.view, each) for each in ballots]
        spoken = [Spoken(ballot, answer) for ballot, answer in zip(ballots, answers, strict=True)]
        if not is_divided(spoken):
            return alone
        talks = [talk_with(each, spoken, answer_form(self.recall.settings, self.sample)) for each in spoken]
        return [*alone, *[await self._due(ballot, talk) for ballot, talk in zip(ballots, talks, strict=True)]]

    async def _due(self, ballot: Ballot, talk: Sequence[Message] = ()) -> Due:
        """Return the calls due for one answer, and count a stored reply as judged."""
        recall, sample, role, repeat = self.recall, self.sample, ballot.role, ballot.repeat
        form = answer_form(recall.settings, sample)
        messages = [*await judge_messages(recall, self.judge_prompt, sample, self.view, role), *talk]
        response = await recall.caller.ask(role, messages, form.schema, repeat)
        if isinstance(response, Failure):
            return "verdict"
        needs_repair = verdict_of(sample, response, form).status == "unparseable"
        recall.budget.judged(request_name(sample, self.view, ballot, talk), repaired=needs_repair)
        if not needs_repair:
            return "nothing"
        repair = await recall.caller.ask(role, repair_messages(messages, response, form), form.schema, repeat)
        return "repair" if isinstance(repair, Failure) else "nothing"
