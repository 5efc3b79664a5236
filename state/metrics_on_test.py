"""Metrics of p_0 and of the selected prompt on the test split, with paired tests."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.criteria_metrics import AggregateResult, CriteriaCorrelation, CriteriaTest
from state.metrics import Agreement, Metrics, SplitMetrics
from state.panel_metrics import PanelTest
from state.rater_metrics import HumanCeiling


class BeyondGuessing(TypedDict):
    """Agreement of the selected prompt beyond guessing. Guessing has a kappa of 0, and a Kendall's tau-b of 0."""

    metric: Literal["kappa", "quadratic_kappa", "kendall_tau_b", "above_chance"]
    """quadratic_kappa for ratings, kendall_tau_b for rankings, above_chance for several tasks."""
    value: float | None
    """The metric in the stricter reading; None if undefined."""
    ci95: list[float]
    """Bootstrap interval [low, high]. The prompt is better than guessing if the interval lies above 0."""


class TaskTest(TypedDict):
    """Paired test on one of several tasks, with failures as wrong. The fields are those of `TestMetrics`."""

    n: int
    coverage: float
    metric: str
    initial: float | None
    """The metric under p_0; None if undefined."""
    best: float | None
    """The metric under the selected prompt."""
    chance: float
    """Metric of uniform guessing."""
    p_value: float
    difference_ci95: list[float]
    beyond_guessing: BeyondGuessing
    strict: Agreement
    """All metrics of the task under the selected prompt."""
    positive: NotRequired[str]
    """`task.positive` of the task; absent without one."""


class SliceMetrics(Metrics):
    """Metrics of the selected prompt on the test samples with one value of a column.

    The metrics of single labels are those of `task.positive` alone.
    """

    initial: float | None
    """Search metric under p_0, failures as wrong."""
    best: float | None
    """Search metric under the selected prompt, failures as wrong."""
    ci95: list[float] | None
    """Bootstrap interval [low, high] of `best`. None if `best` is undefined, for a single group, and if all resamples
    are equal, as in a slice without a right verdict."""
    difference_ci95: list[float] | None
    """Bootstrap interval [low, high] of best - initial; None if `best` is undefined, and for a single group."""
    fixed: int
    """Samples that were wrong and are right."""
    broken: int
    """Samples that were right and are wrong."""


class TestMetrics(SplitMetrics):
    """Metrics of p_0 and of the selected prompt on the test split, with a paired test.

    All numbers are over the same samples. A sample with an `error` under either prompt is left out. Refused and
    unparseable verdicts count as wrong in `strict`, in the test and in the interval.
    """

    p_value: float
    """Two-sided paired permutation test on the search metric."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of metric(best) - metric(initial)."""
    left_out: NotRequired[int]
    """Samples with an `error` under either prompt.

    Absent in older runs. There, test and interval are over the samples answered under both prompts.
    """
    beyond_guessing: NotRequired[BeyondGuessing]
    """Absent in older runs."""
    by_task: NotRequired[dict[str, TaskTest]]
    """Test by task; absent for a single task."""
    correlations: NotRequired[list[CriteriaCorrelation]]
    """Correlations between criteria of the same images; absent for other runs."""
    aggregate: NotRequired[AggregateResult]
    """Agreement on the aggregate of a checklist; absent without `criteria_aggregate`."""
    criteria: NotRequired[CriteriaTest]
    """Agreement over all criteria of a pair; absent unless the run has several criteria of pairs."""
    human_ceiling: NotRequired[HumanCeiling]
    """Absent without the ratings of several people."""
    panel: NotRequired[PanelTest]
    """The panel beside its best member; absent for one judge."""
    slices: NotRequired[dict[str, dict[str, SliceMetrics]]]
    """Metrics by column of `data.slices` and value, the most frequent values first; the rest is one slice. Absent
    without `data.slices`."""
