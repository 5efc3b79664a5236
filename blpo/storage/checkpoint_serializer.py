"""Serializer of checkpoints: LangGraph's own, with large values compressed.

A run with several tasks has long prompts and metrics by task, and LangGraph's savers write the whole state at every
superstep. Text of this kind shrinks to a fifth or less.
"""

import zlib
from typing import Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

_LARGE = 16_384
"""Bytes of a value from which on it is compressed. Smaller values stay readable by older versions."""
_MOST = 64 * 2**20
"""Largest value after decompression, in bytes."""
_COMPRESSED = "+zlib"
"""End of the type of a compressed value."""


class CheckpointSerializer(JsonPlusSerializer):
    """LangGraph's serializer, without types from modules outside of LangGraph; also reads what LangGraph's writes."""

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=None)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return type and bytes of a value."""
        kind, data = super().dumps_typed(obj)
        return (kind, data) if len(data) < _LARGE else (kind + _COMPRESSED, zlib.compress(data))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Return the value; raises `ValueError` for bytes that are no value of a checkpoint."""
        kind, content = data
        if not kind.endswith(_COMPRESSED):
            return super().loads_typed(data)
        reader = zlib.decompressobj()
        try:
            plain = reader.decompress(content, _MOST)
        except zlib.error as error:
            raise ValueError(f"a value of a checkpoint is damaged: {error}") from None
        if not reader.eof:
            raise ValueError("a value of a checkpoint is damaged or too large")
        return super().loads_typed((kind.removesuffix(_COMPRESSED), plain))
