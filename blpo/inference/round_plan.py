"""Plan of a round of pooled trials: as many I2T prompts and cases as the budget pays for.

A round must pay for its descriptions, for the optimizer, and for the verdicts of the new judge prompt on train and
validation. The reserve of the test stays. The number of I2T prompts comes first, because a new I2T prompt may state a
cause that no other description states; the calls left pay for cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blpo.inference.answer_forms import descriptions_about
from blpo.inference.consult import REPAIRS
from blpo.inference.open_run import OpenRun
from blpo.inference.prompt_parts import rewrites_parts
from blpo.inference.verdicts import judge_samples
from state.sample import Sample
from state.settings import SearchSettings, Settings

FEWEST_CASES = 40
"""Cases of the smallest batch, unless `search.error_batch` is smaller. With fewer cases, fewer I2T prompts."""


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """Size of a round."""

    cases: int
    """Cases of the batch."""
    inner_steps: int
    """K: I2T prompts; 0 for a frozen q."""
    updates: int = 1
    """Parts of the judge prompt that are rewritten: each takes a critique and an update."""
    images: int | None = None
    """Descriptions of the batch by one I2T prompt, at most; None: one a case. Criteria of an image share them."""

    @property
    def calls(self) -> int:
        """Largest number of calls before the new prompt is judged: descriptions, optimizer, repairs of one reply."""
        return max(self.inner_steps, 1) * self.descriptions + 2 * self.inner_steps + 2 * self.updates + REPAIRS

    @property
    def descriptions(self) -> int:
        """Largest number of descriptions by one I2T prompt."""
        return self.cases if self.images is None else min(self.cases, self.images)


def planned_round(
    search: SearchSettings,
    round: int,
    samples: int,
    calls: int | None,
    candidate: int,
    shape: RoundPlan = RoundPlan(0, 0),
) -> RoundPlan | None:
    """Return the largest plan of at most `calls` calls (None: no limit), or None if no round fits.

    `samples` are the samples that a batch is drawn from, `calls` the calls left, and `candidate` the calls to judge a
    new prompt on train and validation. `shape` has the fields of a plan that do not depend on the budget.
    """
    most = search.steps_of_round(round)
    full = replace(shape, cases=min(search.batch_size, samples), inner_steps=most)
    if calls is None:
        return full
    for steps in range(most, min(most, 1) - 1, -1):
        plan = _within(replace(full, inner_steps=steps), calls - candidate)
        if plan is not None and plan.cases >= min(full.cases, FEWEST_CASES):
            return plan
    return None


def _within(plan: RoundPlan, calls: int) -> RoundPlan | None:
    """Return the plan with as many of its cases as `calls` pay for; None if they pay for no case."""
    excess = plan.calls - calls
    if excess <= 0:
        return plan
    cases = plan.descriptions - -(-excess // max(plan.inner_steps, 1))
    return replace(plan, cases=cases) if cases > 0 else None


async def plan_round(run: OpenRun, judge_prompt: str, round: int) -> RoundPlan | None:
    """Return the plan of a round under `judge_prompt`, or None if the budget pays for no round.

    The first plan of a round stays, so that a replayed run takes the same way as before.
    """
    search, pool = run.settings.search, run.batch_samples
    if not run.budget.is_limited:
        return planned_round(search, round, len(pool), None, 0)
    name = f"plan of round {round} of {run.thread}"
    note = await run.store.note(name)
    if note is not None:
        cases, steps = note.split()
        return RoundPlan(int(cases), int(steps))
    plan = await _affordable_plan(run, judge_prompt, round)
    if plan is None or not run.budget.affords(plan.calls + run.questions("train", "validation")):
        return None
    await run.store.put_note(name, f"{plan.cases} {plan.inner_steps}")
    return plan


async def _affordable_plan(run: OpenRun, judge_prompt: str, round: int) -> RoundPlan | None:
    """Return the largest plan that the calls left beside the test pay for, with repairs as frequent as so far."""
    search, pool, left = run.settings.search, run.batch_samples, run.budget.remaining_calls
    if left is None:
        return planned_round(search, round, len(pool), None, 0)
    await judge_samples(run, judge_prompt, run.labelled)  # from the store; tells the share of repairs after a resume
    candidate = run.budget.expected_calls(run.questions("train", "validation"))
    return planned_round(search, round, len(pool), left, candidate, round_shape(run.settings, pool))


def round_shape(settings: Settings, samples: Sequence[Sample]) -> RoundPlan:
    """Return a plan without cases, with the fields that follow from the tasks of a run."""
    updates = len(settings.task_names) + 1 if rewrites_parts(settings) else 1
    return RoundPlan(0, 0, updates, descriptions_about(settings, samples) if settings.criteria else None)
