"""Encoding of a text file, from the first bytes."""

import codecs
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: the mark of UTF-16 is the beginning of this mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_INSPECTED_BYTES = 4096


def text_encoding(file: Path) -> str:
    """Return the encoding: by the byte-order mark, UTF-16 by zero bytes, else UTF-8. Raises `OSError`."""
    start = content_start(file)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if start.count(0) * 4 > len(start):  # Latin letters in UTF-16: every second byte is zero
        return "utf-16-le" if start[1::2].count(0) > start[0::2].count(0) else "utf-16-be"
    return "utf-8"


def content_start(file: Path) -> bytes:
    """Return the first bytes of a file. Raises `OSError`."""
    with open(file, "rb") as stream:
        return stream.read(_INSPECTED_BYTES)


def encoding_problem(file: Path, error: UnicodeDecodeError) -> str:
    """Return a line for a text file that can't be decoded: the place, and the encoding that the text seems to have."""
    if not error.encoding.startswith("utf-8"):
        return f"{file}: is not {error.encoding.upper()} to the end; save the file as UTF-8"
    at, line, word = _first_foreign_word(file.read_bytes())
    try:
        hint = f", perhaps Windows-1252: {word.decode('cp1252')!r}"
    except UnicodeDecodeError:
        hint = ""
    return f"{file}: is not UTF-8 (line {line}, byte {at}{hint}); save the file as UTF-8 (Excel: 'CSV UTF-8')"


def _first_foreign_word(data: bytes) -> tuple[int, int, bytes]:
    """Return offset, line (from 1) and the bytes around the first byte that is not UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        before = data[max(0, at - 20) : at].replace(b",", b" ").replace(b";", b" ").split(b"\n")[-1].split(b" ")[-1]
        after = data[at : at + 20].replace(b",", b" ").replace(b";", b" ").split()
        return at, data.count(b"\n", 0, at) + 1, before + (after[0] if after else b"")
    return 0, 1, b""
