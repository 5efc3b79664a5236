"""How many calls a search issues, from its settings and the sizes of the splits alone.

The response store answers what was asked before, so that counts are of distinct requests: an adopted prompt was judged
on its batch already, the outer critique and update are those of a trial, and past descriptions are read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blpo.inference.consult import REPAIRS
from state.sample import SplitName
from state.settings import SearchSettings


@dataclass(frozen=True, slots=True)
class CallCounts:
    """Calls by what they are for; the last four are the optimizer's."""

    judge: int
    verbalize: int
    critique_judge: int
    update_judge: int
    critique_i2t: int
    update_i2t: int

    @property
    def optimizer(self) -> int:
        """All calls of the optimizer."""
        return self.critique_judge + self.update_judge + self.critique_i2t + self.update_i2t

    @property
    def repairs(self) -> "CallCounts":
        """The calls added where every reply that can be repaired is repaired as often as allowed."""
        consulted = (self.critique_judge, self.update_judge, self.critique_i2t, self.update_i2t)
        return CallCounts(self.judge, 0, *(REPAIRS * count for count in consulted))


def batch_size(train: int, search: SearchSettings) -> int:
    """Samples in a full batch: I_B and the anchors, which are different samples of the train split."""
    return min(search.error_batch + search.anchors, train)


def call_counts(sizes: Mapping[SplitName, int], search: SearchSettings, rounds: int, adopted: int) -> CallCounts:
    """The calls of a search of `rounds` full rounds, of which `adopted` adopt a new prompt; none repaired.

    No other search of as many rounds issues more: batches are full and disjoint, and no prompt is written twice.
    """
    batch, trials = batch_size(sizes["train"], search), rounds * (search.inner_steps + 1)
    judged = (1 + adopted) * (sizes["train"] + sizes["validation"]) + (trials - adopted) * batch
    tested = (2 if adopted else 1) * sizes["test"]
    steps = rounds * search.inner_steps
    return CallCounts(judged + tested, trials * batch, trials, trials, steps, steps)


def all_rounds(sizes: Mapping[SplitName, int], search: SearchSettings) -> CallCounts:
    """The calls of the longest search: all rounds, each of which adopts a new prompt."""
    return call_counts(sizes, search, search.outer_rounds, search.outer_rounds)


def early_stop(sizes: Mapping[SplitName, int], search: SearchSettings) -> CallCounts:
    """The calls of a search that stops after `patience` rounds without a gain; after one where there is no patience."""
    rounds = min(search.patience or 1, search.outer_rounds)
    keeps_prompt = search.patience is not None and search.adopt == "improving"
    return call_counts(sizes, search, rounds, 0 if keeps_prompt else rounds)
