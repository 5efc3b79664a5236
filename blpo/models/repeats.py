"""Repeats: the same question asked again, as a request of its own.

Repeat 0 is the request as it always was. A further repeat is sampled: with the temperature of the settings if above 0,
else with `TEMPERATURE`, at which a model's answers have the model's own probabilities. A temperature of null is not
sent: the server's default is above 0. vLLM also gets the number of the repeat as the seed. Vendors get no seed, because
some servers of OpenAI's protocol refuse the field. A model that refuses a temperature samples anyway.
"""

from typing import Any

from blpo.models.catalogue import facts
from state.settings import ModelSettings

TEMPERATURE = 1.0
"""Temperature of further repeats where the settings have 0."""


def repeat_fields(settings: ModelSettings, repeat: int) -> dict[str, Any]:
    """Return the arguments of a call for a further repeat, without a seed."""
    return {"temperature": TEMPERATURE} if settings.temperature == 0 and facts(settings).takes_temperature.value else {}


def seeded_repeat_fields(settings: ModelSettings, repeat: int) -> dict[str, Any]:
    """Return the arguments of a call for a further repeat, with its number as the seed."""
    return {**repeat_fields(settings, repeat), "seed": repeat}


def engine_repeat_fields(settings: ModelSettings, repeat: int) -> dict[str, Any]:
    """Return the arguments of a call to the engine in this process for a further repeat."""
    return {"sampling": seeded_repeat_fields(settings, repeat)}


def no_repeat_fields(settings: ModelSettings, repeat: int) -> dict[str, Any]:
    """Return no arguments: every repeat of an embedded model is the same."""
    return {}
