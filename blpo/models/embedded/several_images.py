"""Several images with one label in messages: the frame that asks about the images together, and their description.

The rule of the embedded models: the value of an attribute is the mean over all images.
"""

import re

_FRAME = re.compile(r"\bIt has \d{1,2} images,\s+which stand in order, each under its name\b")


def asks_about_several(frame: str) -> bool:
    """Return True if the frame asks about several images together."""
    return _FRAME.search(frame) is not None


def text_about_several(count: int, text: str) -> str:
    """Return a description of the means of so many images."""
    return f"On average over the {count} images: {text}"
