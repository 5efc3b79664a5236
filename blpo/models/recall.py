"""What a run's models have answered, without asking them: no model is built, nothing is sent, nothing is written."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from blpo.models.budget import Budget
from blpo.models.calls import ModelCaller
from blpo.models.messages import ROLES, Message, Role
from blpo.models.registry import provider_of
from blpo.models.served_model import ServedModel
from blpo.storage.response_store import ResponseStore
from state.response import Failure, Response
from state.settings import LimitSettings, ModelsSettings


class Recall(ModelCaller):
    """Answers what its store holds; every other request is a failure. Needs no key, no server and no package.

    Raises `ModelError` for a provider that is not known here.
    """

    def __init__(self, models: ModelsSettings, store: ResponseStore) -> None:
        nobody = cast(Any, None)  # a request's key needs the provider and the settings alone
        settings = {role: models.of(role) for role in ROLES}
        self._models = {role: ServedModel(each, provider_of(each), nobody) for role, each in settings.items()}
        self._store = store
        self.budget = Budget(LimitSettings())

    async def ask(
        self, role: Role, messages: Sequence[Message], schema: Mapping[str, Any] | None = None
    ) -> Response | Failure:
        """The stored answer, or a failure."""
        return await self.recall(role, messages, schema)

    async def close(self) -> None:
        """Nothing is open."""
