"""g(x; q): descriptions by the verbalizer, used only to update prompts. The judge never sees a description."""

from collections.abc import Callable, Sequence

from blpo.inference.failure_rate import FailureCount, failure_detail
from blpo.inference.fan_out import fan_out
from blpo.inference.open_models import OpenModels
from blpo.inference.progress import uncounted
from blpo.inference.question import question
from blpo.models.thinking import without_thinking
from state.response import Failure
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Description, Order

MAX_WORDS = 120
"""Longest description asked for: with 10 errors and 10 anchors about 3,000 tokens a critique."""
MAX_WORDS_A_PAIR = 200
"""Longest description of a pair: of two things, and how they differ."""
WORDS_OF_ONE_IN_A_LIST = 60
"""Words for each image of a list."""


WORDS_OF_ONE_OF_SEVERAL = 30
"""Words for each of several images with one label."""


def most_words(task: TaskSettings, images: int) -> int:
    """Return the longest description asked for, of a list or of a sample with so many named images."""
    if task.kind == "ranking":
        return max(MAX_WORDS, WORDS_OF_ONE_IN_A_LIST * images)
    if task.kind in ("ordinal", "categorical"):
        return max(MAX_WORDS, WORDS_OF_ONE_OF_SEVERAL * images)
    return MAX_WORDS_A_PAIR


async def describe_samples(
    models: OpenModels, i2t_prompt: str, samples: Sequence[Sample], count: Callable[[], None] = uncounted
) -> list[Description]:
    """Return g(x; q) for all samples, in order; call `count` after every sample.

    Raises `BudgetSpent`, and `TooManyFailures` once too many samples have failed; then no further sample is described.
    """
    failures = FailureCount(models, "verbalizer", len(samples))

    async def described(sample: Sample) -> Description:
        description = await describe_sample(models, i2t_prompt, sample)
        failures.add(description)
        return description

    def at_hand(sample: Sample) -> Description | None:
        recent = _recent(models, i2t_prompt, sample)
        if recent is not None:
            failures.add(recent)
        return recent

    return await fan_out(described, samples, models.width("verbalizer"), count, at_hand)


async def describe_sample(models: OpenModels, i2t_prompt: str, sample: Sample) -> Description:
    """Return g(x; q) for a sample; a failure is a description with the status `error`."""
    if (recent := _recent(models, i2t_prompt, sample)) is not None:
        return recent
    description = await _asked(models, i2t_prompt, sample)
    if description.status != "error":
        models.memory.descriptions.keep(sample, i2t_prompt, description)
    return description


def _recent(models: OpenModels, i2t_prompt: str, sample: Sample) -> Description | None:
    """Return a description that is still in memory, and count it; None without one."""
    recent = models.memory.descriptions.get(sample, i2t_prompt)
    if recent is not None:
        models.caller.count_recalled("verbalizer")
    return recent


async def _asked(models: OpenModels, i2t_prompt: str, sample: Sample) -> Description:
    """Return the description of the caller.

    A pair or a list is described in one message, a pair always a first: the differences are what helps.
    """
    task = models.settings.of_task(sample.task).task
    model, is_pair = models.settings.models.of("verbalizer"), task.kind == "pairwise"
    words = str(most_words(task, len(sample.images)))
    order: Order | None = "ab" if is_pair else None
    request = await question(models, sample, model, "verbalize", order, i2t_prompt=i2t_prompt, max_words=words)
    response = await models.caller.ask("verbalizer", [request])
    if isinstance(response, Failure):
        return Description(sample.id, "error", failure_detail(response, "verbalizer"))
    text = without_thinking(response.text)
    if response.refused or not text:
        return Description(sample.id, "refused" if response.refused else "unparseable", "")
    return Description(sample.id, "ok", text)
