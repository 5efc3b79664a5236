"""Confidence of a verdict, as the judge's model tells it (`models.judge.confidence`): not yet calibrated.

The verdict is the same with and without a confidence: repeats and words are further questions.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from blpo.inference.answer_forms import answer_form, asks_once
from blpo.inference.answers import judge_messages
from blpo.inference.fan_out import fan_out
from blpo.inference.judgement import Reply
from blpo.inference.open_models import OpenModels
from blpo.inference.pair_orders import orders_of
from blpo.inference.verdicts import judgement_of
from blpo.inference.votes import votes_of
from blpo.models.confidence_reading import stated_confidence
from blpo.models.messages import Message, assistant, user
from blpo.models.thinking import without_thinking
from blpo.prompts.template import render
from state.response import Failure, Response
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Verdict, Vote


@dataclass(frozen=True, slots=True)
class Confidence:
    """Confidence of a verdict, with the replies that it cost."""

    value: float | None = None
    """In [0, 1]. None: not told, and for a verdict without a label."""
    scores: tuple[tuple[Label, float], ...] = ()
    """Share of each label among the repeats; empty for other sources."""
    replies: tuple[Reply, ...] = ()


async def confidence_of(models: OpenModels, judge_prompt: str, sample: Sample, verdict: Verdict) -> Confidence:
    """Return the confidence of the verdict on a sample by the source in the settings."""
    source = models.settings.models.of("judge").confidence
    if source is None or verdict.status != "ok" or verdict.label is None:
        return Confidence()
    if source == "logprobs":
        return Confidence(dict(verdict.scores).get(verdict.label))
    if source == "repeats" and (by_order := votes_of(verdict)):
        return _by_votes(by_order, verdict, models.settings.of_task(sample.task).task)
    if source == "repeats":
        return await _by_repeats(models, judge_prompt, sample, verdict)
    return await _by_words(models, judge_prompt, sample)


def _by_votes(by_order: Sequence[Sequence[Vote]], verdict: Verdict, task: TaskSettings) -> Confidence:
    """Return the share of votes that equal the verdict, the mean of all orders of a pair; no further call is needed."""
    heard = [[vote for vote in votes if vote.status != "error"] for votes in by_order]
    value = fmean(fmean(vote.label == verdict.label for vote in votes) for votes in heard)
    counts = Counter(vote.label for votes in by_order for vote in votes if vote.label is not None)
    return Confidence(value, tuple((label, counts[label] / counts.total()) for label in task.values))


async def _by_repeats(models: OpenModels, judge_prompt: str, sample: Sample, verdict: Verdict) -> Confidence:
    """Return the share of answers that equal the verdict; an answer without a label equals none, an error is left out.

    For a pair an answer is the label of all orders.
    """
    numbers = range(1, models.settings.models.of("judge").repeats)
    again = await fan_out(lambda k: judgement_of(models, judge_prompt, sample, k), numbers, len(numbers))
    labels = [verdict.label, *(each.verdict.label for each in again if each.verdict.status != "error")]
    counts = Counter(label for label in labels if label is not None)
    scores = tuple(
        (label, counts[label] / counts.total()) for label in models.settings.of_task(sample.task).task.values
    )
    replies = tuple(reply for each in again for reply in each.replies)
    return Confidence(labels.count(verdict.label) / len(labels), scores, replies)


async def _by_words(models: OpenModels, judge_prompt: str, sample: Sample) -> Confidence:
    """Return the mean of the confidences that the judge states about its answers, one for each order of a pair.

    Of an answer with a label for each criterion, the judge is asked about the label for the criterion of the sample.
    """
    task, replies, values = models.settings.of_task(sample.task).task, list[Reply](), list[float]()
    for view in orders_of(task, sample, models.settings.search.seed):
        messages = await judge_messages(models, judge_prompt, sample, view)
        answer = await models.caller.ask("judge", messages, answer_form(models.settings, sample).schema)
        if isinstance(answer, Failure):
            return Confidence(replies=tuple(replies))
        criterion = sample.task if asks_once(models.settings) else ""
        reply = await models.caller.ask("judge", confidence_messages(messages, answer, criterion))
        value = None if isinstance(reply, Failure) or reply.refused else stated_confidence(reply.text)
        replies += [Reply(reply)] if isinstance(reply, Response) else []
        if value is None:
            return Confidence(replies=tuple(replies))
        values.append(value)
    return Confidence(fmean(values), replies=tuple(replies))


def confidence_messages(messages: list[Message], answer: Response, criterion: str = "") -> list[Message]:
    """Return the conversation to ask how sure the judge is of its `answer` to `messages`, or of one label in it."""
    text = without_thinking(answer.text) or "(no answer)"  # servers refuse empty messages
    question = render("confidence_criterion", criterion=criterion) if criterion else render("confidence")
    return [*messages, assistant(text), user(question)]
