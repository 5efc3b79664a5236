"""Other ways to rank lists, beside BLPO with all images of a list in one request (`task.kind: ranking`).

Neither makes a search. `pointwise_sort` rates each image alone by the default prompt for ratings, and sorts the
ratings. `bradley_terry` compares every two images in both orders by the default prompt for pairs, and sorts the
strengths of the model of Bradley and Terry: 56 requests for a list of eight images. Equal ratings and strengths are
ties (`blpo.inference.list_parts`).
"""

from functools import partial
from typing import Literal

from evals.methods.method import Method
from graph.outer import builder
from state.errors import ConfigError
from state.settings import PromptSettings, Settings


def _require_lists(name: str, settings: Settings) -> None:
    if settings.task.kind != "ranking":
        raise ConfigError(f"method {name}: needs lists (task.kind: ranking)")


def _by_parts(order: Literal["apart", "pairs"], settings: Settings) -> Settings:
    """Return the settings to judge the parts of a list; `prompts` of the dataset are about lists, and left out."""
    task = settings.task.model_copy(update={"order": order})
    return settings.model_copy(update={"task": task, "prompts": PromptSettings()})


def _method(name: str, title: str, order: Literal["apart", "pairs"]) -> Method:
    return Method(
        name,
        title,
        builder,
        defining=lambda settings: {"outer_rounds": 0},
        require=partial(_require_lists, name),
        judging=partial(_by_parts, order),
        rule=lambda settings: "",
    )


POINTWISE_SORT = _method("pointwise_sort", "ratings sorted", "apart")
BRADLEY_TERRY = _method("bradley_terry", "pairs, Bradley-Terry", "pairs")
