"""Numbers in place of labels, so that array operations can count labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from blpo.metrics.confusion import Floats, metric_values, values_or_nan
from state.sample import Label
from state.settings import TaskSettings, split_metric


class Codes(Protocol):
    """Codes 0, 1, ... of labels, and metrics of confusion matrices over the codes."""

    @property
    def codes(self) -> Mapping[Any, int]:
        """Code by label."""
        ...

    def __len__(self) -> int: ...

    def values(self, counts: Floats, metric: str) -> Floats:
        """Return the metric of confusion matrices, shape (..., labels, labels); an undefined value counts as 0.0."""
        ...

    def values_or_nan(self, counts: Floats, metric: str) -> Floats:
        """Return the same, with NaN for an undefined value."""
        ...


@dataclass(frozen=True, slots=True)
class LabelCodes:
    """Codes 0, 1, ... of the labels that occur, in the order of the task."""

    codes: dict[Label, int]
    scale: Floats
    """Shape (labels,): the rating behind a code. For categories the code itself."""

    @classmethod
    def of(cls, labels: Iterable[Label], task: TaskSettings) -> "LabelCodes":
        """Give a code to every label in `labels`. Raises `ValueError` for a label outside the task."""
        occurring = set(labels)
        values = [label for label in task.values if label in occurring]
        if unknown := occurring.difference(values):
            raise ValueError(
                f"labels {sorted(map(repr, unknown))} are not the task's: {', '.join(map(str, task.values))}"
            )
        scale = values if task.kind == "ordinal" else range(len(values))
        return cls({label: code for code, label in enumerate(values)}, np.array(scale, dtype=np.float64))

    def __len__(self) -> int:
        return len(self.codes)

    def values(self, counts: Floats, metric: str) -> Floats:
        """Return METRIC or METRIC.LABEL of confusion matrices over these codes; an undefined value counts as 0.0."""
        name, label = split_metric(metric)
        return metric_values(counts, name, self.scale, self._place(label))

    def values_or_nan(self, counts: Floats, metric: str) -> Floats:
        """Return the same, with NaN for an undefined value."""
        name, label = split_metric(metric)
        return values_or_nan(counts, name, self.scale, self._place(label))

    def _place(self, label: str | None) -> int | None:
        return next((code for value, code in self.codes.items() if str(value) == label), None)
