"""Columns of Arrow: images as bytes or as mappings with `bytes` and `path`, and numbers with names of classes."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow
import pyarrow.compute


def holds_bytes(kind: Any) -> bool:
    """Return True for an Arrow type of bytes, or of a mapping that can hold bytes."""
    return bool(pyarrow.types.is_struct(kind) or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def holds_lists_of_bytes(kind: Any) -> bool:
    """Return True for an Arrow type of lists of bytes, or of mappings that can hold bytes."""
    is_list = pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind)
    return bool(is_list or pyarrow.types.is_fixed_size_list(kind)) and holds_bytes(kind.value_type)


def list_byte_counts_of(column: Any) -> list[list[int | None]]:
    """Return the number of bytes of every image in every cell of a column of lists; empty for an empty cell."""
    counts: list[list[int | None]] = []
    for chunk in column.chunks:
        images = iter(byte_counts_of(chunk.flatten()))
        lengths = pyarrow.compute.list_value_length(chunk).to_pylist()
        counts += [[next(images) for _ in range(length or 0)] for length in lengths]
    return counts


def byte_counts_of(column: Any) -> list[int | None]:
    """Return the number of bytes of every cell of a column; None for a cell without bytes."""
    if pyarrow.types.is_struct(column.type):
        if column.type.get_field_index("bytes") < 0:
            return [None] * len(column)
        column = pyarrow.compute.struct_field(column, "bytes")
    if not (pyarrow.types.is_binary(column.type) or pyarrow.types.is_large_binary(column.type)):
        return [None] * len(column)
    counts: list[int | None] = pyarrow.compute.binary_length(column).to_pylist()
    return counts


def class_names(schema: Any, column: str) -> Sequence[str]:
    """Return the names of a column's classes, which the `datasets` library writes into the schema; empty without."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        feature = features[column]
        names = feature["names"] if feature["_type"] == "ClassLabel" else []
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
