"""Support of the servers for structured output: found out once for every server, and kept in the response store.

A server may refuse a schema with a 4xx in any words. The first request that meets a 4xx is sent once more without a
schema; if that succeeds, the server is asked without schemas from then on. Or a server may answer 200 and not keep to
the schema; then an answer outside the schema shows the fault. The log says so once. Verdicts are read tolerantly in any
case.
"""

import logging
from collections.abc import Mapping
from typing import Any, Literal, get_args

from blpo.models.secret_masking import excerpt
from blpo.models.server_address import address_of
from blpo.models.server_errors import error_of
from blpo.models.verdict_format import obeys
from blpo.storage.response_store import ResponseStore
from state.response import Response
from state.settings import ModelSettings

Support = Literal["obeys", "ignores", "refuses"]
_log = logging.getLogger("blpo")


class SchemaSupport:
    """Support of the servers of a run, by model and address. Build with `load`."""

    def __init__(self, store: ResponseStore, support: dict[tuple[str, str], Support]) -> None:
        self._store = store
        self._support = support
        self._without_scores: set[tuple[str, str]] = set()
        """Servers without scores for a verdict, as logged by this process."""

    @classmethod
    async def load(cls, store: ResponseStore) -> "SchemaSupport":
        """Return the support found out by earlier processes of the run."""
        rows = await store.servers()
        return cls(store, {server: support for server, support in rows.items() if support in get_args(Support)})  # type: ignore[misc] # checked

    def is_refused_by(self, settings: ModelSettings) -> bool:
        """Return true if the server has refused a schema."""
        return self._support.get(_server(settings)) == "refuses"

    def is_known_of(self, settings: ModelSettings) -> bool:
        """Return true if the support of the server is known."""
        return _server(settings) in self._support

    async def note_refusal(self, settings: ModelSettings, error: Exception) -> None:
        """Keep a refusal of schemas by the server."""
        await self._note(
            settings, "refuses", f"refuses structured output, and is asked without ({excerpt(error_of(error).message)})"
        )

    async def note_answer(self, settings: ModelSettings, response: Response, schema: Mapping[str, Any]) -> None:
        """Keep the support shown by an answer. An answer cut off or declined shows nothing."""
        support = self._support.get(_server(settings))
        if support == "ignores" or response.refused or response.finish_reason != "stop":
            return
        if not obeys(response.text, schema):
            await self._note(
                settings, "ignores", "accepts structured output and does not keep to it; answers are read as they come"
            )
        elif support is None:
            await self._note(settings, "obeys", "")

    def note_scores(self, settings: ModelSettings, response: Response, schema: Mapping[str, Any]) -> None:
        """Warn once of a server whose log-probabilities give no scores for a verdict."""
        server = _server(settings)
        if response.scores or response.refused or server in self._without_scores or not obeys(response.text, schema):
            return
        self._without_scores.add(server)
        _log.warning("%s: the log-probabilities don't tell the labels apart, so verdicts have no scores", settings.name)

    async def _note(self, settings: ModelSettings, support: Support, warning: str) -> None:
        server = _server(settings)
        if self._support.get(server) == support:
            return
        self._support[server] = support
        if warning:
            _log.warning("%s: the server %s", settings.name, warning)
        await self._store.put_server(*server, support)


def _server(settings: ModelSettings) -> tuple[str, str]:
    return settings.name, address_of(settings) or ""  # also an address of the environment
