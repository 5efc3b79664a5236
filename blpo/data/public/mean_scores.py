"""Sets of images with mean scores of people by several criteria: a column for each criterion."""

from collections.abc import Mapping, Sequence

from blpo.data.labels import as_number, nearest_rating
from blpo.data.message_text import display_text
from blpo.data.public.preparation_options import require_choice
from blpo.data.public.public_set import SetCriterion, SetDescription
from state.settings import TaskSettings


def chosen_criteria(criterion: str | None, criteria: Sequence[SetCriterion], title: str) -> tuple[SetCriterion, ...]:
    """Return the criterion of that name, or all criteria for None. Raises `ConfigError` for an unknown name."""
    if criterion is None:
        return tuple(criteria)
    name = require_choice("--criterion", criterion, [each.name for each in criteria], title)
    return tuple(each for each in criteria if each.name == name)


def score_description(title: str, criteria: tuple[SetCriterion, ...], low: int, high: int) -> SetDescription:
    """Return the description of a set with scores from `low` to `high`, compared with the means as they are."""
    prompt = "" if len(criteria) > 1 else f"Look at the image. Rate {criteria[0].about}, from {low} to {high} (best)."
    name = title if len(criteria) > 1 else f"{title} {criteria[0].name}"
    task = TaskSettings(min=low, max=high, round="none")
    return SetDescription(name, task, prompt, criteria=criteria, has_sample=False)


def mean_score(value: object, column: str, low: float, high: float) -> float:
    """Return a score in [low, high]. Raises `ValueError` for any other value."""
    number = as_number(value)
    if number is None or not low <= number <= high:
        raise ValueError(f"{column} {display_text(value)} is not a number from {low:g} to {high:g}")
    return number


def class_of(scores: Mapping[str, float], criteria: Sequence[SetCriterion]) -> int:
    """Return the nearest rating by the first criterion: the splits are balanced by it."""
    return nearest_rating(scores[criteria[0].column])
