"""Content of result.json (format 1), also the output of the graph."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision, Question

FORMAT = 1

RunStatus = Literal["complete", "budget", "interrupted", "failed"]
StopReason = Literal["rounds", "no_errors", "patience", "budget"]
"""rounds: T rounds are done. no_errors: no wrong verdict is left in the train split. patience: the validation metric
has not risen above its best for `patience` rounds. budget: the budget is spent."""


class Agreement(TypedDict):
    """Agreement of predicted labels with human labels, over n samples."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    kappa: float
    majority_baseline: float
    mae: NotRequired[float]
    quadratic_kappa: NotRequired[float]
    spearman: NotRequired[float]


class Metrics(Agreement):
    """Agreement over the answered samples, and in the stricter reading."""

    n: int
    """Judged samples, errors (network, server, quota) included."""
    coverage: float
    """Share of answered samples in n."""
    strict: Agreement
    """Stricter reading: unparseable and refused count as wrong, errors are left out. This reading selects prompts."""


class SplitMetrics(TypedDict):
    """Metrics of p_0 and of the selected prompt on a split."""

    initial: Metrics
    best: Metrics
    groups: NotRequired[int]
    """Number of groups in the test split. The paired test swaps whole groups.

    Absent on validation, and if every sample is a group of its own.
    """


class TestMetrics(SplitMetrics):
    """Metrics of p_0 and of the selected prompt on the test split, with a paired test.

    The paired test is over samples answered under both prompts.
    """

    p_value: float
    """Two-sided paired permutation test on the search metric."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of metric(best) - metric(initial)."""


class TrialResult(TypedDict):
    """A trial of the inner loop."""

    i2t_prompt: str | None
    """q_k; None if the optimizer gave no usable prompt."""
    score: float | None
    """In [-1, 1], higher is better; None for a failed trial."""


class RoundResult(TypedDict):
    """Record t: p_t, validation metrics, and the trials before p_{t+1}."""

    round: int
    judge_prompt: str
    i2t_prompt: str
    validation: Metrics
    errors: int
    """Size of I_B."""
    trials: list[TrialResult]
    decisions: NotRequired[list[Decision]]
    """People's decisions about the new prompts; absent if nobody was asked."""


class RoleUsage(TypedDict):
    """Calls and tokens of a role, cumulative over resumes."""

    issued: int
    cached: int
    failed: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    """None if the model's price is not known."""
    cached_tokens: NotRequired[int]
    """Part of `input_tokens` from the prefix cache of the server, as far as the server tells; absent in older runs."""


class Fork(TypedDict):
    """Origin of a fork: the round of a run."""

    run: str
    """Directory of the other run at the time of the fork."""
    thread_id: str
    round: int
    """First own round; earlier rounds belong to the other run."""
    changed: list[str]
    """Differences: names of new prompts, and settings as `key=value`."""


class CorrectedLabels(TypedDict):
    """Version of a dataset with labels that people corrected after a look at a judge's verdicts."""

    file: str
    sha256: str
    train: int
    """Number of corrected labels in the train split."""
    validation: int
    test: int
    """Number of corrected labels in the test split. Above 0, the test split is no longer untouched."""


class Lineage(TypedDict, total=False):
    """Origin of a run and of the labels."""

    fork: Fork
    labels: CorrectedLabels


class Result(TypedDict):
    """result.json."""

    format: int
    status: RunStatus
    stop_reason: str
    metric: str
    validation: SplitMetrics | None
    test: TestMetrics | None
    """None if the budget did not suffice for the test."""
    rounds: list[RoundResult]
    best_round: int
    calls: dict[str, RoleUsage]
    seconds: float
    question: NotRequired[Question]
    """Question that the run waits for (status `interrupted`)."""
    warnings: NotRequired[list[str]]
    """Sentences on what the numbers do not show; absent without a warning."""
    lineage: NotRequired[Lineage]
    """Absent if the run began at the beginning, with the first labels of people."""


def empty_result(metric: str) -> Result:
    """Return the result of a run without any known outcome."""
    return Result(
        format=FORMAT,
        status="failed",
        stop_reason="",
        metric=metric,
        validation=None,
        test=None,
        rounds=[],
        best_round=0,
        calls={},
        seconds=0.0,
    )
