"""Metadata out of image files without touching their pixels.

What decides how pixels look (colour profiles, gamma, Adobe's colour transform) stays; everything else goes: EXIF with
its places and serial numbers, XMP, IPTC, comments, the generation parameters in PNG text, previews, and what follows
the end. A file without any of it comes back unchanged.
"""

import re
import struct

_JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD8)))
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"IEND")
)
_PNG_PLAIN = (b"\x08\x02", b"\x08\x00")
"""Bit depth and colour type of 8-bit RGB and 8-bit grey."""
_WEBP_KEPT = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"))
_WEBP_METADATA_FLAGS = 0x08 | 0x04
"""EXIF and XMP, in the first byte of VP8X."""


def without_metadata(data: bytes, kind: str) -> bytes | None:
    """Return a JPEG, PNG or WebP file less its metadata; None for one that is not laid out as expected."""
    strip = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}[kind]
    try:
        return strip(data)
    except (IndexError, struct.error):
        return None


def _jpeg(data: bytes) -> bytes | None:
    kept = [data[:2]]
    at = 2
    while True:
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # A fill byte.
            at += 1
            continue
        if marker == 0xD9:
            return b"".join((*kept, data[at : at + 2]))
        end = at + 2 if marker in _JPEG_STANDALONE else at + 2 + _uint16(data, at + 2)
        if marker == 0xDA:
            next_marker = _JPEG_SCAN_END.search(data, end)
            if next_marker is None:
                return None
            end = next_marker.start()
        if _keeps(marker, data[at + 4 : end]):
            kept.append(data[at:end])
        at = end


def _keeps(marker: int, payload: bytes) -> bool:
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
        raise IndexError("a segment shorter than its own length field")
    return length


def _png(data: bytes) -> bytes | None:
    if not data.startswith(_PNG_SIGNATURE) or data[24:26] not in _PNG_PLAIN:
        return None
    kept = [_PNG_SIGNATURE]
    at = len(_PNG_SIGNATURE)
    while True:
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            return None
        if name in _PNG_KEPT:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end


def _webp(data: bytes) -> bytes | None:
    kept = []
    at = 12
    total = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    while at < total:
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if end > total + 1:
            return None
        if name in _WEBP_KEPT:
            kept.append(_without_flags(data[at:end]) if name == b"VP8X" else data[at:end])
        at = end
    body = b"".join(kept)
    return data[:4] + struct.pack("<I", 4 + len(body)) + data[8:12] + body if body else None


def _without_flags(chunk: bytes) -> bytes:
    return chunk[:8] + bytes((chunk[8] & ~_WEBP_METADATA_FLAGS,)) + chunk[9:]
