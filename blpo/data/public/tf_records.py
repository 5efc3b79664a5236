"""TFRecord files with messages of the type `tf.train.Example`, read without TensorFlow.

A record is the length of its data (8 bytes, little endian), a checksum of the length, the data, and a checksum of the
data (TensorFlow, `tensorflow/core/lib/io/record_writer.h`). The checksum of the length is verified: it shows a damaged
file, and any other kind of file. The data is a message of protocol buffers (`tensorflow/core/example/example.proto`).
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from state.errors import DataError

Feature = bytes | float | int
"""First value of a feature."""

_MOST_BYTES = 64 * 2**20
"""Longest record."""
_MASK = 0xA282EAD8
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
"""Kinds of fields on the wire."""
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3


def read_examples(file: Path) -> Iterator[dict[str, Feature]]:
    """Yield the first value of every feature by name, record by record; one record is in memory.

    Raises `DataError` for a file of another format and for a damaged file.
    """
    number = 0
    try:
        with file.open("rb") as stream:
            while (data := _next_record(stream)) is not None:
                number += 1
                yield _example(data)
    except (OSError, ValueError, IndexError, struct.error, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{file}: can't be read as a TFRecord file after {number} records ({reason})") from None


def _next_record(stream: BinaryIO) -> bytes | None:
    head = stream.read(12)
    if not head:
        return None
    length, checksum = struct.unpack("<QI", head)
    if checksum != masked_checksum(head[:8]) or length > _MOST_BYTES:
        raise ValueError("the length of a record is damaged, or the file has another format")
    data = stream.read(length + 4)
    if len(data) < length + 4:
        raise ValueError("the file ends within a record")
    return data[:-4]


def masked_checksum(data: bytes) -> int:
    """Return the checksum of a TFRecord file: CRC-32C, rotated by 15 bits, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_TABLE = _table()


def _example(data: bytes) -> dict[str, Feature]:
    """Return the features of an Example: a map in the field 1 of its field 1."""
    features = {}
    for message in _messages(data, 1):
        for entry in _messages(message, 1):
            name = b"".join(_messages(entry, 1)).decode()
            for feature in _messages(entry, 2):
                value = _first_value(feature)
                if value is not None:
                    features[name] = value
    return features


def _first_value(feature: bytes) -> Feature | None:
    for kind, values in _fields(feature):
        if not isinstance(values, bytes):
            continue
        for number, value in _fields(values):
            if number != 1:
                continue
            if kind == _BYTES_LIST and isinstance(value, bytes):
                return value
            if kind == _FLOAT_LIST and isinstance(value, bytes):
                return float(struct.unpack_from("<f", value)[0])  # packed, or a single number of four bytes
            if kind == _INT64_LIST:
                return _varint(value, 0)[0] if isinstance(value, bytes) else value
    return None


def _messages(data: bytes, number: int) -> Iterator[bytes]:
    return (value for field, value in _fields(data) if field == number and isinstance(value, bytes))


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the number and the value of every field; a number of fixed width is given as its bytes."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            size, place = _varint(data, place)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("a message has a field of an unknown kind")
        if place + size > len(data):
            raise ValueError("a message ends within a field")
        yield number, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return an integer of seven bits a byte, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place
        if shift > 63:
            raise ValueError("a message has an integer of more than ten bytes")
