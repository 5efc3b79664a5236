"""Sizes of a dataset that decide the number of calls of a search."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from blpo.data.dataset import Dataset
from blpo.inference.answer_forms import asks_once, questions_about
from blpo.inference.round_plan import RoundPlan, round_shape
from state.sample import SplitName
from state.settings import SearchSettings, Settings

_ONE_TASK = RoundPlan(0, 0)


@dataclass(frozen=True, slots=True)
class DatasetSizes:
    """Samples and judge requests by split. An image under several criteria is a sample for each criterion."""

    samples: Mapping[SplitName, int]
    requests: Mapping[SplitName, int]
    """Judge requests for all samples of a split under one prompt, repairs not counted."""
    questions: int = 1
    """Most questions about a sample: one for each order of a pair."""
    calls: int = 1
    """Most judge requests for a question."""
    shape: RoundPlan = _ONE_TASK
    """Fields of a round's plan that follow from the tasks."""

    @classmethod
    def of(cls, settings: Settings, dataset: Dataset) -> "DatasetSizes":
        """Count the samples and requests of a run."""
        tasks = [settings.of_task(name).task for name in settings.task_names[: 1 if asks_once(settings) else None]]
        return cls(
            samples={name: len(samples) for name, samples in dataset.splits.items()},
            requests={name: questions_about(settings, samples) for name, samples in dataset.splits.items()},
            questions=max(task.questions for task in tasks or [settings.task]),
            calls=settings.models.calls,
            shape=round_shape(settings, [s for name in settings.search.batch_splits for s in dataset.splits[name]]),
        )

    @classmethod
    def alike(cls, samples: Mapping[SplitName, int], questions: int = 1) -> "DatasetSizes":
        """Return the sizes of a single task with so many requests for every sample."""
        return cls(samples, {name: questions * number for name, number in samples.items()}, questions)

    @property
    def labelled(self) -> int:
        """Judge requests for the train and validation splits under one prompt."""
        return self.requests["train"] + self.requests["validation"]

    def drawn_from(self, search: SearchSettings) -> int:
        """Return the samples that the batch of a round is drawn from."""
        return sum(self.samples[name] for name in search.batch_splits)

    def judged(self, cases: int, *splits: SplitName) -> int:
        """Return the most judge requests for so many different samples of the splits under one prompt."""
        return min(self.calls * self.questions * cases, sum(self.requests[name] for name in splits))

    def plan(self, cases: int, inner_steps: int) -> RoundPlan:
        """Return the plan of a round of this dataset."""
        return replace(self.shape, cases=cases, inner_steps=inner_steps)
