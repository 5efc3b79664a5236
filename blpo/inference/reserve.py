"""What the test split still costs, and is kept back of the budget for."""

from collections.abc import Iterable, Sequence
from typing import Literal

from blpo.inference.fan_out import fan_out
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.session import Session
from blpo.inference.verdicts import judge_messages, repair_messages, verdict_of
from blpo.models.verdict_format import schema
from state.response import Failure
from state.sample import Sample

Due = Literal["nothing", "repair", "verdict"]
"""What is still to be paid for one verdict: nothing, the repair of an unparseable reply, or the call itself."""


async def reserve_test(session: Session) -> None:
    """Keep back the test split under p_0, as far as the store can't answer it, and under the prompt yet to be found.

    What the store holds of p_0's verdicts also tells how often a verdict has to be repaired. Nothing is sent.
    """
    if not session.budget.is_limited or session.budget.calls == 0:
        return  # nothing is stored; two verdicts a sample are kept back from the start
    initial, _ = initial_prompts(session.settings)
    test = session.split("test")
    await _due(session, [initial], [*session.split("train"), *session.split("validation")])
    due = await _due(session, [initial], test)
    session.budget.reserve(len(due) - due.count("nothing") + len(test))


async def calls_to_pay(session: Session, judge_prompts: Iterable[str], samples: Sequence[Sample]) -> int:
    """How many judge calls `samples` under `judge_prompts` will cost: those that the store can't answer.

    Repairs of replies that are not there yet are counted by the share of them so far.
    """
    due = await _due(session, sorted(set(judge_prompts)), samples)
    return due.count("repair") + session.budget.expected_calls(due.count("verdict"))


async def _due(session: Session, judge_prompts: Sequence[str], samples: Sequence[Sample]) -> list[Due]:
    """What is due for each sample under each prompt; what the store holds is counted as judged."""
    task = session.settings.task
    verdict_schema = schema(task)

    async def due(asked: tuple[str, Sample]) -> Due:
        prompt, sample = asked
        messages = await judge_messages(session, prompt, sample)
        response = await session.calls.recall("judge", messages, verdict_schema)
        if isinstance(response, Failure):
            return "verdict"
        needs_repair = verdict_of(sample, response, task).status == "unparseable"
        session.budget.judged(sample.id, repaired=needs_repair)
        if not needs_repair:
            return "nothing"
        repair = await session.calls.recall("judge", repair_messages(messages, response, task), verdict_schema)
        return "repair" if isinstance(repair, Failure) else "nothing"

    asked = [(prompt, sample) for prompt in judge_prompts for sample in samples]
    return await fan_out(due, asked, session.width("judge"))
