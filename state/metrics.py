"""Agreement of a judge with people, as numbers of result.json."""

from typing import NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class Agreement(TypedDict):
    """Agreement of predicted labels with human labels, over n samples. None: the value is undefined."""

    accuracy: NotRequired[float | None]
    """Absent for rankings, as the next four."""
    balanced_accuracy: NotRequired[float | None]
    macro_f1: NotRequired[float | None]
    kappa: NotRequired[float | None]
    majority_baseline: NotRequired[float | None]
    mcc: NotRequired[float | None]
    """Matthews' correlation; absent in older runs, as all fields below but the first two of ratings."""
    mae: NotRequired[float | None]
    quadratic_kappa: NotRequired[float | None]
    spearman: NotRequired[float | None]
    kendall_tau_b: NotRequired[float | None]
    pearson: NotRequired[float | None]
    consistent_accuracy: NotRequired[float | None]
    """Share of pairs that are right in both orders. For pairs all metrics above count answers: two for a pair."""
    consistency: NotRequired[float | None]
    """Share of pairs with the same label in both orders."""
    first_rate: NotRequired[float | None]
    """Share of "first" among the answers "first" and "second" about pairs: 0.5 without a lean to a position. The two
    readings are equal: a failure is neither answer."""
    ties: NotRequired[float | None]
    """Share of "tie" among the answers about pairs; absent without `task.ties`. The two readings are equal."""
    ndcg: NotRequired[float | None]
    """Normalised discounted cumulative gain. A ranking has `kendall_tau_b`, `ndcg` and `top_1` alone, as means over
    the lists."""
    top_1: NotRequired[float | None]
    """Share of rankings with a best image of people in the first place."""
    above_chance: NotRequired[float | None]
    """Mean over tasks of (value - chance) / (1 - chance), by each task's own metric; alone, for several tasks."""
    f1: NotRequired[dict[str, float | None]]
    """F1 by label, `task.positive` first. Absent for tasks of more than 20 labels, as the next three."""
    recall: NotRequired[dict[str, float | None]]
    precision: NotRequired[dict[str, float | None]]
    specificity: NotRequired[dict[str, float | None]]
    """Recall of all other labels: the share of samples without the label that are judged so."""
    undefined: NotRequired[dict[str, str]]
    """Reason for every None, by the metric's name (`spearman`, `recall.unsafe`); absent without a None."""


class Guessing(TypedDict):
    """Search metric of answers by chance, in expectation; None if undefined."""

    uniform: float | None
    """Every label of the task is equally likely; every order of a ranking."""
    shares: float | None
    """A label is as likely as it is frequent among the human labels."""


class TaskReading(TypedDict):
    """Agreement on one of several tasks, in the stricter reading."""

    n: int
    """Judged samples, errors included."""
    coverage: float
    """Share of answered samples in n."""
    metric: str
    value: float | None
    """None if undefined."""
    chance: float
    """Metric of uniform guessing."""


class Metrics(Agreement):
    """Agreement over the answered samples, and in the stricter reading."""

    n: int
    """Judged samples, errors (network, server, quota) included."""
    coverage: float
    """Share of answered samples in n."""
    strict: Agreement
    """Stricter reading: unparseable and refused count as wrong, errors are left out. This reading selects prompts."""
    first_rate_ci95: NotRequired[list[float] | None]
    """95 % interval [low, high] of `first_rate`, by groups; None for less than two groups with an answer. Absent for
    other tasks than pairs."""
    guessing: NotRequired[Guessing]
    """Search metric of guessing on the samples of the stricter reading. Absent in older runs."""
    by_task: NotRequired[dict[str, TaskReading]]
    """Agreement by task; absent for a single task."""


class SplitMetrics(TypedDict):
    """Metrics of p_0 and of the selected prompt on a split."""

    initial: Metrics
    best: Metrics
    groups: NotRequired[int]
    """Number of groups in the test split. The paired test swaps whole groups.

    Absent on validation, and if every sample is a group of its own.
    """
