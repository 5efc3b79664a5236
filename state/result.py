"""Content of result.json (format 1), also the output of the graph."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Question
from state.metrics import SplitMetrics
from state.metrics_on_test import TestMetrics
from state.role_usage import RoleUsage
from state.round_result import RoundResult
from state.run_lineage import Lineage

FORMAT = 1


RunStatus = Literal["complete", "budget", "interrupted", "failed"]


StopReason = Literal["rounds", "no_errors", "patience", "budget"]
"""rounds: T rounds are done. no_errors: no wrong verdict is left to learn from. patience: no round of the
last `patience` rounds has gained. budget: the budget pays for no more."""


class Result(TypedDict):
    """result.json."""

    format: int
    status: RunStatus
    stop_reason: str
    metric: str
    """Search metric: METRIC or METRIC.LABEL."""
    validation: SplitMetrics | None
    labelled: NotRequired[SplitMetrics]
    """Metrics on train and validation together, which select: the figure of the best prompt is optimistic. Absent where
    validation alone selects."""
    test: TestMetrics | None
    """None if the budget did not suffice for the test."""
    rounds: list[RoundResult]
    best_round: int
    calls: dict[str, RoleUsage]
    seconds: float
    positive: NotRequired[str]
    """`task.positive`; absent if not set."""
    question: NotRequired[Question]
    """Question that the run waits for (status `interrupted`)."""
    advice: NotRequired[str]
    """Advice for a run that more labels would help more than more calls: how many; absent otherwise."""
    spent: NotRequired[dict[str, int]]
    """Answered calls by purpose: `train_and_validation`, `descriptions`, `optimizer`, `test`, and `other` (batches of
    scored trials, repairs); absent in older runs, and before the end."""
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
