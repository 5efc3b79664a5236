"""Checks of the settings before a run directory is created and before the first request."""

from collections.abc import Callable, Iterator
from functools import partial

from blpo.config.settings_file import dump_settings
from blpo.data.dataset_check import check_dataset
from blpo.inference.initial_prompts import initial_prompts
from blpo.models.messages import ROLES
from blpo.models.registry import chat_model
from blpo.models.role_checks import require_prices, require_vision
from state.errors import BlpoError
from state.settings import Settings


def unusable(settings: Settings) -> Iterator[BlpoError]:
    """Yield the errors of unusable prompts, unknown models and missing prices; opens no connection."""
    attempts: list[Callable[[], object]] = [
        partial(initial_prompts, settings),
        partial(dump_settings, settings),
        partial(require_vision, settings.models),
        partial(require_prices, settings.models, settings.limits),
        *(partial(chat_model, settings.models.of(role)) for role in ROLES),
    ]
    for attempt in attempts:
        try:
            attempt()
        except BlpoError as error:
            yield error


def require_usable(settings: Settings) -> None:
    """Raise the first error of `unusable`."""
    for error in unusable(settings):
        raise error


def problems(settings: Settings) -> list[str]:
    """Return all problems of the settings and the dataset, a line each; decodes every image."""
    return [*dict.fromkeys(map(str, unusable(settings))), *check_dataset(settings)]
