"""Events of a run, which tell the progress of the run.

Nodes send events on LangGraph's custom stream. `on_event` of `blpo.optimize` receives every event. The file
events.jsonl in the run directory keeps every event but `progress`, with the time. A resumed run may repeat some events.
"""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import DecisionKind, PromptName
from state.loops import Trial
from state.role_usage import RoleUsage


class StartedEvent(TypedDict):
    """A process has begun to work on the run; the first event of a process."""

    event: Literal["started"]
    run: str
    """Run directory."""
    metric: str
    """Metric that selects among rounds, `search.metric`."""
    outer_rounds: int
    """T."""
    inner_steps: int
    """K."""
    trials: NotRequired[Literal["pooled", "scored"]]
    """`search.trials`; absent in older runs, which are scored."""
    tracking: NotRequired[str]
    """`run.tracking`; absent without a tracker."""


class WarningEvent(TypedDict):
    """The dataset of a new run may not be as meant, or the run's tracker (`run.tracking`) did not receive all."""

    event: Literal["warning"]
    text: str
    """Line that says what is odd, and what to do."""


class ReplayedEvent(TypedDict):
    """The run has answers but no checkpoints. The run starts again and reads the answers from the response store."""

    event: Literal["replayed"]
    checkpoints: str
    """Place of the missing checkpoints."""


class AskedAgainEvent(TypedDict):
    """The run goes back to the first step with a failed request, and asks the failed requests again."""

    event: Literal["asked_again"]
    requests: int
    """Failed requests without an answer."""


class PhaseEvent(TypedDict):
    """A node has begun to work."""

    event: Literal["phase"]
    round: int
    """t, from 0."""
    step: NotRequired[int]
    """k, from 0, in the inner loop; absent if the node does not know k."""
    phase: str
    """Name of the node in the graph."""
    usage: dict[str, RoleUsage]
    """Calls, tokens and dollars so far, by role."""


class Spending(TypedDict):
    """Calls, tokens and dollars."""

    calls: int
    tokens: int
    """Input and output tokens."""
    usd: float


class ProgressEvent(TypedDict):
    """A node has finished some items. Sent several times a second for live views; not kept in events.jsonl."""

    event: Literal["progress"]
    round: int
    done: int
    """Items that the node has finished."""
    total: int
    """Items of the node."""
    spent: Spending
    """Spending of all roles together."""


class JudgedEvent(TypedDict):
    """The train and validation splits are judged by p_t."""

    event: Literal["judged"]
    round: int
    metric: str
    validation: float
    """Value of the metric on the validation split, with failures counted as wrong."""
    labelled: NotRequired[float]
    """The same on train and validation together; absent where validation alone selects."""
    fallen: NotRequired[list[str]]
    """Tasks that fell by more than `search.floor`, so that the prompt was not adopted; absent without one."""


class ErrorsEvent(TypedDict):
    """I_B is drawn."""

    event: Literal["errors"]
    round: int
    wrong: int
    """Wrong verdicts among the samples that the batch is drawn from."""
    drawn: int
    """Size of I_B."""
    anchors: int
    """Right verdicts beside I_B."""
    inner_steps: NotRequired[int]
    """K of the round; absent in older runs."""


class TrialEvent(Trial):
    """A trial of the inner loop has a score, or its descriptions where trials are pooled, or has failed."""

    event: Literal["trial"]
    round: int
    step: int
    """k, from 0."""


class DecidedEvent(TypedDict):
    """A person has decided about a new prompt."""

    event: Literal["decided"]
    round: int
    prompt: PromptName
    decision: DecisionKind


class TestedEvent(TypedDict):
    """The test split is judged; the last event of a search."""

    event: Literal["tested"]
    round: int
    usage: dict[str, RoleUsage]


Event = (
    StartedEvent
    | WarningEvent
    | ReplayedEvent
    | AskedAgainEvent
    | PhaseEvent
    | ProgressEvent
    | JudgedEvent
    | ErrorsEvent
    | TrialEvent
    | DecidedEvent
    | TestedEvent
)
"""Any event. The key `event` tells the type."""
