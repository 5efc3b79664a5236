"""Number of calls of a search, from the search settings and the sizes of the splits alone.

Counts are of distinct requests, because the response store answers a repeated request. A pair in both orders is two
judge requests, and an image under criteria that are asked at once is one. Where trials are scored, a trial has already
judged an adopted prompt on its batch, and the outer critique and update repeat those of a trial.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from blpo.costs.dataset_sizes import DatasetSizes
from blpo.inference.consult import REPAIRS
from blpo.inference.round_plan import FEWEST_CASES, RoundPlan, planned_round
from state.settings import SearchSettings
from state.settings.search_settings import SCORE_SIZE


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


def batch_size(sizes: DatasetSizes, search: SearchSettings) -> int:
    """Return the samples in a full batch, all different."""
    return min(search.batch_size, sizes.drawn_from(search))


def planned_rounds(
    sizes: DatasetSizes, search: SearchSettings, rounds: int, limit: int | None, *, adopts: bool = True
) -> list[RoundPlan]:
    """Return the plans of up to `rounds` rounds of pooled trials within `limit` calls.

    `adopts`: every round has a new prompt, whose verdicts are paid; else no round has a new prompt. The budget ends the
    list early. None: no limit.
    """
    plans, samples = list[RoundPlan](), sizes.drawn_from(search)
    left = None if limit is None else limit - sizes.labelled - 2 * sizes.requests["test"]
    while len(plans) < rounds:
        plan = planned_round(search, len(plans), samples, left, sizes.labelled, sizes.shape)
        if plan is None:
            break
        if left is not None:
            left -= _calls_before_judging(plan, is_first=not plans) + (sizes.labelled if adopts else 0)
        plans.append(plan)
    return plans


def least_calls(sizes: DatasetSizes, search: SearchSettings) -> int:
    """Return the smallest limit of calls that pays for a round of pooled trials, beside p_0 and the test."""
    cases = min(batch_size(sizes, search), FEWEST_CASES)
    return 2 * sum(sizes.requests.values()) + sizes.plan(cases, min(search.inner_steps, 1)).calls


def pooled_counts(
    sizes: DatasetSizes, search: SearchSettings, plans: Sequence[RoundPlan], adopted: int, *, alike: bool = False
) -> CallCounts:
    """Count the calls of a search without repairs: planned rounds with pooled trials, of which `adopted` change p.

    `alike`: all batches hold the same samples, so that a frozen q describes no further sample after the first round.
    """
    new = [_new_prompts(plan, is_first=t == 0) for t, plan in enumerate(plans)]
    described = sum(max(plan.inner_steps, 1) * plan.descriptions for plan in plans)
    if search.inner_steps == 0 and plans:
        different = plans[0] if alike else sizes.plan(sizes.drawn_from(search), 0)
        described = min(described, different.descriptions)
    judged = (1 + adopted) * sizes.labelled + (2 if adopted else 1) * sizes.requests["test"]
    updates = sum(plan.updates for plan in plans)
    return CallCounts(judged, described, updates, updates, sum(new), sum(new))


def _calls_before_judging(plan: RoundPlan, *, is_first: bool) -> int:
    return max(plan.inner_steps, 1) * plan.descriptions + 2 * _new_prompts(plan, is_first=is_first) + 2 * plan.updates


def _new_prompts(plan: RoundPlan, *, is_first: bool) -> int:
    """Return the I2T prompts that the optimizer writes: all of a round but q_0."""
    return max(plan.inner_steps - 1, 0) if is_first else plan.inner_steps


def scored_counts(sizes: DatasetSizes, search: SearchSettings, rounds: int, adopted: int) -> CallCounts:
    """Count the calls of a search without repairs: `rounds` full rounds of scored trials, of which `adopted` change p.

    The count is the maximum for so many rounds: batches are full and disjoint, and no prompt is written twice.
    """
    batch, trials = batch_size(sizes, search), rounds * (search.inner_steps + 1)
    selection = (1 + adopted) * sizes.labelled + (trials - adopted) * _calls_of_score(sizes, search, batch)
    tests = (2 if adopted else 1) * sizes.requests["test"]
    steps = rounds * search.inner_steps
    round = sizes.plan(batch, search.inner_steps)
    updates = trials * round.updates
    return CallCounts(selection + tests, trials * round.descriptions, updates, updates, steps, steps)


def _calls_of_score(sizes: DatasetSizes, search: SearchSettings, batch: int) -> int:
    """Return the most judge calls for the score of a trial."""
    if search.score_on == "batch":
        return sizes.judged(batch, "train")
    return sizes.judged(SCORE_SIZE * batch, "train", "validation")


def all_rounds(sizes: DatasetSizes, search: SearchSettings, limit: int | None = None) -> CallCounts:
    """Count the calls of the longest search: every round adopts a new prompt. Pooled trials keep to `limit` calls.

    With a limit each count is the largest of its kind: a round without a new prompt leaves calls for more descriptions.
    """
    if search.trials == "pooled":
        plans = planned_rounds(sizes, search, search.outer_rounds, limit)
        counts = pooled_counts(sizes, search, plans, len(plans))
        if limit is None:
            return counts
        plans = planned_rounds(sizes, search, search.outer_rounds, limit, adopts=False)
        return counts.largest(pooled_counts(sizes, search, plans, 0))
    return scored_counts(sizes, search, search.outer_rounds, search.outer_rounds)


def early_stop(sizes: DatasetSizes, search: SearchSettings, limit: int | None = None) -> CallCounts:
    """Count the calls of a search that stops after `patience` rounds without a gain, or after 1 round (no patience)."""
    rounds = min(search.patience or 1, search.outer_rounds)
    if search.trials == "pooled":
        plans = planned_rounds(sizes, search, rounds, limit)
        return pooled_counts(sizes, search, plans, 0, alike=True)
    keeps_prompt = search.patience is not None and search.adopt != "always"
    return scored_counts(sizes, search, rounds, 0 if keeps_prompt else rounds)
