"""f(x; p): verdicts of the judge. The frozen judge labels images by a judge prompt and always sees the image itself."""

from collections.abc import Awaitable, Callable, Sequence

from blpo.inference.failure_rate import check_failures, explained
from blpo.inference.fan_out import fan_out
from blpo.inference.progress import uncounted
from blpo.inference.question import question
from blpo.inference.session import Session
from blpo.metrics.loss import score
from blpo.models.messages import Message, assistant, user
from blpo.models.thinking import without_thinking
from blpo.models.verdict_format import label_form, schema
from blpo.models.verdict_reading import parse_verdict
from blpo.prompts.template import render
from state.loops import Trial
from state.response import Failure, Response
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Verdict

Ask = Callable[..., Awaitable[Response | Failure]]
"""`ModelCaller.ask`, or its `recall`."""

MOST_REPEATED = 2000
"""Characters of an unusable reply that its repair repeats."""


async def judge_samples(
    session: Session, judge_prompt: str, samples: Sequence[Sample], count: Callable[[], None] = uncounted
) -> list[Verdict]:
    """f(x; p) for each sample, in order; raises `TooManyFailures` and `BudgetSpent`. `count` is called for each."""
    width = session.width("judge")
    verdicts = await fan_out(lambda sample: judge_sample(session, judge_prompt, sample), samples, width, count)
    check_failures("judge", verdicts, session.settings.limits)
    return verdicts


async def recalled_verdicts(session: Session, judge_prompt: str, samples: Sequence[Sample]) -> list[Verdict]:
    """The verdicts that the run has, in order; asks nothing: what was not answered is an `error`."""
    recall = session.calls.recall
    return await fan_out(lambda s: judge_sample(session, judge_prompt, s, recall), samples, session.width("judge"))


async def try_prompt(
    session: Session,
    judge_prompt: str,
    candidate: str | None,
    samples: Sequence[Sample],
    *,
    i2t_prompt: str | None = None,
    failure: str | None = None,
) -> Trial:
    """The trial of `candidate`: how far it lowers the loss on `samples` against `judge_prompt`.

    Without a candidate it is a failed trial, of this `failure`. Raises `TooManyFailures` and `BudgetSpent`.
    """
    if candidate is None:
        return Trial(i2t_prompt=i2t_prompt, judge_prompt=None, score=None, failure=failure)
    before = await judge_samples(session, judge_prompt, samples)
    after = await judge_samples(session, candidate, samples)
    result = score(before, after, [s.label for s in samples], session.settings.task)
    reason = None if result is not None else "no sample was judged under both prompts"
    return Trial(i2t_prompt=i2t_prompt, judge_prompt=candidate, score=result, failure=reason)


async def judge_sample(session: Session, judge_prompt: str, sample: Sample, ask: Ask | None = None) -> Verdict:
    """f(x; p) for one sample; a failure is a verdict with that status, never a label.

    A reply that holds no label of the task is repaired once: the judge is asked again, in the same conversation. A
    refusal is an answer, and is not argued with. `ask`: None for `session.calls.ask`.
    """
    ask = ask or session.calls.ask
    task = session.settings.task
    messages = await judge_messages(session, judge_prompt, sample)
    response = await ask("judge", messages, schema=schema(task))
    verdict = verdict_of(sample, response, task)
    needs_repair = verdict.status == "unparseable" and isinstance(response, Response)
    session.budget.judged(sample.id, repaired=needs_repair)
    if not needs_repair or isinstance(response, Failure):
        return verdict
    repair = repair_messages(messages, response, task)
    response = await ask("judge", repair, schema=schema(task))
    refuses_repairs = isinstance(response, Failure) and response.kind in ("too_long", "rejected")
    return verdict if refuses_repairs else verdict_of(sample, response, task)


async def judge_messages(session: Session, judge_prompt: str, sample: Sample) -> list[Message]:
    """What the judge is asked of `sample`."""
    model, form = session.settings.models.of("judge"), label_form(session.settings.task)
    return [await question(session, sample, model, "judge", judge_prompt=judge_prompt, label_form=form)]


def repair_messages(messages: Sequence[Message], response: Response, task: TaskSettings) -> list[Message]:
    """The conversation in which an unparseable `response` to `messages` is asked for again."""
    reply = without_thinking(response.text)[:MOST_REPEATED] or "(no answer)"  # servers refuse empty messages
    problem = f'it is no JSON object whose "label" is {label_form(task)}'
    return [*messages, assistant(reply), user(render("repair", problem=problem))]


def verdict_of(sample: Sample, response: Response | Failure, task: TaskSettings) -> Verdict:
    """The verdict that one reply gives."""
    if isinstance(response, Failure):
        return Verdict(sample.id, "error", None, explained(response, "judge"))
    if response.refused:
        return Verdict(sample.id, "refused", None, response.text)
    status, label, reason = parse_verdict(response.text, task)
    written: dict[str, Label] = {str(value): value for value in task.values}
    scores = tuple((written[name], probability) for name, probability in response.scores) if status == "ok" else ()
    return Verdict(sample.id, status, label, reason, scores)
