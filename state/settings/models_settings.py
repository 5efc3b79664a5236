"""Section `models`: the models of the three roles, and the panel where several judges answer."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from state.settings.model_settings import ModelSettings
from state.settings.panel_settings import PanelSettings
from state.settings.section import Section

_EMBEDDED_VERBALIZER, _EMBEDDED_OPTIMIZER = (
    ModelSettings(name=f"embedded:{role}") for role in ("verbalizer", "optimizer")
)
_MEMBER = "judges."
"""Begin of the role of a panel's member; the place of the member follows."""


def counted_role(role: str) -> str:
    """Return the role that counts the calls of `role`: a member of a panel, as `judges.1`, is a judge."""
    return "judge" if role.startswith(_MEMBER) else role


class ModelsSettings(Section):
    """The three roles."""

    judge: ModelSettings = ModelSettings(name="embedded:judge")
    """The first of `judges` where several are given."""
    judges: Annotated[tuple[ModelSettings, ...], Field(max_length=9)] = ()
    """Members of a panel, which answer the same questions; empty: one judge."""
    panel: PanelSettings | None = None
    """Rule of the panel; null: one judge."""
    verbalizer: ModelSettings | None = None
    """null: the judge's model."""
    optimizer: ModelSettings | None = None
    """null: `embedded:optimizer` if the judge is embedded; for other judges an optimizer is required."""

    @model_validator(mode="after")
    def _panel_is_consistent(self) -> Self:
        if self.judges and "judge" not in self.model_fields_set:
            vars(self)["judge"] = self.judges[0]  # not marked as set
        if self.judges and self.panel is None:
            vars(self)["panel"] = PanelSettings()
        if problem := panel_problem(self.judge, self.judges, self.panel):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _optimizer_is_explicit(self) -> Self:
        served = next((each.name for each in self.judges or (self.judge,) if not each.name.startswith("embedded:")), "")
        if self.optimizer is None and served:
            raise ValueError(f"optimizer must be given where the judge, {served}, is no embedded: model")
        return self

    @model_validator(mode="after")
    def _only_the_judge_votes_and_gives_reasons(self) -> Self:
        for role in ("verbalizer", "optimizer"):
            own = getattr(self, role)
            if own is not None and own.votes > 1:
                raise ValueError(f"{role}.votes: only the judge gives votes; take votes out of models.{role}")
            if own is not None and own.reason != "before":
                raise ValueError(f"{role}.reason: only the judge gives reasons; take reason out of models.{role}")
        return self

    @property
    def judge_roles(self) -> tuple[str, ...]:
        """Roles of all judges: `judge`, or `judges.0`, `judges.1` ... for a panel."""
        return tuple(f"{_MEMBER}{place}" for place in range(len(self.judges))) or ("judge",)

    @property
    def roles(self) -> tuple[str, ...]:
        """Roles of all models."""
        return (*self.judge_roles, "verbalizer", "optimizer")

    @property
    def answers(self) -> int:
        """Answers to every question: those of all judges, with their votes."""
        return sum(self.of(role).votes for role in self.judge_roles)

    @property
    def calls(self) -> int:
        """Most calls for a question, repairs not counted: one an answer, and another in a discussion."""
        return 2 * self.answers if self.panel and self.panel.discussion else self.answers

    @property
    def judge_name(self) -> str:
        """Name of the judge; of a panel its rule and the names of its members."""
        if self.panel is None:
            return self.judge.name
        talk = " after a discussion" if self.panel.discussion else ""
        return f"{self.panel.rule} of {', '.join(self.member_names)}{talk}"

    @property
    def member_names(self) -> tuple[str, ...]:
        """Names of a panel's members, each different: a repeated name gets a number. Empty for one judge."""
        names = [each.name for each in self.judges]
        before = [names[:place].count(name) for place, name in enumerate(names)]
        return tuple(f"{name} #{count + 1}" if count else name for name, count in zip(names, before, strict=True))

    def of(self, role: str) -> ModelSettings:
        """Return the settings of a role, with defaults resolved; of `judge` those of a panel's first member."""
        if role.startswith(_MEMBER):
            return self.judges[int(role.removeprefix(_MEMBER))]
        embedded = self.judge.name.startswith("embedded:")
        if role == "judge":
            return self.judge
        if role == "verbalizer":
            return self.verbalizer or (_EMBEDDED_VERBALIZER if embedded else self.judge)
        return self.optimizer or _EMBEDDED_OPTIMIZER


def panel_problem(judge: ModelSettings, judges: tuple[ModelSettings, ...], panel: PanelSettings | None) -> str | None:
    """Return the problem of a panel with the first member `judge`; None for a usable panel, and for one judge."""
    if panel is None or not judges:
        return "panel: needs several models in models.judges" if panel else None
    if len(judges) == 1:
        return "judges: a panel has at least two; name one judge in models.judge"
    if judge != judges[0]:
        return "judges: a panel has no single judge; take out models.judge, or models.judges"
    alone = [each.model_copy(update={"votes": 1}) for each in judges]
    if repeated := next((each.name for place, each in enumerate(alone) if each in alone[:place]), None):
        return f"judges: {repeated} is there twice; several answers of one judge are its votes"
    if len({each.confidence for each in judges}) > 1 or judges[0].confidence == "words":
        return "judges: need the same confidence, logprobs or repeats, or none"
    if len({each.reason for each in judges}) > 1:
        return "judges: need the same reason: before, after or none"
    answers = sum(each.votes for each in judges)
    if panel.quorum is not None and panel.quorum > answers:
        return f"panel.quorum: {panel.quorum} answers of {answers} can't be"
    if panel.weights is not None and (panel.rule != "weighted" or len(panel.weights) != len(judges)):
        return "panel.weights: need rule: weighted, and a number for each of models.judges"
    return None
