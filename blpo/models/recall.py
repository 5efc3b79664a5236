"""Recorded answers of a run's models: no model is built, nothing is sent, nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from blpo.models.messages import Message, Role
from blpo.models.named_model import NamedModel
from blpo.models.usage import usage_by_role
from blpo.storage.response_store import ResponseStore
from state.errors import BlpoError
from state.response import Failure, Response
from state.role_usage import RoleUsage
from state.settings import ModelsSettings

NEVER_ASKED = "was never answered"
"""Detail of a request without an answer and without a failure."""


class Recall:
    """Caller that answers from a response store alone; a request without a stored answer is a failure.

    Needs no key, no server and no package. Raises `ModelError` for an unknown provider.
    """

    def __init__(self, models: ModelsSettings, store: ResponseStore) -> None:
        self._models = {role: NamedModel.of(models.of(role)) for role in {*models.roles, "judge"}}
        self._store = store

    async def ask(
        self, role: Role, messages: Sequence[Message], schema: Mapping[str, Any] | None = None, repeat: int = 0
    ) -> Response | Failure:
        """Return the stored answer, or the failure that was recorded. Nothing is counted."""
        key = self._models[role].request(messages, schema, repeat).key
        if answer := await self._store.get(key):
            return answer
        # a request without answer and failure was in flight when its process was killed
        failure = await self._store.failure(key) or Failure("connection", NEVER_ASKED)
        return replace(failure, detail=f"{failure.detail} (not asked again)")

    def count_recalled(self, role: Role) -> None:
        """Count nothing."""

    def give_up(self, error: BlpoError) -> None:
        """Do nothing: no call is under way."""

    async def usage(self) -> dict[str, RoleUsage]:
        """Return the counts of the response store by role."""
        return await usage_by_role(self._models, self._store)

    def usd(self, role: Role, response: Response) -> float | None:
        """Return the price of an answer in US dollars; None if the model's price is not known."""
        return self._models[role].usd(response)
