"""approve: a person may approve, edit or reject a new prompt before the prompt is adopted (`approval`).

The question has a node of its own, because LangGraph runs a node with a question again from the beginning when the
answer comes. An edited prompt is adopted as the person wrote it. After a rejection the prompt in use stays, and the
later critiques see the reason.
"""

import re

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import ValidationError

from blpo.inference.initial_prompts import prompt_problem
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.order_words import order_words
from blpo.inference.progress import send_event
from blpo.inference.rounds import best_trial
from blpo.inference.verdicts import recalled_verdicts
from blpo.metrics.task_metrics import fall_of_loss
from blpo.prompts.diff import prompt_diff
from state.approval import MOST_CHANGES, Answer, Change, Decision, Objection, PromptName, Question
from state.errors import AnswerError
from state.events import DecidedEvent
from state.loops import OuterState
from state.sample import Label, Sample
from state.settings import Settings
from state.verdict import Verdict

MOST_OBJECTIONS = 10
"""Largest number of objections for the critiques; the latest stay."""

_ANSWER_SCHEMA = Answer.model_json_schema()


async def approve(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Ask about the candidate p', then about q*, as far as `approval` goes; an unchanged prompt needs no question.

    One question a superstep: with two questions, LangGraph would reuse the first answer for the second question when a
    run goes on without an answer.
    """
    async with run_of(runtime) as run:
        question = await _next_question(state, run)
    if question is None:
        return {"answered": False} if state.get("answered") else {}
    value = interrupt(question, response_schema=_ANSWER_SCHEMA)
    try:
        answer = read_answer(value, question)
    except AnswerError as error:
        return {"answered": True, "problem": str(error)}
    event = DecidedEvent(event="decided", round=state["round"], prompt=question["prompt"], decision=answer.decision)
    send_event(runtime, event)
    return _decided(answer, question, state)


def read_answer(value: object, question: Question) -> Answer:
    """Return the answer in `value`: an `Answer`, a mapping with the fields of an `Answer`, or a decision alone.

    Raises `AnswerError` for an incomplete answer, and for an edit with an empty text, a placeholder or too many tokens.
    """
    try:
        answer = Answer.model_validate({"decision": value} if isinstance(value, str) else value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        reason = re.sub("^(Input|String) should", "must", first["msg"].removeprefix("Value error, "))
        raise AnswerError(f"the answer can't be used: {where + ': ' if where else ''}{reason}") from None
    problem = None if answer.text is None else prompt_problem(answer.text, question["max_prompt_tokens"])
    if problem:
        raise AnswerError(f"the edited prompt can't be used: {problem}")
    return answer


def _decided(answer: Answer, question: Question, state: OuterState) -> OuterState:
    prompt = question["prompt"]
    decision = Decision(prompt=prompt, decision=answer.decision, reason=answer.reason)
    update: OuterState = {"answered": True, "problem": None, "decisions": [*state.get("decisions", []), decision]}
    if answer.decision != "approve":
        unchanged = None if prompt == "judge" else question["old"]  # without a candidate p_t stays
        text = answer.text.strip() if answer.text else unchanged
        update["candidate" if prompt == "judge" else "i2t_prompt"] = text
    if answer.decision == "reject":
        objection = Objection(prompt=prompt, reason=answer.reason or "")
        update["objections"] = [*state.get("objections", []), objection][-MOST_OBJECTIONS:]
    return update


async def _next_question(state: OuterState, run: OpenRun) -> Question | None:
    """Return the next question about a changed prompt without a decision; None: no question is left."""
    approval, decided_prompts = run.settings.approval, {decision["prompt"] for decision in state.get("decisions", [])}
    candidate = state.get("candidate")
    if approval != "none" and "judge" not in decided_prompts and candidate not in (None, state["judge_prompt"]):
        return await _question(state, run, "judge", state["judge_prompt"], candidate or "")
    if approval == "all" and "i2t" not in decided_prompts:
        q_0 = await run.store.text(state["rounds"][-1]["i2t_prompt_sha256"])
        q = state.get("i2t_prompt")
        if q not in (None, q_0):
            return await _question(state, run, "i2t", q_0, q or "")
    return None


async def _question(state: OuterState, run: OpenRun, prompt: PromptName, old: str, new: str) -> Question:
    trial = best_trial(state["trials"])
    samples = run.scored_samples(state) if trial["judge_prompt"] else []
    before = await recalled_verdicts(run, state["judge_prompt"], samples)
    after = await recalled_verdicts(run, trial["judge_prompt"] or "", samples)
    rows = list(zip(samples, before, after, strict=True))
    gains = [fall_of_loss([b], [a], [s], run.settings) or 0.0 for s, b, a in rows]
    fixes = [_change(*row) for row, gain in zip(rows, gains, strict=True) if gain > 0]
    breaks = [_change(*row) for row, gain in zip(rows, gains, strict=True) if gain < 0]
    question = Question(
        round=state["round"],
        prompt=prompt,
        old=old,
        new=new,
        diff=prompt_diff(old, new, f"{prompt}.md"),
        score=trial["score"],
        judged=len(samples),
        fixes=fixes[:MOST_CHANGES],
        fixed=len(fixes),
        breaks=breaks[:MOST_CHANGES],
        broken=len(breaks),
        max_prompt_tokens=run.settings.search.max_prompt_tokens,
    )
    problem = state.get("problem")
    return {**question, "problem": problem} if problem else question


def _change(sample: Sample, before: Verdict, after: Verdict) -> Change:
    return Change(id=sample.id, label=sample.label, before=_answer(before), after=_answer(after), reason=after.reason)


def _answer(verdict: Verdict) -> Label | None:
    """Return the judge's label; for a pair with several answers, the answers in words."""
    return order_words(verdict.orders) if verdict.label is None and len(verdict.orders) > 1 else verdict.label
