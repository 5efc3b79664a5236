"""approve: before a new prompt is adopted, a person may approve, edit or reject it (`approval`).

A node of its own, because a node that asks starts again from its beginning when the answer comes. An edited prompt is
adopted as it stands; a rejected one leaves the prompt in use, and its reason is shown to the critiques that follow.
"""

import re

from langgraph.runtime import Runtime
from langgraph.types import interrupt
from pydantic import ValidationError

from blpo.inference.initial_prompts import prompt_problem
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_event
from blpo.inference.rounds import best_trial
from blpo.inference.verdicts import recalled_verdicts
from blpo.metrics.loss import score
from blpo.prompts.diff import prompt_diff
from state.approval import MOST_CHANGES, Answer, Change, Decision, Objection, PromptName, Question
from state.errors import AnswerError
from state.events import DecidedEvent
from state.loops import OuterState
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict

MOST_OBJECTIONS = 10
"""Objections that critiques are shown, the latest ones."""

SCHEMA = Answer.model_json_schema()


async def approve(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Ask about the candidate p', then about q*, as far as `approval` goes; what is not new is not asked about.

    One question a superstep: LangGraph would give a second one the answer to the first when a run goes on without any.
    """
    async with run_of(runtime) as run:
        question = await _question_left(state, run)
    if question is None:
        return {"answered": False} if state.get("answered") else {}
    given = interrupt(question, response_schema=SCHEMA)
    try:
        answer = checked(given, question)
    except AnswerError as error:
        return {"answered": True, "problem": str(error)}
    event = DecidedEvent(event="decided", round=state["round"], prompt=question["prompt"], decision=answer.decision)
    send_event(runtime, event)
    return _decided(answer, question, state)


def checked(given: object, question: Question) -> Answer:
    """The answer that `given` is: an `Answer`, a mapping like one, or a decision alone.

    Raises `AnswerError` where it is incomplete, or where an edit is empty, too long, or holds a placeholder.
    """
    try:
        answer = Answer.model_validate({"decision": given} if isinstance(given, str) else given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        told = re.sub("^(Input|String) should", "must", first["msg"].removeprefix("Value error, "))
        raise AnswerError(f"the answer can't be used: {where + ': ' if where else ''}{told}") from None
    problem = None if answer.text is None else prompt_problem(answer.text, question["max_prompt_tokens"])
    if problem:
        raise AnswerError(f"the edited prompt can't be used: {problem}")
    return answer


def _decided(answer: Answer, question: Question, state: OuterState) -> OuterState:
    prompt = question["prompt"]
    decision = Decision(prompt=prompt, decision=answer.decision, reason=answer.reason)
    update: OuterState = {"answered": True, "problem": None, "decisions": [*state.get("decisions", []), decision]}
    if answer.decision != "approve":
        kept = None if prompt == "judge" else question["old"]  # without a candidate p_t stays
        text = answer.text.strip() if answer.text else kept
        update["candidate" if prompt == "judge" else "i2t_prompt"] = text
    if answer.decision == "reject":
        objection = Objection(prompt=prompt, reason=answer.reason or "")
        update["objections"] = [*state.get("objections", []), objection][-MOST_OBJECTIONS:]
    return update


async def _question_left(state: OuterState, run: OpenRun) -> Question | None:
    """The next question about a prompt that would change and is not decided yet."""
    approval, decided = run.settings.approval, {decision["prompt"] for decision in state.get("decisions", [])}
    candidate = state.get("candidate")
    if approval != "none" and "judge" not in decided and candidate not in (None, state["judge_prompt"]):
        return await _question(state, run, "judge", state["judge_prompt"], candidate or "")
    if approval == "all" and "i2t" not in decided:
        q_0 = await run.store.text(state["rounds"][-1]["i2t_prompt_sha256"])
        q = state.get("i2t_prompt")
        if q not in (None, q_0):
            return await _question(state, run, "i2t", q_0, q or "")
    return None


async def _question(state: OuterState, run: OpenRun, prompt: PromptName, old: str, new: str) -> Question:
    trial = best_trial(state["trials"])
    samples = run.samples([*(state["errors"] or []), *state["anchors"]]) if trial["judge_prompt"] else []
    before = await recalled_verdicts(run, state["judge_prompt"], samples)
    after = await recalled_verdicts(run, trial["judge_prompt"] or "", samples)
    rows = list(zip(samples, before, after, strict=True))
    gains = [score([b], [a], [s.label], run.settings.task) or 0.0 for s, b, a in rows]
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
    return Change(id=sample.id, label=sample.label, before=before.label, after=after.label, reason=after.reason)
