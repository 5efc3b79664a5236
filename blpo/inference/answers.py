"""One answer of one judge about a sample: the question, the reply, and its repair."""

from collections.abc import Sequence
from dataclasses import replace

from blpo.inference.answer_forms import AnswerForm, answer_form
from blpo.inference.cut_off import cut_off
from blpo.inference.examples import example_parts
from blpo.inference.failure_rate import failure_detail
from blpo.inference.judgement import Judgement, Reply
from blpo.inference.open_models import OpenModels
from blpo.inference.pair_orders import View
from blpo.inference.prompt_parts import prompt_shown
from blpo.inference.question import question
from blpo.inference.votes import ONE_BALLOT, Ballot
from blpo.models.messages import Message, Role, assistant, user
from blpo.models.thinking import without_thinking
from blpo.models.verdict_reading import parse_verdict
from blpo.prompts.template import render
from state.response import Failure, Response
from state.sample import Label, Sample
from state.verdict import Verdict

MOST_REPEATED = 2000
"""Characters of an unusable reply that its repair repeats."""


def request_name(sample: Sample, view: View | None, ballot: Ballot = ONE_BALLOT, talk: Sequence[Message] = ()) -> str:
    """Return the name of a sample in an order, for the budget's count of repairs."""
    order, repeat = view or "", f"repeat {ballot.repeat}" if ballot.repeat else ""
    return " ".join(filter(None, (sample.id, order, ballot.member, repeat, "again" if talk else "")))


async def answer_of(
    models: OpenModels,
    judge_prompt: str,
    sample: Sample,
    view: View | None,
    ballot: Ballot = ONE_BALLOT,
    talk: Sequence[Message] = (),
) -> Judgement:
    """Return one answer in one order; `talk` are messages after the question, in a discussion."""
    if talk:
        return await _asked(models, judge_prompt, sample, view, ballot, talk)
    question = (judge_prompt, view, ballot)
    if (recent := models.memory.judgements.get(sample, question)) is not None:
        for reply in recent.replies:
            models.caller.count_recalled(reply.role)
        models.budget.judged(request_name(sample, view, ballot), repaired=len(recent.replies) > 1)
        return recent
    judgement = await _asked(models, judge_prompt, sample, view, ballot)
    if judgement.verdict.status == "ok":  # with all replies, one or two
        models.memory.judgements.keep(sample, question, judgement)
    return judgement


async def _asked(
    models: OpenModels,
    judge_prompt: str,
    sample: Sample,
    view: View | None,
    ballot: Ballot,
    talk: Sequence[Message] = (),
) -> Judgement:
    """Return one answer of the caller.

    A reply without a label of the task is repaired once: the judge is asked again, in the same conversation. A refusal
    is an answer and is not repaired.
    """
    form, role = answer_form(models.settings, sample), ballot.role
    messages = [*await judge_messages(models, judge_prompt, sample, view, role), *talk]
    response = await models.caller.ask(role, messages, form.schema, ballot.repeat)
    verdict = verdict_of(sample, response, form, role)
    needs_repair = verdict.status == "unparseable"
    models.budget.judged(request_name(sample, view, ballot, talk), repaired=needs_repair)
    if isinstance(response, Failure):
        return Judgement(verdict, ())
    verdict, reply = _with_cut(verdict, response, models, role), Reply(response, role)
    if not needs_repair:
        return Judgement(verdict, (reply,))
    question = repair_messages(messages, response, form)
    repair = await models.caller.ask(role, question, form.schema, ballot.repeat)
    repaired = verdict_of(sample, repair, form, role)
    if isinstance(repair, Failure):
        refuses_repairs = repair.kind in ("too_long", "rejected")
        return Judgement(verdict if refuses_repairs else repaired, (reply,))
    return Judgement(_with_cut(repaired, repair, models, role), (reply, Reply(repair, role)))


def _with_cut(verdict: Verdict, response: Response, models: OpenModels, role: Role) -> Verdict:
    """Add the setting that cut off an unparseable reply to the verdict's reason."""
    cut = cut_off(response, models.settings.models, role)
    if verdict.status != "unparseable" or cut is None:
        return verdict
    return replace(verdict, reason=f"{cut}: {verdict.reason}" if verdict.reason else cut)


async def judge_messages(
    models: OpenModels, judge_prompt: str, sample: Sample, view: View | None, role: Role = "judge"
) -> list[Message]:
    """Return the conversation with a judge about `sample`, a pair as in `view`."""
    model, form = models.settings.models.of(role), answer_form(models.settings, sample)
    values = {
        "judge_prompt": prompt_shown(judge_prompt, sample, models.settings),
        "task_note": form.task_note,
        "answer_form": form.words,
    }
    examples = await example_parts(models, sample, model) if models.examples else []
    return [await question(models, sample, model, "judge", view, examples, **values)]


def repair_messages(messages: Sequence[Message], response: Response, form: AnswerForm) -> list[Message]:
    """Return the conversation to repair an unparseable `response` to `messages`."""
    reply = without_thinking(response.text)[:MOST_REPEATED] or "(no answer)"  # servers refuse empty messages
    return [*messages, assistant(reply), user(render("repair", problem=form.missing))]


def verdict_of(sample: Sample, response: Response | Failure, form: AnswerForm, role: Role = "judge") -> Verdict:
    """Return the verdict of a reply; only a `Response` can be `unparseable`."""
    if isinstance(response, Failure):
        return Verdict(sample.id, "error", None, failure_detail(response, role))
    if response.refused:
        return Verdict(sample.id, "refused", None, response.text)
    status, label, reason = parse_verdict(response.text, form.task, form.key)
    labels: dict[str, Label] = form.task.label_by_answer
    label = label if label is None else labels.get(str(label), label)
    scores = tuple((labels[name], probability) for name, probability in response.scores) if status == "ok" else ()
    return Verdict(sample.id, status, label, reason, scores)
