"""How often each kind of sample occurs, where a kind is a human label with the answers under two prompts.

Every metric that selects depends on the samples only through these frequencies, so that resampling can draw them
instead of samples: the same distribution, far faster, and independent of the samples' order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from blpo.metrics.confusion import Floats, measure
from state.sample import Label
from state.settings import Metric, TaskSettings

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds that occur, in a fixed order. A label's code is its place among the labels that occur."""

    human: Integers
    """Code of the human label, shape (kinds,)."""
    old: Integers
    """Code of the answer under the first prompt."""
    new: Integers
    """Code of the answer under the second prompt."""
    counts: Integers
    """Samples of each kind, at least 1."""
    scale: Floats
    """Shape (labels,): the rating that a code stands for; for categories the code itself."""

    @classmethod
    def of(cls, answered: Sequence[tuple[Label, Label, Label]], task: TaskSettings) -> "Kinds":
        """Count (human, old, new) labels, at least one; raises `ValueError` for one that is not the task's."""
        occurring = {label for triple in answered for label in triple}
        values = [label for label in task.values if label in occurring]
        if unknown := occurring.difference(values):
            raise ValueError(
                f"labels {sorted(map(repr, unknown))} are not the task's: {', '.join(map(str, task.values))}"
            )
        codes = {label: code for code, label in enumerate(values)}
        (human, old, new), counts = distinct(np.array([[codes[label] for label in triple] for triple in answered]))
        scale = values if task.kind == "ordinal" else range(len(values))
        return cls(human, old, new, counts, np.array(scale, dtype=np.float64))

    def cells(self, human: Integers, answers: Integers) -> csr_array:
        """The cell that each pair counts in, a row of a flattened confusion matrix: shape (pairs, labels squared)."""
        pairs, labels = len(human), len(self.scale)
        return csr_array((np.ones(pairs), (np.arange(pairs), human * labels + answers)), shape=(pairs, labels**2))

    def difference(self, old: Floats, new: Floats, metric: Metric) -> Floats:
        """metric(new) - metric(old) for each row, a flattened confusion matrix."""
        labels = len(self.scale)
        before, after = (measure(rows.reshape(-1, labels, labels), metric, self.scale) for rows in (old, new))
        return after - before


def distinct(rows: Integers, weights: Integers | None = None) -> tuple[Integers, Integers]:
    """Return the distinct rows as columns (so that they unpack), sorted, and the sum of their weights (1 each)."""
    found, place = np.unique(rows, axis=0, return_inverse=True)
    return found.T, np.bincount(place, weights).astype(np.int64)
