"""OPRO (Yang et al. 2024, "Large Language Models as Optimizers"): the optimizer sees how earlier prompts scored.

It sees neither verdicts nor errors nor images: a history of judge prompts with their scores, the best last, and the
labels (and texts, where there are any) of a few samples. In each round it proposes several prompts, each of which is
scored on one fixed part of the train split. The history is read from the round records, its scores from the store.
"""

import math
import random
from collections.abc import Sequence

from langgraph.runtime import Runtime

from evals.methods.method import Method, as_many_trials
from evals.methods.outer_loop import outer_loop
from evals.methods.writing import ask_all, write_prompt
from metrics.loss import loss
from nodes.collect_errors import draw
from nodes.consult import Answer
from nodes.fan_out import fan_out
from nodes.judge import judge_samples, try_prompt
from nodes.progress import report
from nodes.rounds import closed_rounds
from nodes.session import Session, session_of
from prompts.cases import labels_in_words
from prompts.template import element, render
from state.loops import OuterState, Trial
from state.sample import Sample
from state.settings import Settings

PROMPTS_A_STEP = 8
"""Section 5.1: eight instructions are generated in each step."""
MOST_REMEMBERED = 20
"""Section 5.1: the meta-prompt holds the best 20 instructions."""
EXEMPLARS = 3
"""Section 5.1: three exemplars are drawn anew for each meta-prompt."""


async def propose(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Ask for several prompts by the history of scores, and score each."""
    async with session_of(runtime) as session:
        report(runtime, "phase", state, phase="propose", usage=await session.calls.usage())
        scored = scoring_samples(session)
        history = await _history(session, state, scored)
        answers = await ask_all(session, lambda number: _ask(session, state, history, number), range(PROMPTS_A_STEP))
        trials = await fan_out(lambda answer: _try(session, state, answer, scored), answers, PROMPTS_A_STEP)
        for step, trial in enumerate(trials):
            report(runtime, "trial", state, step=step, **trial)
    return {"trials": trials}


async def _try(session: Session, state: OuterState, answer: Answer, scored: Sequence[Sample]) -> Trial:
    return await try_prompt(session, state["judge_prompt"], answer.text, scored, failure=answer.problem)


def scoring_samples(session: Session) -> list[Sample]:
    """The part of the train split that scores all prompts of a run: as many samples as a trial of BLPO is scored on."""
    search = session.settings.search
    rows = [(sample.id, str(sample.label)) for sample in session.split("train")]
    size = search.error_batch + search.anchors
    return session.samples(draw(rows, size, f"{search.seed}/opro", spread=search.draw == "spread"))


def best_last(history: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """The best `MOST_REMEMBERED` of (prompt, score), ascending by score, the newer first of equals; each prompt once.

    `history` runs from the oldest to the newest. An older prompt stands nearer to the end than a newer one as good.
    """
    once = list(dict(reversed(history)).items())
    return sorted(once, key=lambda tried: tried[1])[-MOST_REMEMBERED:]


async def _history(session: Session, state: OuterState, scored: Sequence[Sample]) -> str:
    digests = [
        digest
        for record in await closed_rounds(state, session.store)
        for digest in (record["judge_prompt_sha256"], *(trial["judge_prompt_sha256"] for trial in record["trials"]))
        if digest is not None
    ]
    prompts = [await session.store.text(digest) for digest in dict.fromkeys(digests)]
    tried = best_last([(prompt, await _score(session, prompt, scored)) for prompt in prompts])
    return "\n".join(
        f"<tried>\n{element('judge_prompt', prompt)}\n{element('score', f'{score:.1f}')}\n</tried>"
        for prompt, score in tried
    )


async def _score(session: Session, prompt: str, scored: Sequence[Sample]) -> float:
    """From 0 to 100, higher is better; errors left out."""
    verdicts = await judge_samples(session, prompt, scored)
    rows = zip(verdicts, scored, strict=True)
    losses = [each for v, s in rows if (each := loss(v, s.label, session.settings.task)) is not None]
    return 100 * (1 - math.fsum(losses) / len(losses)) if losses else 0.0


async def _ask(session: Session, state: OuterState, history: str, number: int) -> Answer:
    search = session.settings.search
    generator = random.Random(f"{search.seed}/{state['round']}/{number}/exemplars")
    train = session.split("train")
    exemplars = generator.sample(train, min(EXEMPLARS, len(train)))
    question = render(
        "methods/opro",
        labels=labels_in_words(session.settings.task),
        history=history,
        examples="\n".join(map(_exemplar, exemplars)),
        count=str(PROMPTS_A_STEP),
        number=str(number + 1),
        max_prompt_tokens=str(search.max_prompt_tokens),
    )
    return await write_prompt(session, question, [sample.text for sample in exemplars if sample.text])


def _exemplar(sample: Sample) -> str:
    text = f"{element('text', sample.text)}\n" if sample.text else ""
    return f"<example>\n{text}{element('human', str(sample.label))}\n</example>"


OPRO = Method("opro", "OPRO", outer_loop(propose=propose), lambda settings: as_many_trials(settings, PROMPTS_A_STEP))
