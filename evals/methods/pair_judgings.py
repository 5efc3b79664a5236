"""Other ways to judge pairs, beside BLPO in both orders (`task.kind: pairwise`).

`one_order` and `random_order` are BLPO's search with pairs in a single order: as in the data, or drawn. The test is
measured as asked, in the single order. So such a test costs half the calls, and knows no consistent accuracy.
`pointwise` makes no search: the judge rates each of the two images alone by the default prompt for ratings, and the two
ratings are compared. Equal ratings are half right, or a tie if the task has ties.
"""

from functools import partial
from typing import Literal

from evals.methods.method import Method, rule_in_words
from graph.outer import builder
from state.errors import ConfigError
from state.settings import PromptSettings, Settings


def _require_pairs(name: str, settings: Settings) -> None:
    if settings.task.kind != "pairwise":
        raise ConfigError(f"method {name}: needs pairs (task.kind: pairwise)")


def _single_order(name: str, title: str, order: Literal["one", "random"], words: str) -> Method:
    """Return BLPO's search with pairs in a single order."""
    return Method(
        name,
        title,
        builder,
        require=partial(_require_pairs, name),
        judging=partial(_in_order, order),
        rule=lambda settings: f"{rule_in_words(settings)}, {words}",
    )


def _in_order(order: Literal["one", "random"], settings: Settings) -> Settings:
    return settings.model_copy(update={"task": settings.task.model_copy(update={"order": order})})


def _apart(settings: Settings) -> Settings:
    """Return the settings to rate each image alone; `prompts` of the dataset are about pairs, so they are left out."""
    task = settings.task.model_copy(update={"order": "apart"})
    return settings.model_copy(update={"task": task, "prompts": PromptSettings()})


ONE_ORDER = _single_order("one_order", "BLPO, one order", "one", "pairs in one order")
RANDOM_ORDER = _single_order("random_order", "BLPO, random order", "random", "pairs in a random order")
POINTWISE = Method(
    "pointwise",
    "two ratings compared",
    builder,
    defining=lambda settings: {"outer_rounds": 0},
    require=partial(_require_pairs, "pointwise"),
    judging=_apart,
    rule=lambda settings: "",
)
