"""Sizes of the splits of a cell."""

from dataclasses import dataclass
from functools import lru_cache

from blpo.data.dataset import load_dataset
from state.errors import DataError
from state.settings import DataSettings, Settings, TaskSettings

_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class SplitSizes:
    """Numbers of samples."""

    labelled: int
    """Train and validation together."""
    test: int


def split_sizes(settings: Settings) -> SplitSizes | None:
    """Return the sizes of the splits; None for a broken dataset, whose cells fail with the reason."""
    try:
        return _read(settings.data, settings.task, settings.search.seed)
    except DataError:
        return None


@lru_cache(_REMEMBERED)
def _read(data: DataSettings, task: TaskSettings, seed: int) -> SplitSizes:
    splits = load_dataset(data, task, seed).splits
    return SplitSizes(len(splits["train"]) + len(splits["validation"]), len(splits["test"]))
