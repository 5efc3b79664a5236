"""Questions to the optimizer that all methods share: judge prompts under common rules, cases and images."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from blpo.inference.consult import Advice, consult, copies, too_long
from blpo.inference.fan_out import fan_out
from blpo.inference.open_run import OpenRun
from blpo.inference.verdicts import judge_samples
from blpo.models.messages import Message, Part, user
from blpo.prompts.cases import Case
from state.sample import Sample

_T = TypeVar("_T")
_R = TypeVar("_R")


async def write_prompt(run: OpenRun, question: str | Message, texts: Sequence[str]) -> Advice:
    """Ask for a judge prompt within the length limit that copies none of the `texts` of the question."""
    most = run.settings.search.max_prompt_tokens
    return await consult(run, question, "judge_prompt", lambda text: too_long(text, most) or copies(text, list(texts)))


async def ask_all(run: OpenRun, ask: Callable[[_T], Awaitable[_R]], items: Sequence[_T]) -> list[_R]:
    """Call `ask` for each item, as many at once as the optimizer takes; return the answers in order."""
    return await fan_out(ask, items, run.width("optimizer"))


async def judged_cases(run: OpenRun, judge_prompt: str, samples: Sequence[Sample]) -> list[Case]:
    """Return a case without a description for each sample with an answer under `judge_prompt`."""
    verdicts = await judge_samples(run, judge_prompt, samples)
    return [Case(s, v) for s, v in zip(samples, verdicts, strict=True) if v.status == "ok"]


def shown_texts(rows: Iterable[Case]) -> list[str]:
    """Return the texts of samples, reasons and feedback in `rows`, which no prompt may copy."""
    return [text for row in rows for text in (row.sample.text, row.verdict.reason, row.feedback) if text]


async def with_images(run: OpenRun, rows: Sequence[Case]) -> tuple[list[Part], list[Case]]:
    """Return the images of `rows` as sent to the optimizer, and the rows with the numbers of their images."""
    model = run.settings.models.of("optimizer")
    parts: list[Part] = []
    numbered: list[Case] = []
    for row in rows:
        images = await run.images.of(row.sample, model)
        numbers = tuple(range(len(parts) + 1, len(parts) + len(images) + 1))
        parts += images
        numbered.append(replace(row, images=numbers))
    return parts, numbered


def message(parts: Sequence[Part], question: str) -> Message:
    """Return one user message: the images, then the question about the images."""
    return user(*parts, question)
