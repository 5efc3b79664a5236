"""Removal of metadata from image files. The pixels are not touched.

Metadata that decides the look of pixels (colour profiles, gamma, Adobe's colour transform) stays. All other metadata
goes: EXIF with places and serial numbers, XMP, IPTC, comments, generation parameters in PNG text, previews, and bytes
after the end. A file without metadata comes back unchanged.
"""

import re
import struct

from blpo.data.png_chunks import PNG_SIGNATURE, readable_png

_JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_PNG_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"IEND")
)
_PNG_PLAIN = (b"\x08\x02", b"\x08\x00")
"""Bit depth and colour type of 8-bit RGB and 8-bit grey."""
_WEBP_CHUNKS = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"))
_WEBP_METADATA_FLAGS = 0x08 | 0x04
"""EXIF and XMP, in the first byte of VP8X."""


def without_metadata(data: bytes, kind: str) -> bytes | None:
    """Return a JPEG, PNG or WebP file without metadata; None for a file with an unexpected layout."""
    strip = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}[kind]
    try:
        return strip(data)
    except (IndexError, struct.error):
        return None


def _jpeg(data: bytes) -> bytes | None:
    parts = [data[:2]]
    at = 2
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            return b"".join((*parts, data[at : at + 2]))
        end = at + 2 if marker in _JPEG_STANDALONE else at + 2 + _uint16(data, at + 2)
        if marker == 0xDA:
            next_marker = _JPEG_SCAN_END.search(data, end)
            if next_marker is None:
                return None
            end = next_marker.start()
        if _stays(marker, data[at + 4 : end]):
            parts.append(data[at:end])
        at = end


def _stays(marker: int, payload: bytes) -> bool:
    if marker == 0xE0:
        return payload.startswith(b"JFIF\0")
    if marker == 0xE2:
        return payload.startswith(b"ICC_PROFILE\0")
    if marker == 0xEE:
        return payload.startswith(b"Adobe")
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _uint16(data: bytes, at: int) -> int:
    length: int = struct.unpack_from(">H", data, at)[0]
    if length < 2:
        raise IndexError("a segment shorter than the length field")
    return length


def _png(data: bytes) -> bytes | None:
    data = readable_png(data)
    if not data.startswith(PNG_SIGNATURE) or data[24:26] not in _PNG_PLAIN:
        return None
    parts = [PNG_SIGNATURE]
    at = len(PNG_SIGNATURE)
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return None
        if name in _PNG_CHUNKS:
            parts.append(data[at:end])
        if name == b"IEND":
            return b"".join(parts)
        at = end


def _webp(data: bytes) -> bytes | None:
    parts = []
    at = 12
    total = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while at < total:
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if end > total + 1:
            return None
        if name in _WEBP_CHUNKS:
            parts.append(_without_flags(data[at:end]) if name == b"VP8X" else data[at:end])
        at = end
    body = b"".join(parts)
    return data[:4] + struct.pack("<I", 4 + len(body)) + data[8:12] + body if body else None


def _without_flags(chunk: bytes) -> bytes:
    return chunk[:8] + bytes((chunk[8] & ~_WEBP_METADATA_FLAGS,)) + chunk[9:]
