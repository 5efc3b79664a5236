"""Sizes of the splits of a cell."""

from dataclasses import dataclass
from functools import lru_cache

from blpo.data.run_dataset import dataset_of
from blpo.inference.answer_forms import questions_about
from state.errors import DataError
from state.settings import SearchSettings, Settings

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
    search = SearchSettings().model_copy(update={"seed": settings.search.seed, "agreement": settings.search.agreement})
    names = ("data", "task", "tasks", "criteria", "criteria_calls", "only", "prompts")
    sections = {name: getattr(settings, name) for name in names}
    try:
        return _read(Settings().model_copy(update={**sections, "search": search}))
    except DataError:
        return None


@lru_cache(_REMEMBERED)
def _read(settings: Settings) -> SplitSizes:
    splits = dataset_of(settings).splits
    labelled, test = [*splits["train"], *splits["validation"]], splits["test"]
    return SplitSizes(len(labelled), len(test), questions_about(settings, labelled), questions_about(settings, test))
