"""Checks of the settings before a run directory is created and before the first request."""

from collections.abc import Callable, Iterator
from functools import partial

from blpo.config.settings_file import dump_settings
from blpo.config.tracker_requirements import require_tracker
from blpo.data.dataset import most_images_of
from blpo.data.dataset_check import check_dataset
from blpo.inference.initial_prompts import initial_prompts
from blpo.models.registry import chat_model
from blpo.models.role_checks import (
    limits_images,
    require_images,
    require_labels_for_scores,
    require_prices,
    require_vision,
)
from state.errors import BlpoError
from state.settings import Settings


def unusable(settings: Settings) -> Iterator[BlpoError]:
    """Yield the errors of unusable prompts, unknown models, missing prices and trackers; opens no connection."""
    yield from _errors(
        partial(initial_prompts, settings),
        partial(dump_settings, settings),
        partial(require_vision, settings.models),
        partial(_require_images, settings),
        partial(require_prices, settings.models, settings.limits),
        partial(require_tracker, settings),
        *(partial(chat_model, settings.models.of(role)) for role in settings.models.roles),
    )


def unusable_for_a_new_run(settings: Settings) -> Iterator[BlpoError]:
    """Yield the errors of `unusable`, and of settings that older versions took: runs with such settings can go on."""
    yield from unusable(settings)
    yield from _errors(partial(require_labels_for_scores, settings.models))


def require_usable(settings: Settings) -> None:
    """Raise the first error of `unusable`."""
    for error in unusable(settings):
        raise error


def require_usable_for_a_new_run(settings: Settings) -> None:
    """Raise the first error of `unusable_for_a_new_run`."""
    for error in unusable_for_a_new_run(settings):
        raise error


def problems(settings: Settings) -> list[str]:
    """Return all problems of the settings and the dataset, a line each; decodes every image."""
    return [*dict.fromkeys(map(str, unusable_for_a_new_run(settings))), *check_dataset(settings)]


def _require_images(settings: Settings) -> None:
    if not limits_images(settings):  # the labels need not be read here
        return
    for own in map(settings.of_task, settings.task_names or ("",)):
        require_images(own, most_images_of(own))


def _errors(*attempts: Callable[[], object]) -> Iterator[BlpoError]:
    for attempt in attempts:
        try:
            attempt()
        except BlpoError as error:
            yield error
