"""Frequencies of answer patterns. A pattern is a human label with the answers under two prompts.

A metric that selects prompts depends on the samples only through these frequencies. Resampling can therefore draw
frequencies instead of samples: the distribution is the same, the drawing is far faster, and the order of the samples
plays no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from blpo.metrics.confusion import Floats, metric_values
from blpo.metrics.label_codes import LabelCodes
from state.sample import Label
from state.settings import Metric, TaskSettings

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AnswerPatterns:
    """The patterns that occur, in a fixed order. Labels are codes of `LabelCodes`."""

    human: Integers
    """Code of the human label, shape (patterns,)."""
    old: Integers
    """Code of the answer under the first prompt."""
    new: Integers
    """Code of the answer under the second prompt."""
    counts: Integers
    """Samples of a pattern, at least 1."""
    scale: Floats
    """Shape (labels,): the rating behind a code. For categories the code itself."""

    @classmethod
    def of(cls, answers: Sequence[tuple[Label, Label, Label]], task: TaskSettings) -> "AnswerPatterns":
        """Count at least one (human, old, new) triple. Raises `ValueError` for a label outside the task."""
        labels = LabelCodes.of((label for triple in answers for label in triple), task)
        rows = np.array([[labels.codes[label] for label in triple] for triple in answers])
        (human, old, new), counts = unique_rows(rows)
        return cls(human, old, new, counts, labels.scale)

    def cells(self, human: Integers, answers: Integers) -> csr_array:
        """Return the cell of a flattened confusion matrix for every pair: shape (pairs, labels squared)."""
        pairs, labels = len(human), len(self.scale)
        return csr_array((np.ones(pairs), (np.arange(pairs), human * labels + answers)), shape=(pairs, labels**2))

    def difference(self, old: Floats, new: Floats, metric: Metric) -> Floats:
        """Return metric(new) - metric(old) for every row. A row is a flattened confusion matrix."""
        labels = len(self.scale)
        before, after = (metric_values(rows.reshape(-1, labels, labels), metric, self.scale) for rows in (old, new))
        return after - before


def unique_rows(rows: Integers, weights: Integers | None = None) -> tuple[Integers, Integers]:
    """Return the sorted unique rows and the sum of their weights (1 by default). Rows come as columns, to unpack."""
    unique, places = np.unique(rows, axis=0, return_inverse=True)
    return unique.T, np.bincount(places, weights).astype(np.int64)
