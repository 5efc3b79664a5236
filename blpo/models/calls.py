"""Calls of a run: from a request to the answer, by way of the store, the limits and the budget.

A call is recorded when the call has a place in the limiter, before the request is sent. So a killed run repeats only
calls in flight.

A caller may have an upstream caller. Then admitted and recorded requests go to the upstream caller, not to the model:
several runs share answers, limits and real costs, and every run is charged for all requests of the run.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from blpo.models.budget import Budget
from blpo.models.byte_counts import begin_byte_count
from blpo.models.fail_fast import CallQueue, FailFast
from blpo.models.limiter import Limiter, Limiters
from blpo.models.messages import Message, Role
from blpo.models.named_model import NamedModel
from blpo.models.registry import chat_model
from blpo.models.request import Request
from blpo.models.retries import Backoff, CallOutcome
from blpo.models.role_checks import require_prices, require_vision
from blpo.models.schema_support import SchemaSupport
from blpo.models.secret_masking import one_line
from blpo.models.served_model import ServedModel
from blpo.models.single_flight import SingleFlight
from blpo.models.usage import usage_by_role
from blpo.storage.response_store import ResponseStore
from state.errors import BlpoError
from state.response import Failure, Response, Traffic
from state.role_usage import RoleUsage
from state.settings import LimitSettings, ModelsSettings, counted_role

_GRACE = 5.0
"""Seconds that `close` waits for answers that are being paid for."""
_RECENT = 4096
"""Answers in memory."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that has ended, and is not yet recorded."""

    id: int
    outcome: CallOutcome
    traffic: Traffic


class ModelCaller:
    """Models of a run, for a single event loop. Build with `create`; call `close` before the store is closed."""

    def __init__(
        self,
        models: Mapping[Role, ServedModel],
        budget: Budget,
        store: ResponseStore,
        upstream: "ModelCaller | None" = None,
    ) -> None:
        self.budget = budget
        self._models = models
        self._store = store
        self._upstream = upstream
        self._flights: SingleFlight[Response | Failure] = SingleFlight()
        self._failures: dict[str, Failure] = {}
        """Failures by request key: this process does not repeat a failed request, and sees one outcome."""
        self._recent: OrderedDict[str, Response] = OrderedDict()
        """Last answers by request key: a search asks for the same verdicts in every round."""
        self._fail_fast = FailFast()

    @classmethod
    async def create(
        cls,
        models: ModelsSettings,
        limits: LimitSettings,
        store: ResponseStore,
        backoff: Backoff | None = None,
        *,
        limiters: Limiters | None = None,
        upstream: "ModelCaller | None" = None,
    ) -> Self:
        """Build the models of all roles, and the budget from the counts of the store.

        `limiters` are shared between callers; None: limiters for the named models alone. `upstream` is a longer-lived
        caller of the same models with a store of its own. Raises `ModelError` for an unknown model, a missing key or a
        blind judge, and `ConfigError` if `limits.usd` meets an unknown price. Opens no connection.
        """
        require_vision(models)
        require_prices(models, limits)
        settings = {role: models.of(role) for role in {*models.roles, "judge"}}
        limiters = limiters or Limiters(settings.values())
        schemas, backoff = await SchemaSupport.load(store), backoff or Backoff()
        served = {
            each: ServedModel(NamedModel.of(each), chat_model(each), limiters.of(each), schemas, backoff)
            for each in set(settings.values())
        }
        by_role = {role: served[each] for role, each in settings.items()}
        return cls(by_role, Budget.resumed(limits, await store.usage()), store, upstream)

    async def ask(
        self, role: Role, messages: Sequence[Message], schema: Mapping[str, Any] | None = None, repeat: int = 0
    ) -> Response | Failure:
        """Answer from the store, or send the request, with retries; a distinct request is sent once.

        Raises `ModelError` if no request to the model can succeed, `BudgetSpent`, and `RunError` if the store can't be
        written. A request costs nothing if cancelled before it is sent; later the answer is still kept.
        """
        request = self._models[role].model.request(messages, schema, repeat)
        if request.key in self._failures:
            return self._failures[request.key]
        if (answer := self._recent.get(request.key)) is not None:
            self._store.hit(counted_role(role))
            return answer
        result, joined = await self._flights.run(request.key, partial(self._answer, role, request))
        if isinstance(result, Response):
            if joined:
                self._store.hit(counted_role(role))
            self._remember(request.key, result)
        return result

    def count_recalled(self, role: Role) -> None:
        """Count an answer that was not asked for again, because it was still in memory, like an answer of the store."""
        self._store.hit(counted_role(role))

    def give_up(self, error: BlpoError) -> None:
        """End the step under way: calls not yet sent raise `error`, and failed calls are not tried again."""
        self._fail_fast.give_up(error)

    async def usage(self) -> dict[str, RoleUsage]:
        """Return the calls, tokens and dollars by role, over all resumes."""
        return await usage_by_role({role: served.model for role, served in self._models.items()}, self._store)

    def usd(self, role: Role, response: Response) -> float | None:
        """Return the price of an answer of the role's model in US dollars; None if the price is not known."""
        return self._models[role].model.usd(response)

    def limiter_of(self, role: Role) -> Limiter:
        """Return the limiter of the role's model."""
        return self._models[role].limiter

    async def close(self) -> None:
        """End the calls under way and close all connections; answers being paid for get a few seconds to arrive."""
        await self._flights.close(_GRACE)
        for served in {id(each.chat): each for each in self._models.values()}.values():
            await served.close()

    def _remember(self, key: str, answer: Response) -> None:
        self._recent[key] = answer
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    async def _answer(self, role: Role, request: Request) -> Response | Failure:
        """Answer a request: store, limiter, budget, attempts, store."""
        served, queue = self._models[role], self._fail_fast.join()
        stored = await self._store.claim(request.key)
        if stored is not None:
            self._store.hit(counted_role(role))
            return stored
        try:
            async with served.limiter.places:
                with self._fail_fast.turn(queue):
                    call = await self._issue(role, request, queue)
            return await self._keep(served, request, call)  # the place is free for the next call by now
        finally:
            await self._store.release(request.key)

    async def _issue(self, role: Role, request: Request, queue: CallQueue) -> _Call:
        """Admit the call to the budget, record the call, and send the request; a cancelled call stays recorded open."""
        self.budget.admit(counted_role(role))
        answer: Response | None = None
        traffic = begin_byte_count()
        try:
            call_id = await self._store.begin(request.key, counted_role(role), request.model)
            self._flights.commit(request.key)
            try:
                outcome = await self._send(role, request, queue)
            except Exception as error:
                fault = Failure("rejected", one_line(str(error) or type(error).__name__))
                await self._store.fail(call_id, fault, traffic=traffic)
                raise
            answer = outcome.result if isinstance(outcome.result, Response) else None
            return _Call(call_id, outcome, traffic)
        finally:
            tokens = answer.input_tokens + answer.output_tokens if answer else 0
            usd = self.usd(role, answer) if answer else None
            self.budget.settle(counted_role(role), tokens, usd, answered=answer is not None)

    async def _send(self, role: Role, request: Request, queue: CallQueue) -> CallOutcome:
        if self._upstream is None:
            return await self._models[role].send(request, role, queue)
        answer = await self._upstream.ask(role, request.messages, request.schema, request.repeat)
        return CallOutcome(answer, attempts=1)

    async def _keep(self, served: ServedModel, request: Request, call: _Call) -> Response | Failure:
        """Record the outcome of a call."""
        result, attempts = call.outcome.result, call.outcome.attempts
        if isinstance(result, Failure):
            self._failures[request.key] = result
            await self._store.fail(call.id, result, attempts=attempts, traffic=call.traffic)
        else:
            usd = served.model.usd(result)
            await self._store.finish(call.id, result, usd=usd, attempts=attempts, traffic=call.traffic)
        return result
