"""Requests and prices of a model, from the settings alone, without a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from blpo.models.catalogue import facts
from blpo.models.messages import Message
from blpo.models.registry import Provider, provider_of
from blpo.models.request import Request
from state.response import Response
from state.settings import ModelSettings, PriceSettings


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model without a connection. It builds requests and prices answers. Make one with `of`."""

    settings: ModelSettings
    provider: Provider
    parameters: Mapping[str, Any]
    """Parameters of every request."""
    price: PriceSettings | None
    """US dollars for a million tokens; None: not known."""

    @classmethod
    def of(cls, settings: ModelSettings) -> Self:
        """Return the model of the settings; raises `ModelError` for an unknown provider."""
        provider = provider_of(settings)
        return cls(settings, provider, provider.parameters(settings), facts(settings).price.value)

    def request(self, messages: Sequence[Message], schema: Mapping[str, Any] | None = None, repeat: int = 0) -> Request:
        """Return the request of `messages`, for an answer of `schema`; a further `repeat` is a request of its own."""
        constraint: Mapping[str, Any] = {}
        if schema is not None and self.provider.constrain is not None and self.settings.structured_output:
            constraint = self.provider.constrain(dict(schema), self.settings.structured_output)
        sampling = self.provider.repeat(self.settings, repeat) if repeat else {}
        return Request(self.settings.name, self.parameters, tuple(messages), schema, constraint, repeat, sampling)

    def usd(self, response: Response) -> float | None:
        """Return the price of an answer in US dollars; None if the model's price is not known."""
        if self.price is None:
            return None
        return (response.input_tokens * self.price.input + response.output_tokens * self.price.output) / 1e6

    @property
    def is_priced(self) -> bool:
        """True if the price is known."""
        return self.price is not None
