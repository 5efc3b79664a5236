"""Number of calls of a search, from the search settings and the sizes of the splits alone.

Counts are of distinct requests, because the response store answers a repeated request: a trial has already judged an
adopted prompt on its batch, the outer critique and update repeat those of a trial, and the store holds past
descriptions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blpo.inference.consult import REPAIRS
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

    @property
    def repairs(self) -> "CallCounts":
        """Additional calls if every reply needs as many repairs as allowed; a description is never repaired."""
        counts = (self.critique_judge, self.update_judge, self.critique_i2t, self.update_i2t)
        return CallCounts(self.judge, 0, *(REPAIRS * count for count in counts))


def batch_size(train: int, search: SearchSettings) -> int:
    """Return the samples in a full batch: I_B and the anchors, all different samples of the train split."""
    return min(search.error_batch + search.anchors, train)


def call_counts(sizes: Mapping[SplitName, int], search: SearchSettings, rounds: int, adopted: int) -> CallCounts:
    """Count the calls of a search without repairs: `rounds` full rounds, of which `adopted` adopt a new prompt.

    The count is the maximum for so many rounds: batches are full and disjoint, and no prompt is written twice.
    """
    batch, trials = batch_size(sizes["train"], search), rounds * (search.inner_steps + 1)
    selection = (1 + adopted) * (sizes["train"] + sizes["validation"]) + (trials - adopted) * batch
    tests = (2 if adopted else 1) * sizes["test"]
    steps = rounds * search.inner_steps
    return CallCounts(selection + tests, trials * batch, trials, trials, steps, steps)


def all_rounds(sizes: Mapping[SplitName, int], search: SearchSettings) -> CallCounts:
    """Count the calls of the longest search: all rounds, and every round adopts a new prompt."""
    return call_counts(sizes, search, search.outer_rounds, search.outer_rounds)


def early_stop(sizes: Mapping[SplitName, int], search: SearchSettings) -> CallCounts:
    """Count the calls of a search that stops after `patience` rounds without a gain, or after 1 round (no patience)."""
    rounds = min(search.patience or 1, search.outer_rounds)
    keeps_prompt = search.patience is not None and search.adopt == "improving"
    return call_counts(sizes, search, rounds, 0 if keeps_prompt else rounds)
