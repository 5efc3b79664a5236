"""OPRO (Yang et al. 2024, "Large Language Models as Optimizers"): the optimizer sees the scores of earlier prompts.

The optimizer sees a history of judge prompts with their scores, the best last, and the labels (and texts, if any) of a
few samples, but no verdicts, errors or images. A round proposes several prompts and scores them on one fixed part of
the train split.
"""

import math
import random
from collections.abc import Sequence
from typing import TypedDict

from langgraph.runtime import Runtime

from blpo.inference.consult import Advice
from blpo.inference.fan_out import fan_out
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase, send_trial
from blpo.inference.verdicts import judge_samples, try_prompt
from blpo.metrics.loss import loss
from blpo.prompts.cases import labels_in_words
from blpo.prompts.delimiters import element
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from evals.methods.writing import ask_all, write_prompt
from nodes.collect_errors import draw
from state.loops import OuterState, Trial
from state.sample import Sample
from state.settings import Settings

PROMPTS_A_STEP = 8
"""Prompts of a round. Section 5.1: a step generates eight instructions."""
MOST_REMEMBERED = 20
"""Prompts of the history. Section 5.1: the meta-prompt holds the best 20 instructions."""
EXEMPLARS = 3
"""Samples of a question. Section 5.1: each meta-prompt has three new exemplars."""


class HistoryEntry(TypedDict):
    """One entry of the history."""

    prompt_sha256: str
    """SHA-256 of the prompt; the response store holds the text."""
    score: float
    """From 0 to 100, higher is better."""


class OproState(OuterState, total=False):
    """State of the outer loop, with the history."""

    history: list[HistoryEntry]
    """Best prompts so far, the best last."""


async def propose(state: OproState, runtime: Runtime[Settings]) -> OproState:
    """Ask for several prompts by the history of scores, score the prompts, and remember the best."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "propose")
        samples = scoring_samples(run)
        history = state.get("history") or [await _score(run, state["judge_prompt"], samples)]
        texts = "\n".join([await _entry(run, entry) for entry in history])
        answers = await ask_all(run, lambda number: _ask(run, state, texts, number), range(PROMPTS_A_STEP))
        trials = await fan_out(lambda answer: _try(run, state, answer, samples), answers, PROMPTS_A_STEP)
        new = [await _score(run, trial["judge_prompt"], samples) for trial in trials if trial["judge_prompt"]]
        for step, trial in enumerate(trials):
            send_trial(runtime, state, step, trial)
    return {"trials": trials, "history": best_last(history, new)}


def scoring_samples(run: OpenRun) -> list[Sample]:
    """Return the part of the train split that scores the prompts of a run, of the same size as a trial of BLPO."""
    search = run.settings.search
    rows = [(sample.id, str(sample.label)) for sample in run.split("train")]
    size = search.error_batch + search.anchors
    return run.samples(draw(rows, size, f"{search.seed}/opro", spread=search.draw == "spread"))


def best_last(history: Sequence[HistoryEntry], new: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Return the best `MOST_REMEMBERED` entries of `history` and `new`, ascending by score, without repeated prompts.

    `history` is a former result of this function. On a tie the older entry ranks higher.
    """
    distinct: dict[str, HistoryEntry] = {}
    for entry in (*reversed(history), *new):
        distinct.setdefault(entry["prompt_sha256"], entry)
    best_first = sorted(distinct.values(), key=lambda entry: -entry["score"])
    return best_first[:MOST_REMEMBERED][::-1]


async def _try(run: OpenRun, state: OuterState, answer: Advice, samples: Sequence[Sample]) -> Trial:
    return await try_prompt(run, state["judge_prompt"], answer.text, samples, failure=answer.problem)


async def _score(run: OpenRun, prompt: str, samples: Sequence[Sample]) -> HistoryEntry:
    verdicts = await judge_samples(run, prompt, samples)
    rows = zip(verdicts, samples, strict=True)
    losses = [each for v, s in rows if (each := loss(v, s.target, run.settings.task)) is not None]
    score = 100 * (1 - math.fsum(losses) / len(losses)) if losses else 0.0
    return HistoryEntry(prompt_sha256=await run.store.put_text(prompt), score=round(score, 1))


async def _entry(run: OpenRun, entry: HistoryEntry) -> str:
    prompt = await run.store.text(entry["prompt_sha256"])
    return f"<tried>\n{element('judge_prompt', prompt)}\n{element('score', str(entry['score']))}\n</tried>"


async def _ask(run: OpenRun, state: OuterState, history: str, number: int) -> Advice:
    search = run.settings.search
    generator = random.Random(f"{search.seed}/{state['round']}/{number}/exemplars")
    train = run.split("train")
    exemplars = generator.sample(train, min(EXEMPLARS, len(train)))
    question = render(
        "methods/opro",
        labels=labels_in_words(run.settings.task),
        history=history,
        examples="\n".join(map(_exemplar, exemplars)),
        count=str(PROMPTS_A_STEP),
        number=str(number + 1),
        max_prompt_tokens=str(search.max_prompt_tokens),
    )
    return await write_prompt(run, question, [sample.text for sample in exemplars if sample.text])


def _exemplar(sample: Sample) -> str:
    text = f"{element('text', sample.text)}\n" if sample.text else ""
    return f"<example>\n{text}{element('human', str(sample.label))}\n</example>"


OPRO = Method(
    "opro",
    "OPRO",
    adopting_loop(OproState, propose=propose),
    own=lambda settings: {**IMPROVING, "error_batch": 10, "anchors": 10},
    defining=lambda settings: rounds_for_the_budget(settings, trials=3),
)
