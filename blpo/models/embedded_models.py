"""Embedded models (`embedded:judge`, `embedded:verbalizer`, `embedded:optimizer`): programs inside the process."""

import difflib
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from state.errors import ModelError
from state.settings import ModelSettings

if TYPE_CHECKING:  # takes half a second to import
    from langchain_core.language_models import BaseChatModel

_CLASSES = {
    "judge": ("blpo.models.embedded.judge_model", "EmbeddedJudge"),
    "verbalizer": ("blpo.models.embedded.verbalizer_model", "EmbeddedVerbalizer"),
    "optimizer": ("blpo.models.embedded.optimizer_model", "EmbeddedOptimizer"),
}
"""Module and class of each model."""


def embedded_chat(settings: ModelSettings) -> "BaseChatModel":
    """Return the model, a single object for the whole process; raises `ModelError` for an unknown name."""
    name = settings.name.partition(":")[2]
    if settings.logprobs:
        raise ModelError(f"{settings.name}: gives no log-probabilities; take logprobs out of this model's settings")
    if name not in _CLASSES:
        near = difflib.get_close_matches(name, _CLASSES, n=1, cutoff=0.0)
        raise ModelError(f"{settings.name}: no such embedded model; did you mean embedded:{near[0]}?")
    return _embedded_model(*_CLASSES[name])


def no_parameters(settings: ModelSettings) -> dict[str, Any]:
    """Return no parameters: no setting changes an answer of an embedded model."""
    return {}


@cache
def _embedded_model(module: str, name: str) -> "BaseChatModel":
    model: BaseChatModel = getattr(import_module(module), name)()
    return model
