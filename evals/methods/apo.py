"""APO, also ProTeGi (Pryzant et al. 2023): beam search over judge prompts along textual gradients.

A round expands each prompt of the beam. The optimizer criticises the prompt from several draws of its errors (labels,
verdicts, the judge's reasons and texts, but no images), edits the prompt by the critique, and paraphrases each edit. A
bandit shares a budget of train minibatches among beam and successors. The best prompts stay in the beam, and the best
prompt of all is adopted if it improves on p_t. The reward of a prompt on a sample is the fall of the loss against p_t,
so p_t has reward 0 and needs no samples.
"""

import random
from collections.abc import Sequence

from langgraph.runtime import Runtime

from blpo.inference.fan_out import fan_out
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase, send_trial
from blpo.inference.verdicts import judge_samples
from blpo.metrics.loss import loss
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import neutralise
from blpo.prompts.template import render
from evals.methods.adopt import adopting_loop
from evals.methods.bandit import Arm, best, most_promising
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from evals.methods.textual_gradients import GradientQuestion, expansion
from graph.stopping import Node
from state.loops import OuterState, Trial
from state.sample import Sample
from state.settings import Settings

BEAM = 4
"""Prompts of the beam, as published."""
PULLS = 8
"""Rounds of the bandit, as published."""
PROMPTS_A_PULL = 4
"""Published: 8."""
SAMPLES_A_PULL = 5
"""Published: 32, with train sets of thousands."""
EXPLORATION = 1.0
"""Constant c of the upper confidence bound, as in the published code."""


class ApoState(OuterState, total=False):
    """State of the outer loop, with the beam."""

    beam: list[str]
    """SHA-256 of the prompts, the best first; the response store holds the texts."""
    successors: list[str]
    """SHA-256 of the prompts that this round's expansion gave."""


async def ask_in_words(run: OpenRun, judge_prompt: str, rows: Sequence[Case]) -> str:
    """Return the question for a gradient, without images."""
    return render(
        "methods/apo_gradient",
        labels=labels_in_words(run.settings.task),
        judge_prompt=neutralise(judge_prompt),
        wrong_cases=cases(rows),
    )


def expanding(ask: GradientQuestion) -> Node[ApoState]:
    """Return the node that expands the beam, with the question for gradients from `ask`."""

    async def expand(state: ApoState, runtime: Runtime[Settings]) -> ApoState:
        """Set the successors of the beam's prompts."""
        async with run_of(runtime) as run:
            await send_phase(runtime, run, state, "expand")
            beam = state.get("beam") or [await run.store.put_text(state["judge_prompt"])]
            seed = f"{run.settings.search.seed}/{state['round']}/expand"
            successors, problem = [], None
            for place, digest in enumerate(beam):
                prompt = await run.store.text(digest)
                expanded = await expansion(run, ask, prompt, _error_pool(run, state, prompt), f"{seed}/{place}")
                successors += [await run.store.put_text(text) for text in expanded.successors]
                problem = problem or expanded.problem
        return {"beam": beam, "successors": successors, "failure": problem}

    return expand


async def select(state: ApoState, runtime: Runtime[Settings]) -> ApoState:
    """Try beam and successors by the bandit. The best are the new beam; the best other than p_t are the trials."""
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "select")
        current = await run.store.put_text(state["judge_prompt"])
        names = [name for name in dict.fromkeys([*state["beam"], *state["successors"]]) if name != current]
        ranked = best(await _pull_arms(run, state, [Arm(name) for name in names]), BEAM)
        trials = [_trial(await run.store.text(arm.name), arm) for arm in ranked]
        if not state["successors"]:
            trials.append(Trial(i2t_prompt=None, judge_prompt=None, score=None, failure=state["failure"]))
        for step, trial in enumerate(trials):
            send_trial(runtime, state, step, trial)
    beam = [arm.name for arm in best([*ranked, Arm(current, samples=1)], BEAM)]
    return {"beam": beam, "successors": [], "trials": trials}


def _error_pool(run: OpenRun, state: ApoState, prompt: str) -> Sequence[Sample]:
    """Return samples with possible errors: the train split for p_t, already judged; else the batch."""
    if prompt == state["judge_prompt"]:
        return run.split("train")
    return run.batch(state)


def _trial(prompt: str, arm: Arm) -> Trial:
    return Trial(i2t_prompt=None, judge_prompt=prompt, score=round(arm.mean, 12), failure=None)


async def _pull_arms(run: OpenRun, state: ApoState, arms: Sequence[Arm]) -> list[Arm]:
    """Return the arms after all pulls. The n-th pull of any arm has the n-th minibatch: arms share samples."""
    train = list(run.split("train"))
    random.Random(f"{run.settings.search.seed}/{state['round']}/minibatches").shuffle(train)
    by_name = {arm.name: arm for arm in arms}

    async def pull(arm: Arm) -> Arm:
        minibatch = train[arm.samples : arm.samples + SAMPLES_A_PULL]
        prompt = await run.store.text(arm.name)
        return arm.after(await _gains(run, state["judge_prompt"], prompt, minibatch))

    for number in range(1, PULLS + 1):
        open_arms = [arm for arm in by_name.values() if arm.samples < len(train)]
        chosen = most_promising(open_arms, PROMPTS_A_PULL, number, EXPLORATION)
        by_name |= {arm.name: arm for arm in await fan_out(pull, chosen, PROMPTS_A_PULL)}
    return list(by_name.values())


async def _gains(run: OpenRun, judge_prompt: str, candidate: str, samples: Sequence[Sample]) -> list[float]:
    """Return the fall of the loss by the candidate on each sample, in [-1, 1]; 0 for an error under either prompt."""
    task = run.settings.task
    before, after = [await judge_samples(run, prompt, samples) for prompt in (judge_prompt, candidate)]
    losses = [
        (loss(old, sample.target, task), loss(new, sample.target, task))
        for old, new, sample in zip(before, after, samples, strict=True)
    ]
    return [0.0 if old is None or new is None else old - new for old, new in losses]


APO = Method(
    "apo",
    "APO",
    adopting_loop(ApoState, expand=expanding(ask_in_words), select=select),
    own=lambda settings: {**IMPROVING, "error_batch": 10, "anchors": 10},
    defining=lambda settings: rounds_for_the_budget(settings, trials=3),
)
