"""Plan of a round of pooled trials: as many cases and I2T prompts as the budget pays for.

A round must pay for its descriptions, for the optimizer, and for the verdicts of the new judge prompt on train and
validation. The reserve of the test stays. Calls that pay for no further full round pay for spare I2T prompts in this
round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from blpo.inference.answer_forms import descriptions_about
from blpo.inference.open_run import OpenRun
from blpo.inference.prompt_parts import rewrites_parts
from blpo.inference.verdicts import judge_samples
from state.sample import Sample
from state.settings import SearchSettings, Settings

FEWER_CASES = 40
"""Cases of a batch where the budget pays for no full batch."""


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
        """Largest number of calls before the new prompt is judged, repairs aside: descriptions and optimizer."""
        return max(self.inner_steps, 1) * self.descriptions + 2 * self.inner_steps + 2 * self.updates

    @property
    def descriptions(self) -> int:
        """Largest number of descriptions by one I2T prompt."""
        return self.cases if self.images is None else min(self.cases, self.images)


def planned_round(
    search: SearchSettings, train: int, calls: int | None, candidate: int, shape: RoundPlan = RoundPlan(0, 0)
) -> RoundPlan | None:
    """Return the largest plan of at most `calls` calls (None: no limit), or None if no round fits.

    `calls` are the calls left, and `candidate` the calls to judge a new prompt on train and validation. `shape` has the
    fields of a plan that do not depend on the budget.
    """
    full = replace(shape, cases=min(search.batch_size, train), inner_steps=search.inner_steps)
    if calls is None:
        return full
    left = calls - candidate
    if full.calls <= left:
        return _with_spare_steps(full, search.spare_steps, (left - full.calls) % (full.calls + candidate))
    for cases in dict.fromkeys((full.cases, min(full.cases, FEWER_CASES))):
        for steps in range(search.inner_steps, min(search.inner_steps, 1) - 1, -1):
            plan = replace(shape, cases=cases, inner_steps=steps)
            if plan.calls <= left:
                return plan
    return None


def _with_spare_steps(plan: RoundPlan, spare_steps: int, calls: int) -> RoundPlan:
    """Return the plan with up to `spare_steps` more I2T prompts, as far as `calls` pay for them; q stays frozen."""
    affordable = calls // (plan.descriptions + 2) if plan.inner_steps else 0
    return replace(plan, inner_steps=plan.inner_steps + min(spare_steps, affordable))


async def plan_round(run: OpenRun, judge_prompt: str, round: int) -> RoundPlan | None:
    """Return the plan of a round under `judge_prompt`, or None if the budget pays for no round.

    The first plan of a round stays, so that a replayed run takes the same way as before.
    """
    search, train = run.settings.search, len(run.split("train"))
    if not run.budget.is_limited:
        return planned_round(search, train, None, 0)
    name = f"plan of round {round} of {run.thread}"
    note = await run.store.note(name)
    if note is not None:
        cases, steps = note.split()
        return RoundPlan(int(cases), int(steps))
    plan = await _affordable_plan(run, judge_prompt)
    if plan is None or not run.budget.affords(plan.calls + run.questions("train", "validation")):
        return None
    await run.store.put_note(name, f"{plan.cases} {plan.inner_steps}")
    return plan


async def _affordable_plan(run: OpenRun, judge_prompt: str) -> RoundPlan | None:
    """Return the largest plan that the calls left beside the test pay for, with repairs as frequent as so far."""
    search, train, left = run.settings.search, run.split("train"), run.budget.remaining_calls
    if left is None:
        return planned_round(search, len(train), None, 0)
    await judge_samples(run, judge_prompt, run.labelled)  # from the store; tells the share of repairs after a resume
    candidate = run.budget.expected_calls(run.questions("train", "validation"))
    return planned_round(search, len(train), left, candidate, round_shape(run.settings, train))


def round_shape(settings: Settings, train: Sequence[Sample]) -> RoundPlan:
    """Return a plan without cases, with the fields that follow from the tasks of a run."""
    updates = len(settings.task_names) + 1 if rewrites_parts(settings) else 1
    return RoundPlan(0, 0, updates, descriptions_about(settings, train) if settings.criteria else None)
