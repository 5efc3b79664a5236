"""The content of result.json (format 1), which is also the graph's output."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision, Question

FORMAT = 1

RunStatus = Literal["complete", "budget", "interrupted", "failed"]
StopReason = Literal["rounds", "no_errors", "patience", "budget"]
"""Why the search stopped: T rounds are done; no wrong verdict is left in the train split; the validation metric has
not risen above its best for `patience` rounds; the budget is spent."""


class Agreement(TypedDict):
    """How well predicted labels agree with human ones, over n samples with a label."""

    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    kappa: float
    majority_baseline: float
    mae: NotRequired[float]
    quadratic_kappa: NotRequired[float]
    spearman: NotRequired[float]


class Metrics(Agreement):
    """Agreement over the answered samples, with the stricter reading beside it."""

    n: int
    """Samples judged, errors (network, server, quota) included."""
    coverage: float
    """Share of n that was answered."""
    strict: Agreement
    """Unparseable and refused counted as wrong; errors left out. This reading selects."""


class SplitMetrics(TypedDict):
    """Metrics of p_0 and of the selected prompt on one split."""

    initial: Metrics
    best: Metrics


class TestMetrics(SplitMetrics):
    """The same on the test split, with the paired test over samples answered under both prompts."""

    p_value: float
    """Two-sided paired permutation test on the search metric."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of metric(best) - metric(initial)."""


class TrialResult(TypedDict):
    """One trial of the inner loop."""

    i2t_prompt: str | None
    """q_k; None where the optimizer gave none."""
    score: float | None
    """In [-1, 1], higher is better; None for a failed trial."""


class RoundResult(TypedDict):
    """Record t: p_t, its validation metrics, and the trials that led to p_{t+1}."""

    round: int
    judge_prompt: str
    i2t_prompt: str
    validation: Metrics
    errors: int
    """Size of I_B."""
    trials: list[TrialResult]
    decisions: NotRequired[list[Decision]]
    """What people decided about the prompts that the trials led to."""


class RoleUsage(TypedDict):
    """Calls and tokens of one role, cumulative over resumes."""

    issued: int
    cached: int
    failed: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    """None where the model's price is not known."""


class Fork(TypedDict):
    """Which round of which run a run goes on from."""

    run: str
    """The other run directory, as it was called then."""
    thread_id: str
    round: int
    """The first round of its own; the earlier ones are the other run's."""
    changed: list[str]
    """What differs: prompts given, and settings as `key=value`."""


class CorrectedLabels(TypedDict):
    """The version of its dataset that a run is on: labels corrected after a judge's verdicts had been seen."""

    file: str
    sha256: str
    train: int
    """Labels of the train split that were changed."""
    validation: int
    test: int
    """Where it is not 0, the test split is no longer untouched."""


class Lineage(TypedDict, total=False):
    """Where a run and its labels come from."""

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
    """None where no budget was left for it."""
    rounds: list[RoundResult]
    best_round: int
    calls: dict[str, RoleUsage]
    seconds: float
    question: NotRequired[Question]
    """What the run waits for (status `interrupted`)."""
    lineage: NotRequired[Lineage]
    """Where the run comes from; absent where it began at the beginning, on data as people labelled it."""


def empty_result(metric: str) -> Result:
    """Of a run of which nothing is known."""
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
