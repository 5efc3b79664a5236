"""Samples whose raters disagree: left out of the search, never of the test."""

from collections.abc import Mapping
from types import MappingProxyType

from blpo.data.aggregation import as_label
from state.errors import DataError
from state.sample import Sample, SplitName

SEARCHED: tuple[SplitName, ...] = ("train", "validation")
_ROUNDING_ERROR = 1e-9

_Splits = Mapping[SplitName, tuple[Sample, ...]]


def agreement_share(sample: Sample) -> float:
    """Return the share of the sample's raters with its label; 1.0 for a sample without ratings."""
    if not sample.ratings:
        return 1.0
    return sum(as_label(rating.value) == sample.label for rating in sample.ratings) / len(sample.ratings)


def agreeing(splits: _Splits, least: float) -> tuple[_Splits, dict[SplitName, int]]:
    """Return the splits without samples whose share of raters with the label is below `least`, and their number.

    The test keeps all samples. Raises `DataError` if a split keeps no sample, or the train split a single label.
    """
    remaining = {
        name: tuple(s for s in samples if name == "test" or agreement_share(s) >= least - _ROUNDING_ERROR)
        for name, samples in splits.items()
    }
    for name in SEARCHED:
        if not remaining[name]:
            raise DataError(f"search.agreement: {least:g} leaves no sample in the {name} split; lower the share")
    if len({sample.label for sample in remaining["train"]}) < 2:
        raise DataError(f"search.agreement: {least:g} leaves a single label in the train split; lower the share")
    return MappingProxyType(remaining), {name: len(splits[name]) - len(remaining[name]) for name in SEARCHED}


def left_out_sentence(left_out: Mapping[SplitName, int]) -> str | None:
    """Return a sentence about samples that are left out of the search; None without such a sample."""
    if not any(left_out.values()):
        return None
    counts = " and ".join(f"{number} {name}" for name, number in left_out.items())
    return f"search.agreement leaves {counts} samples out of the search: their raters disagree; the test keeps all"
