"""A request to a model: what is asked of whom, and the key under which its answer is stored."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from blpo.models.messages import Message

JSON = None | bool | int | float | str | list["JSON"] | dict[str, "JSON"]


@dataclass(frozen=True)
class Request:
    """One request. Equal keys mean: the same question, whose answer need not be paid for twice."""

    model: str
    """The model's name, as in the settings: `provider:model`."""
    parameters: Mapping[str, JSON]
    """Everything else that can change the answer (address, temperature, answer schema ...), and nothing that can't
    (timeouts, concurrency, keys)."""
    messages: tuple[Message, ...]

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the canonical JSON: keys sorted, no white space, each image as the hash of its bytes."""
        content = {
            "model": self.model,
            "parameters": dict(self.parameters),
            "messages": [message.canonical() for message in self.messages],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode("ascii")).hexdigest()
