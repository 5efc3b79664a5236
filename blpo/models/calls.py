"""The one door to all models: store, single flight, limiter, budget, record, retries.

A call is recorded when it has its place in the limiter and before it is sent, so a killed run asks again for no more
calls than were in flight.

A caller may have an upstream: what it admits and records is then asked of that caller instead of the model, so that
several runs share answers, limits and what is really spent, and each is still charged for every request of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from blpo.models.budget import Budget
from blpo.models.byte_counts import begin_byte_count
from blpo.models.limiter import Limiter, Limiters
from blpo.models.messages import ROLES, Message, Role
from blpo.models.registry import chat_model, provider_of
from blpo.models.request import Request
from blpo.models.retries import Backoff
from blpo.models.role_checks import require_prices, require_vision
from blpo.models.schema_support import Structure
from blpo.models.secret_masking import one_line
from blpo.models.served_model import ServedModel
from blpo.models.single_flight import SingleFlight
from blpo.models.usage import usage_by_role
from blpo.storage.response_store import ResponseStore
from state.errors import BlpoError
from state.response import Failure, Response, Traffic
from state.result import RoleUsage
from state.settings import LimitSettings, ModelsSettings

_GRACE = 5.0
"""Seconds that `close` waits for answers that are being paid for."""


@dataclass(slots=True)
class _Gate:
    """Shuts on the first error that concerns all calls; those that came through it and still wait then end with it too.

    Without it, calls whose caller gave up when the budget was spent would be sent once its reserve is released.
    """

    error: BlpoError | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that has come to its end, and is to be recorded as such."""

    id: int
    outcome: Response | Failure
    attempts: int
    traffic: Traffic


class ModelCaller:
    """The models of a run, for one event loop. Make one with `create`, and `close` it before its store."""

    def __init__(
        self,
        models: Mapping[Role, ServedModel],
        budget: Budget,
        store: ResponseStore,
        structure: Structure,
        backoff: Backoff,
        limiters: Limiters,
        upstream: "ModelCaller | None" = None,
    ) -> None:
        self.budget = budget
        self._models = models
        self._store = store
        self._structure = structure
        self._backoff = backoff
        self._limiters = limiters
        self._upstream = upstream
        self._flights: SingleFlight[Response | Failure] = SingleFlight()
        self._failed: dict[str, Failure] = {}
        """By key: what failed is not asked again in this process, so that all of it sees one outcome."""
        self._gate = _Gate()

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
        """Build the models of all roles, and the budget from what the store has counted.

        `limiters` are shared with other callers; None: those of these models alone. `upstream`, a caller of the same
        models over another store, is asked instead of the models; it outlives this caller.
        Raises `ModelError` for an unknown model, a missing key or a judge that can't see, and `ConfigError` where
        `limits.usd` meets an unknown price. Opens no connection.
        """
        require_vision(models)
        require_prices(models, limits)
        settings = {role: models.of(role) for role in ROLES}
        chats = {each: chat_model(each) for each in set(settings.values())}
        by_role = {role: ServedModel(each, provider_of(each), chats[each]) for role, each in settings.items()}
        budget, structure = Budget.resumed(limits, await store.usage()), await Structure.load(store)
        limiters = limiters or Limiters(settings.values())
        return cls(by_role, budget, store, structure, backoff or Backoff(), limiters, upstream)

    async def ask(
        self, role: Role, messages: Sequence[Message], schema: Mapping[str, Any] | None = None
    ) -> Response | Failure:
        """Answer from the store, or send the request, with retries; each distinct request is sent once.

        Raises `ModelError` where no request to this model can succeed, `BudgetSpent`, and `RunError` where the store
        can't be written. Cancelled before it is sent, a request costs nothing; afterwards its answer is still kept.
        """
        model = self._models[role]
        request = model.request(messages, schema)
        if request.key in self._failed:
            return self._failed[request.key]
        work = partial(self._answer, role, model, request, schema)
        outcome, joined = await self._flights.run(request.key, work)
        if joined and isinstance(outcome, Response):
            self._store.hit(role)
        return outcome

    async def usage(self) -> dict[str, RoleUsage]:
        """What each role has issued, been served and spent, over all resumes."""
        return await usage_by_role(self._models, self._store)

    def usd(self, role: Role, response: Response) -> float | None:
        """What an answer of this role's model cost in US dollars; None where its price is not known."""
        return self._models[role].usd(response)

    def limiter_of(self, role: Role) -> Limiter:
        """The limits of this role's model as they stand."""
        return self._limiters.of(self._models[role].settings)

    async def close(self) -> None:
        """End what is under way and close all connections; answers being paid for get a few seconds to arrive."""
        await self._flights.close(_GRACE)
        open_chats = {id(model.chat): model for model in self._models.values()}
        for model in open_chats.values():
            if model.provider.close is not None:
                await model.provider.close(model.chat)

    async def _answer(
        self, role: Role, model: ServedModel, request: Request, schema: Mapping[str, Any] | None
    ) -> Response | Failure:
        gate = self._gate
        stored = await self._store.claim(request.key)
        if stored is not None:
            self._store.hit(role)
            return stored
        try:
            async with self._limiters.of(model.settings).places:
                if gate.error is not None:
                    raise type(gate.error)(str(gate.error)) from gate.error
                try:
                    call = await self._issue(role, model, request, schema)
                except BlpoError as error:
                    gate.error = error
                    self._gate = _Gate()
                    raise
            return await self._keep(model, request, call)  # the server is free for the next one in the meantime
        finally:
            await self._store.release(request.key)

    async def _issue(self, role: Role, model: ServedModel, request: Request, schema: Mapping[str, Any] | None) -> _Call:
        """Admit, record and send. A call that is cancelled stays open in the record."""
        self.budget.admit(role)
        answer: Response | None = None
        traffic = begin_byte_count()
        try:
            call_id = await self._store.begin(request.key, role, model.settings.name)
            self._flights.commit(request.key)
            try:
                outcome, attempts = await self._send(role, model, request, schema)
            except Exception as error:
                fault = Failure("rejected", one_line(str(error) or type(error).__name__))
                await self._store.fail(call_id, fault, traffic=traffic)
                raise
            answer = outcome if isinstance(outcome, Response) else None
            return _Call(call_id, outcome, attempts, traffic)
        finally:
            tokens = answer.input_tokens + answer.output_tokens if answer else 0
            usd = model.usd(answer) if answer else None
            self.budget.settle(role, tokens, usd, answered=answer is not None)

    async def _send(
        self, role: Role, model: ServedModel, request: Request, schema: Mapping[str, Any] | None
    ) -> tuple[Response | Failure, int]:
        """The outcome, and in how many attempts."""
        if self._upstream is not None:
            return await self._upstream.ask(role, request.messages, schema), 1
        limiter = self._limiters.of(model.settings)
        return await model.send(request, schema, self._structure, limiter, self._backoff)

    async def _keep(self, model: ServedModel, request: Request, call: _Call) -> Response | Failure:
        """Record what came of a call."""
        outcome = call.outcome
        if isinstance(outcome, Failure):
            self._failed[request.key] = outcome
            await self._store.fail(call.id, outcome, attempts=call.attempts, traffic=call.traffic)
        else:
            usd = model.usd(outcome)
            await self._store.finish(call.id, outcome, usd=usd, attempts=call.attempts, traffic=call.traffic)
        return outcome
