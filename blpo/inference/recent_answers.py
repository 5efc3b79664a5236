"""Last answers about the samples of a run. A search asks the same questions in every round.

The response store has the answers too. An answer in memory saves the work to compose the question and to hash it.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from state.sample import Sample

_T = TypeVar("_T")


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
