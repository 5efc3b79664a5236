"""A request to a model, and the key of the answer in the response store."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from blpo.models.messages import Message

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True)
class Request:
    """A request. Requests with equal keys share an answer, paid for once."""

    model: str
    """Name of the model, as in the settings: `provider:model`."""
    parameters: Mapping[str, JSON]
    """Answer-changing parameters beside messages and schema (address, temperature ...); no timeouts, concurrency or API
    keys."""
    messages: tuple[Message, ...]
    schema: Mapping[str, Any] | None = None
    """JSON schema of the answer; None: free text."""
    constraint: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the call to make the server keep to the schema. Empty without a schema, and if the model is not
    asked to keep to the schema; then the schema is no part of the key."""
    repeat: int = 0
    """Number of the repeat of a question; repeat 0 is the question itself."""
    sampling: Mapping[str, JSON] = field(default_factory=dict)
    """Arguments of the call for a further repeat; empty for repeat 0."""

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the canonical JSON: keys sorted, no white space, images as hashes of their bytes."""
        # The schema goes in as text, because the order of properties matters.
        schema = {"schema": json.dumps(self.schema)} if self.constraint else {}
        repeat = {"repeat": {"number": self.repeat, **self.sampling}} if self.repeat else {}
        content: dict[str, Any] = {
            "model": self.model,
            "parameters": {**self.parameters, **schema},
            "messages": [message.canonical() for message in self.messages],
            **repeat,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()
