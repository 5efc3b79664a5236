"""Messages as one text with `<image>` in place of images, as LLaMA-Factory and EasyR1 read them."""

import re
from collections.abc import Sequence

from blpo.models.messages import Part

_MARK = "<image>"
_FOREIGN = re.compile(r"<(image|video|audio)>")


def with_placeholders(parts: Sequence[Part]) -> str:
    """Return the parts as one text. A text that says `<image>` itself is changed to `< image>`: it is no image."""
    return "".join(_plain(part) if isinstance(part, str) else _MARK for part in parts)


def _plain(text: str) -> str:
    return _FOREIGN.sub(r"< \1>", text)
