"""Textual gradients (Pryzant et al. 2023): critiques of a prompt, edits by the critiques, and paraphrases."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from blpo.inference.consult import Advice, consult
from blpo.inference.open_run import OpenRun
from blpo.models.messages import Message
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.writing import ask_all, judged_cases, shown_texts, write_prompt
from nodes.collect_errors import draw
from state.sample import Sample

GRADIENTS = 2
"""Gradients for a prompt, from `search.error_batch` errors each. Published: 4, from 4 errors of minibatches of 64."""
EDITS = 2
"""Edits for a gradient. Published: 1."""
PARAPHRASES = 1
"""Paraphrases of an edit. Published: 2."""
SUCCESSORS = 8
"""Maximum successors of a prompt, as published."""

GradientQuestion = Callable[[OpenRun, str, Sequence[Case]], Awaitable[str | Message]]
"""Function that returns the question for a gradient of a judge prompt, from wrong cases under the prompt."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """Critique of a prompt by the optimizer, with the cases that the critique is about."""

    prompt: str
    cases: Sequence[Case]
    answer: Advice


@dataclass(frozen=True, slots=True)
class Expansion:
    """Successors of a prompt, or the reason why there are none."""

    successors: Sequence[str]
    problem: str | None


async def expansion(
    run: OpenRun, ask: GradientQuestion, prompt: str, samples: Sequence[Sample], seed: str
) -> Expansion:
    """Return edits of a prompt by gradients from its errors among `samples`, and paraphrases, without repeated texts.

    All draws derive from `seed`. Raises `TooManyFailures` and `BudgetSpent`.
    """
    batches = await _error_batches(run, prompt, samples, seed)
    gradients = await ask_all(run, lambda rows: _gradient(run, ask, prompt, rows), batches)
    versions = [(gradient, number) for gradient in gradients if gradient.answer.text for number in range(1, EDITS + 1)]
    edits = await ask_all(run, lambda version: _edit(run, *version), versions)
    texts = [edit.text for edit in edits if edit.text]
    variants = [(text, number) for text in texts for number in range(1, PARAPHRASES + 1)]
    paraphrases = await ask_all(run, lambda variant: _paraphrase(run, *variant), variants)
    distinct = dict.fromkeys([*texts, *(answer.text for answer in paraphrases if answer.text)])
    candidates = [text for text in distinct if text != prompt]
    successors = random.Random(f"{seed}/successors").sample(candidates, min(SUCCESSORS, len(candidates)))
    problems = [answer.problem for answer in (*(each.answer for each in gradients), *edits) if answer.problem]
    return Expansion(successors, None if successors else next(iter(problems), "no edit differs from the prompt"))


async def _error_batches(run: OpenRun, prompt: str, samples: Sequence[Sample], seed: str) -> list[list[Case]]:
    """Draw distinct batches of the prompt's errors."""
    search = run.settings.search
    rows = {row.sample.id: row for row in await judged_cases(run, prompt, samples)}
    wrong = [(name, (row.sample.label, row.verdict.label)) for name, row in rows.items() if not row.right]
    spread = search.draw == "spread"
    batches = [draw(wrong, search.error_batch, f"{seed}/{number}", spread=spread) for number in range(GRADIENTS)]
    different = {frozenset(ids): ids for ids in batches if ids}
    return [[rows[sample_id] for sample_id in ids] for ids in different.values()]


async def _gradient(run: OpenRun, ask: GradientQuestion, prompt: str, rows: Sequence[Case]) -> Gradient:
    answer = await consult(run, await ask(run, prompt, rows), "critique", lambda text: None)
    return Gradient(prompt, rows, answer)


async def _edit(run: OpenRun, gradient: Gradient, number: int) -> Advice:
    question = render(
        "methods/apo_edit",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(gradient.prompt),
        wrong_cases=cases(gradient.cases),
        critique=neutralise(gradient.answer.text or ""),
        count=str(EDITS),
        number=str(number),
        max_prompt_tokens=str(run.settings.search.max_prompt_tokens),
    )
    return await write_prompt(run, question, shown_texts(gradient.cases))


async def _paraphrase(run: OpenRun, prompt: str, number: int) -> Advice:
    question = render(
        "methods/apo_paraphrase",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(prompt),
        count=str(PARAPHRASES),
        number=str(number),
        max_prompt_tokens=str(run.settings.search.max_prompt_tokens),
    )
    return await write_prompt(run, question, [])
