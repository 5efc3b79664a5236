"""f(x; p): verdicts of the judge. The frozen judge labels images by a judge prompt and always sees the image itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from blpo.inference.answer_forms import AnswerForm, answer_form
from blpo.inference.cut_off import cut_off
from blpo.inference.examples import example_parts
from blpo.inference.failure_rate import FailureCount, failure_detail
from blpo.inference.fan_out import fan_out
from blpo.inference.list_parts import parts_of, ranking_of, with_task
from blpo.inference.open_models import OpenModels
from blpo.inference.open_run import OpenRun
from blpo.inference.pair_orders import View, orders_of, pair_verdict
from blpo.inference.progress import uncounted
from blpo.inference.prompt_parts import prompt_shown
from blpo.inference.question import question
from blpo.inference.votes import voted
from blpo.metrics.task_metrics import fall_of_loss, gain_on
from blpo.models.messages import Message, assistant, user
from blpo.models.thinking import without_thinking
from blpo.models.verdict_reading import parse_verdict
from blpo.prompts.template import render
from state.loops import Trial
from state.response import Failure, Response
from state.sample import Label, Sample
from state.verdict import Verdict

MOST_REPEATED = 2000
"""Characters of an unusable reply that its repair repeats."""


async def judge_samples(
    models: OpenModels,
    judge_prompt: str,
    samples: Sequence[Sample],
    count: Callable[[], None] = uncounted,
    *,
    split: str = "",
) -> list[Verdict]:
    """Return f(x; p) for all samples, in order; call `count` after every sample.

    `split` is the name of the samples in messages. Raises `BudgetSpent`, and `TooManyFailures` once too many samples
    have failed; then no further sample is judged.
    """
    failures = FailureCount(models, "judge", len(samples), split)

    async def judged(sample: Sample) -> Verdict:
        verdict = await judge_sample(models, judge_prompt, sample)
        failures.add(verdict)
        return verdict

    return await fan_out(judged, samples, models.width("judge"), count)


async def recalled_verdicts(run: OpenRun, judge_prompt: str, samples: Sequence[Sample]) -> list[Verdict]:
    """Return the recorded verdicts, in order. Nothing is sent; a verdict without a stored answer is an `error`."""
    recall = run.recall
    return await fan_out(lambda sample: judge_sample(recall, judge_prompt, sample), samples, run.width("judge"))


async def try_prompt(
    models: OpenModels,
    judge_prompt: str,
    candidate: str | None,
    samples: Sequence[Sample],
    *,
    i2t_prompt: str | None = None,
    failure: str | None = None,
    by_metric: bool = False,
) -> Trial:
    """Return the trial of `candidate`, with the score on `samples` against `judge_prompt`.

    The score is the fall of the loss; `by_metric`: the gain of the search metric, with the gain's standard error.
    Without a candidate the trial is a failed trial with the reason `failure`. Raises `TooManyFailures` and
    `BudgetSpent`.
    """
    trial = Trial(i2t_prompt=i2t_prompt, judge_prompt=candidate, score=None, failure=failure)
    if candidate is None:
        return trial
    before, after = [await judge_samples(models, prompt, samples) for prompt in (judge_prompt, candidate)]
    if not by_metric:
        trial["score"] = fall_of_loss(before, after, samples, models.settings)
    elif (gain := gain_on(before, after, samples, models.settings)) is not None:
        trial["score"], trial["noise"] = gain.difference, gain.noise
    trial["failure"] = "no sample was judged under both prompts" if trial["score"] is None else None
    return trial


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with the judge's replies."""

    verdict: Verdict
    replies: tuple[Response, ...]
    """One reply for each order of a pair, each part of a list and each vote, else one; two where the first was
    repaired; fewer where a request failed."""


async def judge_sample(models: OpenModels, judge_prompt: str, sample: Sample) -> Verdict:
    """Return f(x; p) for a sample; a failure is a verdict with the status `error`, never a label."""
    return (await judgement_of(models, judge_prompt, sample)).verdict


async def judgement_of(models: OpenModels, judge_prompt: str, sample: Sample, repeat: int = 0) -> Judgement:
    """Return the verdict on a sample with the judge's replies. A pair is judged in all its orders at the same time.

    A further `repeat` asks all questions again.
    """
    task = models.settings.of_task(sample.task).task
    if task.parts is not None:
        return await judgement_by_parts(with_task(models, task.parts), judge_prompt, sample, repeat)
    views = orders_of(task, sample, models.settings.search.seed)
    if views == (None,):
        return await _judgement(models, judge_prompt, sample, None, repeat)
    judgements = await fan_out(lambda view: _judgement(models, judge_prompt, sample, view, repeat), views, len(views))
    replies = tuple(reply for judgement in judgements for reply in judgement.replies)
    return Judgement(pair_verdict(sample.id, views, [each.verdict for each in judgements], task), replies)


async def judgement_by_parts(models: OpenModels, judge_prompt: str, sample: Sample, repeat: int = 0) -> Judgement:
    """Return the ranking of a list by a judge of single images or of pairs, the task of `models`."""
    task, width = models.settings.task, models.width("judge")
    parts = parts_of(sample, task)
    judgements = await fan_out(lambda part: judgement_of(models, judge_prompt, part, repeat), parts, width)
    replies = tuple(reply for judgement in judgements for reply in judgement.replies)
    return Judgement(ranking_of(sample, [judgement.verdict for judgement in judgements], task), replies)


def request_name(sample: Sample, view: View | None, repeat: int = 0) -> str:
    """Return the name of a sample in an order, for the budget's count of repairs."""
    name = sample.id if view is None else f"{sample.id} {view}"
    return f"{name} repeat {repeat}" if repeat else name


async def _judgement(
    models: OpenModels, judge_prompt: str, sample: Sample, view: View | None, repeat: int
) -> Judgement:
    """Return the answer in one order; of a judge with votes the verdict of all votes.

    Votes are repeats of the question: 0 to votes - 1 for the repeat 0, the next votes for the repeat 1.
    """
    votes = models.settings.models.of("judge").votes
    if votes == 1:
        return await _answer(models, judge_prompt, sample, view, repeat)
    numbers = range(repeat * votes, (repeat + 1) * votes)
    answers = await fan_out(lambda k: _answer(models, judge_prompt, sample, view, k), numbers, votes)
    task = answer_form(models.settings, sample).task
    replies = tuple(reply for answer in answers for reply in answer.replies)
    return Judgement(voted(sample.id, [answer.verdict for answer in answers], task), replies)


async def _answer(models: OpenModels, judge_prompt: str, sample: Sample, view: View | None, repeat: int) -> Judgement:
    """Return one answer in one order.

    A reply without a label of the task is repaired once: the judge is asked again, in the same conversation. A refusal
    is an answer and is not repaired.
    """
    form = answer_form(models.settings, sample)
    messages = await judge_messages(models, judge_prompt, sample, view)
    response = await models.caller.ask("judge", messages, form.schema, repeat)
    verdict = verdict_of(sample, response, form)
    needs_repair = verdict.status == "unparseable"
    models.budget.judged(request_name(sample, view, repeat), repaired=needs_repair)
    if isinstance(response, Failure):
        return Judgement(verdict, ())
    verdict = _with_cut(verdict, response, models)
    if not needs_repair:
        return Judgement(verdict, (response,))
    question = repair_messages(messages, response, form)
    repair = await models.caller.ask("judge", question, form.schema, repeat)
    if isinstance(repair, Failure):
        refuses_repairs = repair.kind in ("too_long", "rejected")
        return Judgement(verdict if refuses_repairs else verdict_of(sample, repair, form), (response,))
    return Judgement(_with_cut(verdict_of(sample, repair, form), repair, models), (response, repair))


def _with_cut(verdict: Verdict, response: Response, models: OpenModels) -> Verdict:
    """Add the setting that cut off an unparseable reply to the verdict's reason."""
    cut = cut_off(response, models.settings.models, "judge")
    if verdict.status != "unparseable" or cut is None:
        return verdict
    return replace(verdict, reason=f"{cut}: {verdict.reason}" if verdict.reason else cut)


async def judge_messages(models: OpenModels, judge_prompt: str, sample: Sample, view: View | None) -> list[Message]:
    """Return the conversation with the judge about `sample`, a pair as in `view`."""
    model, form = models.settings.models.of("judge"), answer_form(models.settings, sample)
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


def verdict_of(sample: Sample, response: Response | Failure, form: AnswerForm) -> Verdict:
    """Return the verdict of a reply; only a `Response` can be `unparseable`."""
    if isinstance(response, Failure):
        return Verdict(sample.id, "error", None, failure_detail(response, "judge"))
    if response.refused:
        return Verdict(sample.id, "refused", None, response.text)
    status, label, reason = parse_verdict(response.text, form.task, form.key)
    labels: dict[str, Label] = form.task.label_by_answer
    label = label if label is None else labels.get(str(label), label)
    scores = tuple((labels[name], probability) for name, probability in response.scores) if status == "ok" else ()
    return Verdict(sample.id, status, label, reason, scores)
