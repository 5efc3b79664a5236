"""Sizes of the splits of a cell."""

from dataclasses import dataclass
from functools import lru_cache

from blpo.data.run_dataset import dataset_of
from blpo.inference.list_parts import requests_of
from state.errors import DataError
from state.settings import DataSettings, SearchSettings, Settings, TaskSettings

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class SplitSizes:
    """Numbers of samples, and of judge requests under one prompt."""

    labelled: int
    """Train and validation together."""
    test: int
    labelled_requests: int
    test_requests: int


def split_sizes(settings: Settings) -> SplitSizes | None:
    """Return the sizes of the splits; None for a broken dataset, whose cells fail with the reason."""
    try:
        return _read(settings.data, settings.task, settings.search.seed, settings.search.agreement)
    except DataError:
        return None


@lru_cache(_REMEMBERED)
def _read(data: DataSettings, task: TaskSettings, seed: int, agreement: float | None) -> SplitSizes:
    search = SearchSettings().model_copy(update={"seed": seed, "agreement": agreement})
    splits = dataset_of(Settings().model_copy(update={"data": data, "task": task, "search": search})).splits
    labelled, test = [*splits["train"], *splits["validation"]], splits["test"]
    return SplitSizes(len(labelled), len(test), requests_of(labelled, task), requests_of(test, task))
