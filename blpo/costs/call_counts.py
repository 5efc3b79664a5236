"""Number of calls of a search, from the search settings and the sizes of the splits alone.

Counts are of distinct requests, because the response store answers a repeated request. `questions` are the judge
requests a sample (`TaskSettings.questions`): two for a pair in both orders. Where trials are scored, a trial
has already judged an adopted prompt on its batch, and the outer critique and update repeat those of a trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from blpo.inference.consult import REPAIRS
from blpo.inference.round_plan import FEWER_CASES, RoundPlan, planned_round
from state.sample import SplitName
from state.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Calls by purpose; the last four fields are calls of the optimizer."""

    judge: int
    verbalize: int
    critique_judge: int
    update_judge: int
    critique_i2t: int
    update_i2t: int

    @property
    def optimizer(self) -> int:
        """Calls of the optimizer, for all purposes."""
        return self.critique_judge + self.update_judge + self.critique_i2t + self.update_i2t

    def largest(self, other: "CallCounts") -> "CallCounts":
        """Return the larger count of each kind."""
        return CallCounts(*(max(counts) for counts in zip(astuple(self), astuple(other), strict=True)))

    @property
    def repairs(self) -> "CallCounts":
        """Additional calls if every reply needs as many repairs as allowed; a description is never repaired."""
        counts = (self.critique_judge, self.update_judge, self.critique_i2t, self.update_i2t)
        return CallCounts(self.judge, 0, *(REPAIRS * count for count in counts))


def batch_size(train: int, search: SearchSettings) -> int:
    """Return the samples in a full batch, all different samples of the train split."""
    return min(search.batch_size, train)


def planned_rounds(
    sizes: Mapping[SplitName, int],
    search: SearchSettings,
    rounds: int,
    limit: int | None,
    questions: int = 1,
    *,
    adopts: bool = True,
) -> list[RoundPlan]:
    """Return the plans of up to `rounds` rounds of pooled trials within `limit` calls.

    `adopts`: every round has a new prompt, whose verdicts are paid; else no round has a new prompt. The budget ends the
    list early. None: no limit.
    """
    labelled, plans = questions * (sizes["train"] + sizes["validation"]), list[RoundPlan]()
    left = None if limit is None else limit - labelled - 2 * questions * sizes["test"]
    while len(plans) < rounds:
        plan = planned_round(search, sizes["train"], left, labelled)
        if plan is None:
            break
        if left is not None:
            left -= _calls_before_judging(plan, is_first=not plans) + (labelled if adopts else 0)
        plans.append(plan)
    return plans


def least_calls(sizes: Mapping[SplitName, int], search: SearchSettings, questions: int = 1) -> int:
    """Return the smallest limit of calls that pays for a round of pooled trials, beside p_0 and the test."""
    cases = min(search.batch_size, sizes["train"], FEWER_CASES)
    return 2 * questions * sum(sizes.values()) + RoundPlan(cases, min(search.inner_steps, 1)).calls


def pooled_counts(
    sizes: Mapping[SplitName, int], plans: Sequence[RoundPlan], adopted: int, questions: int = 1
) -> CallCounts:
    """Count the calls of a search without repairs: planned rounds with pooled trials, of which `adopted` change p."""
    labelled = sizes["train"] + sizes["validation"]
    new = [_new_prompts(plan, is_first=t == 0) for t, plan in enumerate(plans)]
    described = sum(max(plan.inner_steps, 1) * plan.cases for plan in plans)
    judged = questions * ((1 + adopted) * labelled + (2 if adopted else 1) * sizes["test"])
    return CallCounts(judged, described, len(plans), len(plans), sum(new), sum(new))


def _calls_before_judging(plan: RoundPlan, *, is_first: bool) -> int:
    return max(plan.inner_steps, 1) * plan.cases + 2 * _new_prompts(plan, is_first=is_first) + 2


def _new_prompts(plan: RoundPlan, *, is_first: bool) -> int:
    """Return the I2T prompts that the optimizer writes: all of a round but q_0."""
    return max(plan.inner_steps - 1, 0) if is_first else plan.inner_steps


def scored_counts(
    sizes: Mapping[SplitName, int], search: SearchSettings, rounds: int, adopted: int, questions: int = 1
) -> CallCounts:
    """Count the calls of a search without repairs: `rounds` full rounds of scored trials, of which `adopted` change p.

    The count is the maximum for so many rounds: batches are full and disjoint, and no prompt is written twice.
    """
    batch, trials = batch_size(sizes["train"], search), rounds * (search.inner_steps + 1)
    selection = (1 + adopted) * (sizes["train"] + sizes["validation"]) + (trials - adopted) * batch
    tests = (2 if adopted else 1) * sizes["test"]
    steps = rounds * search.inner_steps
    return CallCounts(questions * (selection + tests), trials * batch, trials, trials, steps, steps)


def all_rounds(
    sizes: Mapping[SplitName, int], search: SearchSettings, limit: int | None = None, questions: int = 1
) -> CallCounts:
    """Count the calls of the longest search: every round adopts a new prompt. Pooled trials keep to `limit` calls.

    With a limit each count is the largest of its kind: a round without a new prompt leaves calls for more descriptions.
    """
    if search.trials == "pooled":
        plans = planned_rounds(sizes, search, search.outer_rounds, limit, questions)
        counts = pooled_counts(sizes, plans, len(plans), questions)
        if limit is None:
            return counts
        plans = planned_rounds(sizes, search, search.outer_rounds, limit, questions, adopts=False)
        return counts.largest(pooled_counts(sizes, plans, 0, questions))
    return scored_counts(sizes, search, search.outer_rounds, search.outer_rounds, questions)


def early_stop(
    sizes: Mapping[SplitName, int], search: SearchSettings, limit: int | None = None, questions: int = 1
) -> CallCounts:
    """Count the calls of a search that stops after `patience` rounds without a gain, or after 1 round (no patience)."""
    rounds = min(search.patience or 1, search.outer_rounds)
    if search.trials == "pooled":
        return pooled_counts(sizes, planned_rounds(sizes, search, rounds, limit, questions), 0, questions)
    keeps_prompt = search.patience is not None and search.adopt != "always"
    return scored_counts(sizes, search, rounds, 0 if keeps_prompt else rounds, questions)
