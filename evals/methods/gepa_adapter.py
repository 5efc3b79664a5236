"""Adapter between the package `gepa` and a run: samples judged and prompts written through the run's models.

GEPA is synchronous, so it runs in a thread, and its requests go to the event loop of the run.
"""

import asyncio
from collections.abc import Coroutine, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from langgraph.runtime import Runtime

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun
from blpo.inference.progress import send_event, send_trial
from blpo.inference.verdicts import judge_samples
from blpo.metrics.agreement import metrics, value
from blpo.metrics.loss import loss
from evals.methods.gepa_proposals import blpo_update, own_reflection, reflective_records
from state.events import JudgedEvent
from state.loops import OuterState, Trial
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict

COMPONENT = "judge_prompt"
"""Name of the only component of a candidate."""
MOST_IDLE = 20
"""Iterations in a row without a new question, after which the search ends."""

_T = TypeVar("_T")
Candidate = dict[str, str]


def uses_own_reflection(settings: Settings) -> bool:
    """True if the optimizer gets GEPA's own reflection prompt: it is no embedded model."""
    return not settings.models.of("optimizer").name.startswith("embedded:")


@dataclass
class PoolEntry:
    """A judge prompt of the pool."""

    prompt: str
    trials: list[Trial] = field(default_factory=list)
    """Proposals after this prompt entered the pool, up to the next prompt."""


@dataclass(frozen=True, slots=True)
class PoolSearch:
    """Result of a search by GEPA."""

    pool: Sequence[PoolEntry]
    """In the order of entrance, p_0 first; empty if the budget ended within the validation of p_0."""
    error: Exception | None
    """Error of a model or of the budget that ended the search."""
    interrupted: bool
    """True if the run is to stop at the next step."""


async def evolve_pool(run: OpenRun, runtime: Runtime[Settings]) -> PoolSearch:
    """Search from the start until the end of rounds or budget, an error, or a request to stop the run."""
    adapter = GepaAdapter(run, runtime, asyncio.get_running_loop())
    try:
        await asyncio.to_thread(_optimize, adapter)
    finally:
        adapter.close()
    return PoolSearch(adapter.pool, adapter.error, adapter.interrupted)


def _optimize(adapter: "GepaAdapter") -> None:
    from gepa.api import optimize

    search, run = adapter.run.settings.search, adapter.run
    options: dict[str, Any] = {
        "seed_candidate": {COMPONENT: initial_prompts(run.settings)[0]},
        "trainset": list(run.split("train")),
        "valset": list(run.split("validation")),
        "adapter": adapter,
        "custom_candidate_proposer": adapter.propose,
        "reflection_minibatch_size": search.error_batch,
        "acceptance_criterion": adapter,
        "stop_callbacks": adapter.must_stop,
        "callbacks": [adapter],
        "logger": adapter,
        "track_best_outputs": False,
        "seed": search.seed,
    }
    try:
        optimize(**options)
    except Exception as error:
        if error is not adapter.error:
            raise


class GepaAdapter:
    """The adapter, the acceptance criterion, the stopper, the callback and the logger of a search.

    The methods are called in GEPA's thread.
    """

    propose_new_texts = None
    """GEPA asks for a proposal through `propose`."""

    def __init__(self, run: OpenRun, runtime: Runtime[Settings], loop: asyncio.AbstractEventLoop) -> None:
        self.run = run
        self.pool: list[PoolEntry] = []
        self.error: Exception | None = None
        self.interrupted = False
        self._runtime = runtime
        self._loop = loop
        self._pending: Future[Any] | None = None
        self._closed = False
        self._first_calls = run.budget.calls
        self._questions: set[Hashable] = set()
        self._is_idle = False
        self._idle = 0

    def evaluate(self, batch: list[Sample], candidate: Candidate, capture_traces: bool = False) -> Any:
        """Judge a batch; the score of a sample is 1 - loss, and 0 for an error."""
        from gepa.core.adapter import EvaluationBatch

        self._note((candidate[COMPONENT], sample.id) for sample in batch)
        verdicts = self._wait(judge_samples(self.run, candidate[COMPONENT], batch))
        losses = [loss(v, s.target, self.run.settings.task) for v, s in zip(verdicts, batch, strict=True)]
        scores = [0.0 if each is None else 1.0 - each for each in losses]
        pairs: list[tuple[Sample, Verdict]] = list(zip(batch, verdicts, strict=True))
        return EvaluationBatch(outputs=verdicts, scores=scores, trajectories=pairs if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: Candidate, eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return a record for each sample of a minibatch."""
        records = self._wait(reflective_records(self.run, eval_batch.trajectories))
        return {name: records for name in components_to_update}

    def propose(
        self,
        candidate: Candidate,
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Return a new judge prompt by GEPA's own reflection, or by BLPO's update; nothing without a usable reply."""
        records, prompt = reflective_dataset[COMPONENT], candidate[COMPONENT]
        self._note([(prompt, *(record["id"] for record in records))])
        if uses_own_reflection(self.run.settings):
            answer = self._wait(own_reflection(self.run, prompt, records))
        else:
            answer = self._wait(blpo_update(self.run, prompt, records))
        if answer.text is None:
            self._add(Trial(i2t_prompt=None, judge_prompt=None, score=None, failure=answer.problem))
            return {}
        return {} if answer.text == prompt else {COMPONENT: answer.text}

    def should_accept(self, proposal: Any, state: Any) -> bool:
        """Accept a proposal with a higher score on the minibatch, as GEPA does, and record the trial."""
        before, after = proposal.subsample_scores_before, proposal.subsample_scores_after
        score = round((sum(after) - sum(before)) / len(before), 12)
        self._add(Trial(i2t_prompt=None, judge_prompt=proposal.candidate[COMPONENT], score=score, failure=None))
        return bool(score > 0)

    def must_stop(self, gepa_state: Any) -> bool:
        """Stop after an error, at the end of the rounds, without new questions, or if the run is to stop.

        A request to stop waits for the first new call, so that every start of the run makes progress.
        """
        self._idle = self._idle + 1 if self._is_idle else 0
        self._is_idle = True
        has_ended = gepa_state.i + 1 >= self.run.settings.search.outer_rounds or self._idle >= MOST_IDLE
        self.interrupted = self._runtime.drain_requested and self.run.budget.calls > self._first_calls
        return has_ended or self.interrupted or self.error is not None

    def on_valset_evaluated(self, event: Mapping[str, Any]) -> None:
        """Add a prompt to the pool."""
        self.pool.append(PoolEntry(event["candidate"][COMPONENT]))
        self._wait(self._tell_judged(len(self.pool) - 1))

    def log(self, message: str) -> None:
        """Drop the lines of GEPA's log: events and files of the run hold the search."""

    def close(self) -> None:
        """End the thread's waiting, after the search or its cancellation."""
        self._closed = True
        if self._pending is not None:
            self._pending.cancel()

    def _add(self, trial: Trial) -> None:
        """Record a trial."""
        entry = self.pool[-1]
        entry.trials.append(trial)
        place, step = len(self.pool) - 1, len(entry.trials) - 1
        self._loop.call_soon_threadsafe(send_trial, self._runtime, OuterState(round=place), step, trial)

    def _note(self, questions: Iterable[Hashable]) -> None:
        """Note the questions of an iteration. By questions, not calls: a resumed search must end as before."""
        new = set(questions) - self._questions
        self._questions |= new
        self._is_idle = self._is_idle and not new

    async def _tell_judged(self, place: int) -> None:
        validation, settings = self.run.split("validation"), self.run.settings
        verdicts = await judge_samples(self.run, self.pool[place].prompt, validation, split="validation")
        labels, ratings = [sample.label for sample in validation], [sample.rating for sample in validation]
        measured = metrics(verdicts, labels, settings.task, ratings=ratings)
        metric = settings.search.metric
        event = JudgedEvent(event="judged", round=place, metric=metric, validation=value(measured, metric))
        send_event(self._runtime, event)

    def _wait(self, question: Coroutine[Any, Any, _T]) -> _T:
        """Ask in the run's event loop, and wait; keep the error, because GEPA goes on after some errors."""
        if self._closed:
            question.close()
            raise CancelledError
        self._pending = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            answer: _T = self._pending.result()
        except Exception as error:
            self.error = self.error or error
            raise
        return answer
