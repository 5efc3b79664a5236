"""Embedded verbalizer: describes images by the attributes in an I2T prompt, in plain English sentences.

The verbalizer describes measurable attributes, in at most six sentences for an image. An I2T prompt without any such
attribute gets a general caption, as from any captioner: nothing technical, even if a technical attribute would help.

A pair of images is described image by image. An I2T prompt that asks for differences, or to compare, gets a sentence
with both values for every attribute. An image to compare with, or before an edit, is not described. Of two texts about
an image, the image is described. The images of a ranking are described one after the other, by their numbers. Several
images with one label are described together, by the means of the attributes.
"""

import re
from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.chat import EmbeddedChat, prompt_and_frame
from blpo.models.embedded.message_images import MessageImage
from blpo.models.embedded.pair_images import image_of_texts, judged_images, pair_images, pair_texts
from blpo.models.embedded.pair_text import pair_phrase
from blpo.models.embedded.perception import mean_perception, perceive_image
from blpo.models.embedded.ranked_images import numbered_images, numbered_text
from blpo.models.embedded.several_images import asks_about_several, text_about_several
from blpo.models.embedded.vocabulary import ATTRIBUTES, level, mentioned
from state.errors import DataError

MAX_SENTENCES = 6
"""Context budget: sentences for an image."""

GENERAL = tuple(attribute.name for attribute in ATTRIBUTES if attribute.general)
"""Attributes of a general caption."""
_COMPARES = re.compile(r"\b(?:differ|compar)", re.IGNORECASE)
_UNREADABLE = "I can't make out this image."
_ORDINALS = ("First", "Second", "Third", "Fourth")


class EmbeddedVerbalizer(EmbeddedChat):
    """g(x; q): chat model that describes the images of a message by the attributes in the I2T prompt."""

    model_name: str = "embedded-verbalizer-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Return the description. Descriptions of several images are numbered."""
        i2t_prompt, frame = prompt_and_frame(messages)
        if asks_about_several(frame):
            return describe_together(judged_images(messages), mentioned(i2t_prompt))
        if pair_texts(messages) is not None and (image := image_of_texts(messages)) is not None:
            return describe([image], mentioned(i2t_prompt))
        if (pair := pair_images(messages)) is not None:
            return (describe_differences if _COMPARES.search(i2t_prompt) else describe)(pair, mentioned(i2t_prompt))
        if ranked := numbered_images(messages):
            names = (mentioned(i2t_prompt) or GENERAL)[:MAX_SENTENCES]
            return numbered_text([_description(image, names) for image in ranked])
        return describe(judged_images(messages), mentioned(i2t_prompt))


def describe(files: Sequence[MessageImage], attributes: Sequence[str] = ()) -> str:
    """Return the description of images by the attributes; a general caption without attributes."""
    names = (attributes or GENERAL)[:MAX_SENTENCES]
    descriptions = [_description(image, names) for image in files]
    if len(descriptions) < 2:
        return descriptions[0] if descriptions else "I see no image."
    return " ".join(f"{_ordinal(i)} image: {text}" for i, text in enumerate(descriptions))


def describe_together(files: Sequence[MessageImage], attributes: Sequence[str] = ()) -> str:
    """Return one description of images with one label; a general caption without attributes."""
    try:
        values = mean_perception(files)
    except DataError:
        return _UNREADABLE
    names = (attributes or GENERAL)[:MAX_SENTENCES]
    return text_about_several(len(files), " ".join(attribute_sentence(name, values[name]) for name in names))


def describe_differences(pair: Sequence[MessageImage], attributes: Sequence[str] = ()) -> str:
    """Return sentences with the values of both images; general attributes without attributes."""
    try:
        first, second = map(perceive_image, pair)
    except DataError:
        return _UNREADABLE
    names = (attributes or GENERAL)[:MAX_SENTENCES]
    return " ".join(_as_sentence(pair_phrase(name, first[name], second[name])) for name in names)


def attribute_sentence(name: str, value: float) -> str:
    """Return the sentence for an attribute, such as `Noise is high (72).`."""
    rounded = round(value)
    return _as_sentence(f"{name} is {level(rounded)} ({rounded})")


def _description(image: MessageImage, names: Iterable[str]) -> str:
    try:
        values = perceive_image(image)
    except DataError:
        return _UNREADABLE
    return " ".join(attribute_sentence(name, values[name]) for name in names)


def _as_sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}."


def _ordinal(index: int) -> str:
    return _ORDINALS[index] if index < len(_ORDINALS) else f"Number {index + 1}"
