"""Textual gradients (Pryzant et al. 2023): what is wrong with a prompt, edits that mend it, and paraphrases."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from blpo.inference.consult import Answer, consult
from blpo.inference.session import Session
from blpo.models.messages import Message
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.writing import ask_all, judged_cases, shown_texts, write_prompt
from nodes.collect_errors import draw
from state.sample import Sample

GRADIENTS = 2
"""A prompt; published 4, from minibatches of 64. Each is drawn from `search.error_batch` errors, published 4."""
EDITS = 2
"""A gradient; published 1."""
PARAPHRASES = 1
"""An edit; published 2."""
SUCCESSORS = 8
"""A prompt, at most; as published."""

Ask = Callable[[Session, str, Sequence[Case]], Awaitable[str | Message]]
"""The question for a gradient of a judge prompt, from cases that it got wrong."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """What the optimizer found wrong with a prompt, and the cases it found it in."""

    prompt: str
    cases: Sequence[Case]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Expansion:
    """A prompt's successors; where there are none, why."""

    successors: Sequence[str]
    problem: str | None


async def expansion(session: Session, ask: Ask, prompt: str, samples: Sequence[Sample], seed: str) -> Expansion:
    """Edits of the prompt by gradients from its errors among `samples`, and their paraphrases; each text once.

    All draws derive from `seed`. Raises `TooManyFailures` and `BudgetSpent`.
    """
    batches = await _error_batches(session, prompt, samples, seed)
    gradients = await ask_all(session, lambda rows: _gradient(session, ask, prompt, rows), batches)
    versions = [(gradient, number) for gradient in gradients if gradient.answer.text for number in range(1, EDITS + 1)]
    edits = await ask_all(session, lambda version: _edit(session, *version), versions)
    texts = [edit.text for edit in edits if edit.text]
    variants = [(text, number) for text in texts for number in range(1, PARAPHRASES + 1)]
    paraphrases = await ask_all(session, lambda variant: _paraphrase(session, *variant), variants)
    written = dict.fromkeys([*texts, *(answer.text for answer in paraphrases if answer.text)])
    found = [text for text in written if text != prompt]
    kept = random.Random(f"{seed}/successors").sample(found, min(SUCCESSORS, len(found)))
    problems = [answer.problem for answer in (*(each.answer for each in gradients), *edits) if answer.problem]
    return Expansion(kept, None if kept else next(iter(problems), "no edit differs from the prompt"))


async def _error_batches(session: Session, prompt: str, samples: Sequence[Sample], seed: str) -> list[list[Case]]:
    """Draws of the prompt's errors, none of them twice."""
    search = session.settings.search
    rows = {row.sample.id: row for row in await judged_cases(session, prompt, samples)}
    wrong = [(name, (row.sample.label, row.verdict.label)) for name, row in rows.items() if not row.right]
    spread = search.draw == "spread"
    drawn = [draw(wrong, search.error_batch, f"{seed}/{number}", spread=spread) for number in range(GRADIENTS)]
    different = {frozenset(ids): ids for ids in drawn if ids}
    return [[rows[sample_id] for sample_id in ids] for ids in different.values()]


async def _gradient(session: Session, ask: Ask, prompt: str, rows: Sequence[Case]) -> Gradient:
    answer = await consult(session, await ask(session, prompt, rows), "critique", lambda text: None)
    return Gradient(prompt, rows, answer)


async def _edit(session: Session, gradient: Gradient, number: int) -> Answer:
    question = render(
        "methods/apo_edit",
        labels=labels_in_words(session.settings.task),
        judge_prompt=neutralise(gradient.prompt),
        wrong_cases=cases(gradient.cases),
        critique=neutralise(gradient.answer.text or ""),
        count=str(EDITS),
        number=str(number),
        max_prompt_tokens=str(session.settings.search.max_prompt_tokens),
    )
    return await write_prompt(session, question, shown_texts(gradient.cases))


async def _paraphrase(session: Session, prompt: str, number: int) -> Answer:
    question = render(
        "methods/apo_paraphrase",
        labels=labels_in_words(session.settings.task),
        judge_prompt=neutralise(prompt),
        count=str(PARAPHRASES),
        number=str(number),
        max_prompt_tokens=str(session.settings.search.max_prompt_tokens),
    )
    return await write_prompt(session, question, [])
