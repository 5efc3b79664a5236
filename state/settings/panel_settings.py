"""Setting `models.panel`: how the answers of several judges give one verdict."""

from typing import Annotated, Literal

from pydantic import Field

from state.settings.section import Section

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
