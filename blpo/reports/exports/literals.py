"""Values as readable Python literals: long values over several lines, no unprintable characters."""

import re
from collections.abc import Mapping

_WIDTH = 100
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_PIECE = re.compile(rf".{{1,{_WIDTH}}}(?:\s|$)|.{{1,{_WIDTH}}}", re.DOTALL)


def literal(value: object, indent: int = 0) -> str:
    """Return Python source with the value `value` (None, bool, number, str; list, tuple or mapping of such values).

    Unprintable characters (control characters, line separators, marks of text direction) are escaped.
    """
    line = _text(value) if isinstance(value, str) else repr(value)
    if isinstance(value, str):
        pieces = [piece for each in _LINE.findall(value) for piece in _PIECE.findall(each)]
        return line if len(pieces) < 2 else _block("(", [_text(piece) for piece in pieces], ")", indent)
    if isinstance(value, Mapping):
        items = [f"{literal(key)}: {literal(each, indent + 4)}" for key, each in value.items()]
        return _spread("{", items, "}", indent)
    if isinstance(value, list):
        return _spread("[", [literal(each, indent + 4) for each in value], "]", indent)
    if isinstance(value, tuple) and len(value) > 1:
        return _spread("(", [literal(each, indent + 4) for each in value], ")", indent)
    return line


def _text(text: str) -> str:
    """Return the `repr`, in double quotes if no escape is needed."""
    quoted = repr(text)
    return f'"{quoted[1:-1]}"' if quoted.startswith("'") and '"' not in text else quoted


def _spread(start: str, items: list[str], end: str, indent: int) -> str:
    line = f"{start}{', '.join(items)}{end}"
    fits = len(line) + indent <= _WIDTH and "\n" not in line
    return line if fits else _block(start, [f"{item}," for item in items], end, indent)


def _block(start: str, lines: list[str], end: str, indent: int) -> str:
    margin = " " * indent
    return "\n".join([start, *(f"{margin}    {line}" for line in lines), f"{margin}{end}"])
