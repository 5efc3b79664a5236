"""Lines for a terminal: broken between words."""

import shutil
import textwrap
from typing import TextIO

_NARROWEST = 40


def fitted(line: str, stream: TextIO) -> str:
    """Return a line broken between words to the width of the terminal; unchanged if `stream` is no terminal."""
    if not stream.isatty():
        return line
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
