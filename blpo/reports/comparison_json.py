"""A comparison of runs as plain JSON values."""

from typing import NotRequired, TypedDict

from blpo.reports.comparison import Against, Comparison, Entry
from blpo.reports.slice_rows import slices_of
from blpo.runs.ceiling_sentence import ceiling_of
from state.metrics import Metrics
from state.metrics_on_test import SliceMetrics
from state.rater_metrics import HumanCeiling


class AgainstJson(TypedDict):
    """Difference to the first run."""

    difference: float
    left_out: int
    """Shared samples with an error in either run."""
    ci95: list[float]
    p_value: float
    adjusted_p_value: float


class EntryJson(TypedDict):
    """One run."""

    name: str
    run: str
    initial: Metrics
    best: Metrics
    against_first: AgainstJson | None
    """None for the first run."""
    human_ceiling: NotRequired[HumanCeiling]
    """Judge beside one rater, on the run's own test split; absent without the ratings of several people."""
    slices: NotRequired[dict[str, dict[str, SliceMetrics]]]
    """Metrics by column and value, on the run's own test split; absent without `data.slices`."""


class ComparisonJson(TypedDict):
    """Content of `blpo compare --json`."""

    metric: str
    shared: int
    """Test samples of all runs."""
    groups: NotRequired[int]
    """Groups of the shared samples; absent if every sample is a group of its own."""
    differing: list[str]
    """Ids of shared samples with different verdicts."""
    notes: list[str]
    runs: list[EntryJson]


def comparison_json(comparison: Comparison) -> ComparisonJson:
    """Return the numbers of a comparison."""
    numbers = ComparisonJson(
        metric=comparison.metric,
        shared=len(comparison.shared),
        differing=comparison.differing,
        notes=list(comparison.notes),
        runs=list(map(_entry, comparison.entries)),
    )
    if comparison.groups < len(comparison.shared):
        numbers["groups"] = comparison.groups
    return numbers


def _entry(entry: Entry) -> EntryJson:
    content = EntryJson(
        name=entry.name,
        run=str(entry.run.directory),
        initial=entry.initial,
        best=entry.metrics,
        against_first=None if entry.against is None else _against(entry.against),
    )
    if (ceiling := ceiling_of(entry.run.result["test"])) is not None:
        content["human_ceiling"] = ceiling
    if slices := dict(slices_of(entry.run.result)):
        content["slices"] = slices
    return content


def _against(against: Against) -> AgainstJson:
    return AgainstJson(
        difference=against.difference,
        left_out=against.left_out,
        ci95=[against.low, against.high],
        p_value=against.p_value,
        adjusted_p_value=against.adjusted,
    )
