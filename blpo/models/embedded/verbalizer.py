"""The embedded verbalizer: writes down what an I2T prompt asks for, in plain English sentences.

It describes what it can measure, in at most six sentences an image. Asked for nothing that it knows, it gives a general
caption, as any captioner would: nothing technical, however telling that would be.
"""

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage

from blpo.models.embedded.chat import EmbeddedChat, images, prompt_and_frame
from blpo.models.embedded.perception import perceive_cached
from blpo.models.embedded.vocabulary import ATTRIBUTES, level, mentioned
from state.errors import DataError

MOST_SENTENCES = 6
"""Its context budget: what it describes of one image."""

_GENERAL = tuple(attribute.name for attribute in ATTRIBUTES if attribute.general)
_ORDINALS = ("First", "Second", "Third", "Fourth")


class EmbeddedVerbalizer(EmbeddedChat):
    """g(x; q): describes the images of a message by the attributes that the I2T prompt in it mentions."""

    model_name: str = "embedded-verbalizer-1"

    def answer(self, messages: Sequence[BaseMessage]) -> str:
        """Return the description; of several images one after the other, numbered."""
        i2t_prompt, _ = prompt_and_frame(messages)
        return describe(images(messages), mentioned(i2t_prompt))


def describe(seen: Sequence[bytes], wanted: Sequence[str] = ()) -> str:
    """Return what is said of the images `seen`, by the `wanted` attributes; a general caption where none is wanted."""
    names = (wanted or _GENERAL)[:MOST_SENTENCES]
    described = [_description(data, names) for data in seen]
    if len(described) < 2:
        return described[0] if described else "I see no image."
    return " ".join(f"{_ordinal(i)} image: {text}" for i, text in enumerate(described))


def sentence(name: str, value: float) -> str:
    """Return what is said of an attribute, such as `Noise is high (72).`."""
    rounded = round(value)
    return f"{name[0].upper()}{name[1:]} is {level(rounded)} ({rounded})."


def _description(data: bytes, names: Iterable[str]) -> str:
    try:
        values = perceive_cached(data)
    except DataError:
        return "I can't make out this image."
    return " ".join(sentence(name, values[name]) for name in names)


def _ordinal(index: int) -> str:
    return _ORDINALS[index] if index < len(_ORDINALS) else f"Number {index + 1}"
