"""A model as it is called: its settings, its provider, and the LangChain object behind them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.exceptions import ModelInvalidRequestError

from blpo.models.catalogue import facts
from blpo.models.failures import outcome_of
from blpo.models.limiter import Limiter
from blpo.models.messages import Message, to_langchain
from blpo.models.registry import Provider
from blpo.models.replies import from_langchain
from blpo.models.request import Request
from blpo.models.retries import Backoff, with_retries
from blpo.models.schema_support import Structure
from blpo.models.server_errors import refuses_schema
from blpo.models.verdict_format import labels_of
from state.response import Failure, Response
from state.settings import ModelSettings

if TYPE_CHECKING:  # it takes half a second to import
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One model with everything needed to ask it and to price its answers."""

    settings: ModelSettings
    provider: Provider
    chat: "BaseChatModel"

    def request(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None) -> Request:
        """The request for `messages`; a schema counts only where the model is asked to keep to it."""
        parameters = self.provider.parameters(self.settings)
        if self.arguments(schema):
            parameters["schema"] = json.dumps(schema)  # as text: the order of its properties matters
        return Request(self.settings.name, parameters, tuple(messages))

    def arguments(self, schema: Mapping[str, Any] | None) -> dict[str, Any]:
        """Arguments of a call that constrain its answer; none where that is switched off or not to be had."""
        if schema is None or self.provider.constrain is None or not self.settings.structured_output:
            return {}
        return self.provider.constrain(dict(schema), self.settings.structured_output)

    async def send(
        self,
        request: Request,
        schema: Mapping[str, Any] | None,
        structure: Structure,
        limiter: Limiter,
        backoff: Backoff,
    ) -> tuple[Response | Failure, int]:
        """The outcome, and in how many attempts; raises `ModelError` where no request can succeed."""
        asked = to_langchain(request.messages)
        labels = labels_of(schema) if schema and self.settings.logprobs else ()

        async def ask(arguments: Mapping[str, Any]) -> Response:
            return from_langchain(await self._reply(asked, arguments), request.messages, labels)

        async def attempt(seconds: float) -> Response:
            try:
                async with asyncio.timeout(seconds):
                    return await self._constrained(ask, schema, structure)
            except TimeoutError as error:
                raise TimeoutError(f"no answer within timeout ({seconds:g} s)") from error

        if self.provider.local:
            return await self._in_process(ask(self.arguments(schema))), 1
        return await with_retries(attempt, self.settings, backoff, limiter)

    async def _in_process(self, answer: Awaitable[Response]) -> Response | Failure:
        """The answer of a model in this process; a request that it can't answer is a failure like any server's."""
        try:
            return await answer
        except ModelInvalidRequestError as error:
            outcome = outcome_of(error, self.settings)
            if not isinstance(outcome, Failure):
                raise
            return outcome

    async def _reply(self, messages: list["BaseMessage"], arguments: Mapping[str, Any]) -> "AIMessage":
        """By way of LangChain's callbacks only where somebody listens (tracing, Studio): they cost more than a call."""
        from langchain_core.callbacks import AsyncCallbackManager
        from langchain_core.runnables.config import ensure_config

        from blpo.models.untraced_chat import UntracedChat

        if (
            not isinstance(self.chat, UntracedChat)
            or AsyncCallbackManager.configure(ensure_config().get("callbacks")).handlers
        ):
            return await self.chat.ainvoke(messages, **arguments)
        return await self.chat.reply(messages, **arguments)

    async def _constrained(
        self,
        ask: Callable[[Mapping[str, Any]], Awaitable[Response]],
        schema: Mapping[str, Any] | None,
        structure: Structure,
    ) -> Response:
        """The answer, constrained to the schema where the server knows how to; what it makes of that is recorded."""
        arguments = self.arguments(schema)
        if schema is None or not arguments or not structure.asked(self.settings):
            return await ask({})
        try:
            response = await ask(arguments)
        except Exception as error:
            if not refuses_schema(error):
                raise
            await structure.refused(self.settings, error)
            return await ask({})
        await structure.answered(self.settings, response, schema)
        return response

    def usd(self, response: Response) -> float | None:
        """What an answer cost in US dollars; None where the price is not known."""
        price = facts(self.settings).price.value
        if price is None:
            return None
        return (response.input_tokens * price.input + response.output_tokens * price.output) / 1e6

    @property
    def is_priced(self) -> bool:
        """Whether what it costs is known."""
        return facts(self.settings).price.value is not None
