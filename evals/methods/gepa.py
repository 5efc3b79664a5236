"""GEPA (Agrawal et al. 2025, arXiv 2507.19457): the package `gepa` itself, with our judge, splits, store and budget.

GEPA keeps a pool of judge prompts with their scores on each validation sample. An iteration takes a prompt from the
Pareto front, judges a minibatch of train samples, lets the optimizer write a new prompt by the feedback, and judges the
minibatch again. A better prompt is judged on the validation split and enters the pool. A served optimizer gets GEPA's
own reflection prompt, with the images if the optimizer sees. An embedded optimizer can't read that prompt: it gets the
two messages of BLPO's update, without descriptions (as the method `no_image`), because GEPA has no descriptions.

The package keeps no state of ours: its draws derive from the seed, and the response store answers a repeated search. So
a resumed run searches again from the start, at no cost, and goes on.
"""

from collections.abc import Sequence
from typing import Literal

from langgraph.graph import END, START
from langgraph.graph.state import StateGraph
from langgraph.runtime import Runtime

from blpo.config.graph_context import CONTEXT
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun, run_of
from blpo.inference.progress import send_phase
from blpo.inference.verdicts import judge_samples
from blpo.metrics.agreement import metrics
from evals.methods.gepa_adapter import PoolEntry, evolve_pool, uses_own_reflection
from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from graph.outer import Builder
from nodes.evaluate_test import evaluate_test
from state.errors import BudgetSpent
from state.loops import OuterInput, OuterOutput, OuterState, RoundRecord, Trial, TrialDigest
from state.settings import Settings

MINIBATCH = 3
"""Samples of a minibatch for a served optimizer: GEPA's default."""
EMBEDDED_MINIBATCH = 20
"""Samples of a minibatch for an embedded optimizer. Three samples teach its regression nothing."""


async def evolve(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Search from the start, and set the rounds: a round for each prompt of the pool, p_0 first.

    Without a reason to stop, the search was interrupted, and the node runs again.
    """
    async with run_of(runtime) as run:
        await send_phase(runtime, run, state, "evolve")
        search = await evolve_pool(run, runtime)
        if search.error is not None and not isinstance(search.error, BudgetSpent):
            raise search.error
        rounds = [await _record(run, place, entry) for place, entry in enumerate(search.pool)]
        judge_prompt, i2t_prompt = initial_prompts(run.settings)
    update = OuterState(
        round=max(len(rounds) - 1, 0),
        judge_prompt=search.pool[-1].prompt if search.pool else judge_prompt,
        i2t_prompt=i2t_prompt,
        rounds=rounds,
        errors=[],
        anchors=[],
        trials=search.pool[-1].trials if search.pool else [],
    )
    if search.error is not None:
        update["stop_reason"] = "budget"
    elif not search.interrupted:
        update["stop_reason"] = "rounds"
    return update


def after_evolve(state: OuterState) -> Literal["evolve", "evaluate_test"]:
    """Go on with an interrupted search; else judge the test split."""
    return "evaluate_test" if state.get("stop_reason") else "evolve"


async def _record(run: OpenRun, place: int, entry: PoolEntry) -> RoundRecord:
    validation = run.split("validation")
    verdicts = await judge_samples(run, entry.prompt, validation, split="validation")
    return RoundRecord(
        round=place,
        judge_prompt_sha256=await run.store.put_text(entry.prompt),
        i2t_prompt_sha256=await run.store.put_text(initial_prompts(run.settings)[1]),
        validation=metrics(
            verdicts,
            [sample.label for sample in validation],
            run.settings.task,
            ratings=[sample.rating for sample in validation],
        ),
        errors=[],
        anchors=[],
        trials=await _digests(run, entry.trials),
    )


async def _digests(run: OpenRun, trials: Sequence[Trial]) -> list[TrialDigest]:
    return [
        TrialDigest(
            i2t_prompt_sha256=None,
            judge_prompt_sha256=await run.store.put_text(trial["judge_prompt"] or ""),
            score=trial["score"],
            failure=trial["failure"],
        )
        for trial in trials
    ]


def _rule(settings: Settings) -> str:
    own = uses_own_reflection(settings)
    messages = "GEPA's reflection prompt" if own else "BLPO's two messages without descriptions"
    search = settings.search
    rule = f"select {search.select} by validation, GEPA's Pareto pool and acceptance, minibatch {search.error_batch}"
    return f"{rule}, {messages}"


def _builder() -> Builder:
    builder = StateGraph(OuterState, context_schema=CONTEXT, input_schema=OuterInput, output_schema=OuterOutput)
    builder.add_node("evolve", evolve)
    builder.add_node("evaluate_test", evaluate_test)
    builder.add_edge(START, "evolve")
    builder.add_conditional_edges("evolve", after_evolve)
    builder.add_edge("evaluate_test", END)
    return builder


GEPA = Method(
    "gepa",
    "GEPA",
    _builder(),
    own=lambda settings: {
        **IMPROVING,
        "error_batch": MINIBATCH if uses_own_reflection(settings) else EMBEDDED_MINIBATCH,
        "anchors": 0,
    },
    defining=lambda settings: rounds_for_the_budget(settings, trials=0.3),
    rule=_rule,
    package="gepa",
)
