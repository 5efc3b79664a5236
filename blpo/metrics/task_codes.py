"""Numbers in place of the labels of several tasks: a block of codes for each task.

A confusion matrix of such codes has a block for each task on its diagonal. Permutation tests, bootstraps and the
jackknife of `above_chance` then run as for a single task.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.guessing import guessing
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.pairs import CountedAnswer
from state.sample import Label
from state.settings import Settings

TaskLabel = tuple[str, Label]
"""Name of a task, and a label of the task."""


def chance_level(human: Sequence[Label], settings: Settings) -> float:
    """Return the metric of a single task under uniform guessing; 0.0 if undefined."""
    return guessing(human, settings.task, settings.search.metric)["uniform"] or 0.0


def above_chance(value: float, chance: float) -> float:
    """Return (value - chance) / (1 - chance): 0 for guessing, 1 for full agreement."""
    return (value - chance) / (1 - chance) if chance < 1 else 0.0


@dataclass(frozen=True, slots=True)
class TaskBlock:
    """Codes of one task, from `start` on."""

    start: int
    labels: LabelCodes
    metric: str
    chance: float

    @property
    def scale(self) -> float:
        """Factor from a difference of the metric to a difference above chance."""
        return 1 / (1 - self.chance) if self.chance < 1 else 0.0

    def values(self, counts: Floats) -> Floats:
        """Return the task's value above chance of confusion matrices over the codes of all tasks."""
        own = slice(self.start, self.start + len(self.labels))
        numbers = self.labels.values(counts[..., own, own], self.metric)
        return np.asarray((numbers - self.chance) * self.scale)


@dataclass(frozen=True, slots=True)
class TaskCodes:
    """Codes 0, 1, ... of the labels that occur, task by task."""

    codes: dict[TaskLabel, int]
    blocks: tuple[TaskBlock, ...]

    @classmethod
    def of(cls, answers: Mapping[str, Sequence[CountedAnswer]], settings: Settings) -> "TaskCodes":
        """Give codes to the labels in `answers` by task. Raises `ValueError` for a label outside a task."""
        codes: dict[TaskLabel, int] = {}
        blocks = []
        for name, rows in answers.items():
            own, start = settings.of_task(name), len(codes)
            labels = LabelCodes.of((label for _, triple in rows for label in triple), own.task)
            codes |= {(name, label): start + code for label, code in labels.codes.items()}
            chance = chance_level([human for _, (human, _, _) in rows], own)
            blocks.append(TaskBlock(start, labels, own.search.metric, chance))
        return cls(codes, tuple(blocks))

    def __len__(self) -> int:
        return len(self.codes)

    def values(self, counts: Floats, metric: str) -> Floats:
        """Return `above_chance` of confusion matrices over these codes: shape of `counts` without the last two axes."""
        return np.asarray(np.mean([block.values(counts) for block in self.blocks], axis=0))

    def values_or_nan(self, counts: Floats, metric: str) -> Floats:
        """Return the same: an undefined value of a task counts as 0.0."""
        return self.values(counts, metric)
