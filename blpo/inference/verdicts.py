"""f(x; p): verdicts of the judge. The frozen judge labels images by a judge prompt and always sees the image itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from blpo.inference.answer_forms import answer_form
from blpo.inference.answers import answer_of
from blpo.inference.discussion import Spoken, is_divided, talk_with
from blpo.inference.failure_rate import FailureCount
from blpo.inference.fan_out import fan_out
from blpo.inference.judgement import Judgement
from blpo.inference.list_parts import parts_of, ranking_of, with_task
from blpo.inference.open_models import OpenModels
from blpo.inference.open_run import OpenRun
from blpo.inference.pair_orders import View, orders_of, pair_verdict
from blpo.inference.panel_weights import learned_weights, with_weights
from blpo.inference.progress import uncounted
from blpo.inference.votes import CastVote, ballots_of, voted
from blpo.metrics.task_metrics import fall_of_loss, gain_on
from state.loops import Trial
from state.sample import Sample
from state.verdict import Verdict


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
    models = await weighted(models)
    failures = FailureCount(models, "judge", len(samples), split)

    async def judged(sample: Sample) -> Verdict:
        verdict = await judge_sample(models, judge_prompt, sample)
        failures.add(verdict)
        return verdict

    return await fan_out(judged, samples, models.width("judge"), count)


async def recalled_verdicts(run: OpenRun, judge_prompt: str, samples: Sequence[Sample]) -> list[Verdict]:
    """Return the recorded verdicts, in order. Nothing is sent; a verdict without a stored answer is an `error`."""
    recall = await weighted(run.recall)
    return await fan_out(lambda sample: judge_sample(recall, judge_prompt, sample), samples, run.width("judge"))


async def weighted(models: OpenModels) -> OpenModels:
    """Return the models with the weights of their panel, learned at the first call; others as they are.

    The open run learns by judging the validation split, and raises as `judge_samples`. Recorded models learn from what
    is recorded.
    """
    learned = models.weights
    if learned is None:
        return models
    equal = replace(models, weights=None)
    if learned.values is None:
        prompt, samples = learned.judge_prompt, learned.samples
        if isinstance(models, OpenRun):
            verdicts = await judge_samples(equal, prompt, samples, split="validation")
        else:
            verdicts = await fan_out(lambda each: judge_sample(equal, prompt, each), samples, models.width("judge"))
        learned.values = learned_weights(verdicts, samples, models.settings)
    return replace(equal, settings=with_weights(models.settings, learned.values))


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


async def _judgement(
    models: OpenModels, judge_prompt: str, sample: Sample, view: View | None, repeat: int
) -> Judgement:
    """Return the answer in one order; of a judge with votes, and of a panel, the verdict of all answers."""
    ballots, panel = ballots_of(models.settings.models, repeat), models.settings.models.panel
    if len(ballots) == 1:
        return await answer_of(models, judge_prompt, sample, view, ballots[0])
    answers = await fan_out(lambda ballot: answer_of(models, judge_prompt, sample, view, ballot), ballots, len(ballots))
    spoken = [Spoken(ballot, answer) for ballot, answer in zip(ballots, answers, strict=True)]
    replies = tuple(reply for answer in answers for reply in answer.replies)
    votes = [CastVote(each.ballot, each.alone.verdict) for each in spoken]
    if panel is not None and panel.discussion and is_divided(spoken):
        again = await _discussed(models, judge_prompt, sample, view, spoken)
        replies += tuple(reply for answer in again for reply in answer.replies)
        votes = [
            CastVote(each.ballot, new.verdict, each.alone.verdict) for each, new in zip(spoken, again, strict=True)
        ]
    own, form = models.settings.of_task(sample.task).task, answer_form(models.settings, sample)
    return Judgement(voted(sample.id, votes, own if own.kind == "ordinal" else form.task, panel), replies)


async def _discussed(
    models: OpenModels, judge_prompt: str, sample: Sample, view: View | None, spoken: Sequence[Spoken]
) -> list[Judgement]:
    """Return the answers after the discussion; a member without an answer keeps its error."""
    form = answer_form(models.settings, sample)

    async def again(member: Spoken) -> Judgement:
        talk = talk_with(member, spoken, form)
        if not talk:
            return Judgement(member.alone.verdict, ())
        return await answer_of(models, judge_prompt, sample, view, member.ballot, talk)

    return await fan_out(again, spoken, len(spoken))
