"""Last answers about the samples of a run. A search asks the same questions in every round.

The response store has the answers too. An answer in memory saves the work to compose the question and to hash it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

from blpo.inference.judgement import Judgement
from state.sample import Sample
from state.verdict import Description

_T = TypeVar("_T")
_RECENT = 4096
"""Judgements in the memory of a run, and as many descriptions: 1 to 2 kB for each, more for long replies."""


class RecentAnswers(Generic[_T]):
    """Answers by sample and question, at most `most`; the oldest answer goes first. 0: no answer is kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: OrderedDict[tuple[str, Hashable], tuple[Sample, _T]] = OrderedDict()

    def get(self, sample: Sample, question: Hashable) -> _T | None:
        """Return the answer about this sample object; None for another object, whose images may differ."""
        known, answer = self._answers.get((sample.id, question), (None, None))
        return answer if known is sample else None

    def keep(self, sample: Sample, question: Hashable, answer: _T) -> None:
        """Keep an answer."""
        self._answers[sample.id, question] = sample, answer
        if len(self._answers) > self._most:
            self._answers.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """Last answers of a run in memory."""

    judgements: RecentAnswers[Judgement] = field(default_factory=partial(RecentAnswers, _RECENT))
    descriptions: RecentAnswers[Description] = field(default_factory=partial(RecentAnswers, _RECENT))


NO_MEMORY = Memory(RecentAnswers(0), RecentAnswers(0))
"""Memory of models that see every sample once."""
