"""What a server does when it is asked to constrain an answer to a schema: found out once, and kept in the store.

It may answer 400, and is then asked without; or 200 without constraining anything, which shows in an answer that the
schema does not allow. Either is said once. Verdicts are read tolerantly in any case.
"""

import logging
from collections.abc import Mapping
from typing import Any, Literal, get_args

from blpo.models.openai.parameters import key_parameters
from blpo.models.secret_masking import one_line
from blpo.models.verdict_format import obeys
from blpo.storage.response_store import ResponseStore
from state.response import Response
from state.settings import ModelSettings

Support = Literal["obeys", "ignores", "refuses"]
_log = logging.getLogger("blpo")


class Structure:
    """What is known of the servers of a run. Make one with `load`."""

    def __init__(self, store: ResponseStore, known: dict[tuple[str, str], Support]) -> None:
        self._store = store
        self._known = known

    @classmethod
    async def load(cls, store: ResponseStore) -> "Structure":
        """What earlier processes of this run have found out."""
        found = await store.servers()
        return cls(store, {served: support for served, support in found.items() if support in get_args(Support)})  # type: ignore[misc] # checked

    def asked(self, settings: ModelSettings) -> bool:
        """Whether to ask for a schema: unless the server has refused one."""
        return self._known.get(_served(settings)) != "refuses"

    async def refused(self, settings: ModelSettings, error: Exception) -> None:
        """The server refuses to be asked for a schema."""
        await self._found(
            settings, "refuses", f"refuses structured output, and is asked without ({one_line(str(error))})"
        )

    async def answered(self, settings: ModelSettings, response: Response, schema: Mapping[str, Any]) -> None:
        """The server gave this answer to a request with a schema; one that was cut off or declined tells nothing."""
        known = self._known.get(_served(settings))
        if known == "ignores" or response.refused or response.finish_reason != "stop":
            return
        if not obeys(response.text, schema):
            await self._found(
                settings, "ignores", "accepts structured output and does not keep to it; answers are read as they come"
            )
        elif known is None:
            await self._found(settings, "obeys", "")

    async def _found(self, settings: ModelSettings, support: Support, warning: str) -> None:
        served = _served(settings)
        if self._known.get(served) == support:
            return
        self._known[served] = support
        if warning:
            _log.warning("%s: the server %s", settings.name, warning)
        await self._store.put_server(*served, support)


def _served(settings: ModelSettings) -> tuple[str, str]:
    return settings.name, key_parameters(settings)["base_url"] or ""  # also where the environment gives the address
