"""A model as it is called: its settings, its provider, and the LangChain object behind them."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.messages import Message, to_langchain
from models.prices import price_of
from models.registry import Provider
from models.request import Request
from models.response import Failure, Response, from_langchain
from models.retries import Backoff, with_retries
from state.settings import ModelSettings

if TYPE_CHECKING:  # it takes half a second to import
    from langchain_core.language_models import BaseChatModel


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
        return self.provider.constrain(dict(schema))

    async def send(
        self, request: Request, arguments: Mapping[str, Any], backoff: Backoff
    ) -> tuple[Response | Failure, int]:
        """The outcome, and in how many attempts; raises `ModelError` where no request can succeed."""
        asked = to_langchain(request.messages)

        async def attempt() -> Response:
            reply = await self.chat.ainvoke(asked, **arguments)
            return from_langchain(reply, request.messages)

        async def attempt_in_time() -> Response:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    return await attempt()
            except TimeoutError as error:
                raise TimeoutError(f"no answer within timeout ({self.settings.timeout:g} s)") from error

        if self.provider.local:
            return await attempt(), 1
        return await with_retries(attempt_in_time, self.settings, backoff)

    def usd(self, response: Response) -> float | None:
        """What an answer cost in US dollars; None where the price is not known."""
        price = price_of(self.settings)
        if price is None:
            return None
        return (response.input_tokens * price.input + response.output_tokens * price.output) / 1e6

    @property
    def is_priced(self) -> bool:
        """Whether what it costs is known."""
        return price_of(self.settings) is not None
