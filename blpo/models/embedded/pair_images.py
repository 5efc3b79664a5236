"""Parts of a message: the judged images, the two images of a pair, or the two texts and their image."""

import re
from collections.abc import Iterator, Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.message_images import MessageImage, part_image, parts

FIRST, SECOND = "First image:", "Second image:"
"""Text parts before the images of a pair."""

CONTEXT_HEADINGS = ("Reference image:", "Image before the edit:")
"""Text parts before images that are not judged."""

_EXAMPLE = re.compile(r"Example \d{1,2}:")
"""Text part before an example, which is not judged."""
_TEXT = re.compile(r"\s*<(first|second)>(.*)</\1>\s*", re.DOTALL)


def judged_images(messages: Sequence[BaseMessage]) -> list[MessageImage]:
    """Return all images but examples and an image to compare with, in order."""
    return [image for heading, image in headed_images(messages) if not _is_context(heading)]


def _is_context(heading: str) -> bool:
    return heading in CONTEXT_HEADINGS or _EXAMPLE.fullmatch(heading) is not None


def pair_images(messages: Sequence[BaseMessage]) -> tuple[MessageImage, MessageImage] | None:
    """Return the images with the headings `First image:` and `Second image:`; None without these two images."""
    by_heading = dict(headed_images(messages))
    first, second = by_heading.get(FIRST), by_heading.get(SECOND)
    return None if first is None or second is None else (first, second)


def pair_texts(messages: Sequence[BaseMessage]) -> tuple[str, str] | None:
    """Return the texts of the parts `<first>...</first>` and `<second>...</second>`; None without these two parts."""
    matches = (_TEXT.fullmatch(text) for text in map(_text, parts(messages)))
    texts = {match[1]: match[2].strip() for match in matches if match is not None}
    return (texts["first"], texts["second"]) if len(texts) == 2 else None


def image_of_texts(messages: Sequence[BaseMessage]) -> MessageImage | None:
    """Return the image that two texts are about: the first image without a heading, or else the first image."""
    images = list(headed_images(messages))
    return next((image for heading, image in images if not heading), images[0][1] if images else None)


def headed_images(messages: Sequence[BaseMessage]) -> Iterator[tuple[str, MessageImage]]:
    """Yield all images with their headings: the text part directly before an image, if the text ends with a colon."""
    heading = ""
    for part in parts(messages):
        text = _text(part).strip()
        if (image := part_image(part)) is not None:
            yield heading, image
        heading = text if text.endswith(":") and "\n" not in text else ""


def _text(part: object) -> str:
    text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else part
    return text if isinstance(text, str) else ""
