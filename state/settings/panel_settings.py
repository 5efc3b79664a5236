"""Setting `models.panel`: how the answers of several judges give one verdict."""

from typing import Annotated, Literal

from pydantic import Field

from state.settings.section import Section
from state.settings.task_settings import TaskSettings

Rule = Literal["majority", "mean", "weighted"]


class PanelSettings(Section):
    """Rule of a panel: several judges (`models.judges`) that answer the same question."""

    rule: Rule = "majority"
    """majority: the most frequent answer. mean: the mean rating, rounded, or the mean ranks. weighted: the answer with
    the largest sum of weights."""
    quorum: Annotated[int, Field(ge=1)] | None = None
    """Fewest answers without an error behind a verdict; null: more than half of all."""
    discussion: bool = False
    """True: where judges differ, each reads the answers and reasons of the others and answers again."""
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Weights by judge for `rule: weighted`; null: learned on the validation split, under the first judge prompt."""

    def needed(self, answers: int) -> int:
        """Return the fewest answers without an error behind a verdict, of so many answers."""
        return self.quorum or answers // 2 + 1

    def problem(self, task: TaskSettings | None, *, asks_once: bool) -> str | None:
        """Return the problem of the panel with a task; None for a usable panel. `task` is None for several tasks.

        `asks_once`: several criteria share a request.
        """
        if self.discussion and asks_once:
            return "models.panel.discussion: is about one label at a time; set criteria_calls: each"
        if self.rule == "weighted" and (task is None or task.kind == "ranking"):
            return "models.panel.rule: weighted needs a single task with labels; use majority, or mean for ratings"
        if self.rule == "mean" and task is not None and task.kind not in ("ordinal", "ranking"):
            return f"models.panel.rule: mean is of ratings, not of task.kind: {task.kind}; use majority"
        return None
