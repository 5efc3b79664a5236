"""Weights of a panel's members, learned once a run: on the validation split, under the first judge prompt.

All prompts of a run are compared under the same weights: f(x; p) stays one function. The validation split is judged
under the first prompt anyway, so the weights cost no call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.inference.votes import votes_of
from blpo.metrics.vote_weights import vote_weight
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict


@dataclass(slots=True)
class PanelWeights:
    """Weights of an open run's panel."""

    judge_prompt: str
    """p_0."""
    samples: Sequence[Sample]
    """Validation split."""
    values: tuple[float, ...] | None = None
    """Weights by member; None: not yet learned."""


def learns_weights(settings: Settings) -> bool:
    """Return True if a run of these settings learns the weights of a panel."""
    panel = settings.models.panel
    return panel is not None and panel.rule == "weighted" and panel.weights is None


def learned_weights(verdicts: Sequence[Verdict], samples: Sequence[Sample], settings: Settings) -> tuple[float, ...]:
    """Return the weights of all members from the panel's verdicts on labelled samples. Errors are no answers."""
    pairs = [
        (vote, sample.label)
        for verdict, sample in zip(verdicts, samples, strict=True)
        for votes in votes_of(verdict)
        for vote in votes
        if vote.status != "error"
    ]
    own = {name: [vote.label == label for vote, label in pairs if vote.member == name] for name in _names(settings)}
    return tuple(round(vote_weight(sum(each), len(each), len(settings.task.values)), 6) for each in own.values())


def with_weights(settings: Settings, weights: tuple[float, ...]) -> Settings:
    """Return the settings with weights of the panel."""
    panel = settings.models.panel
    assert panel is not None
    models = settings.models.model_copy(update={"panel": panel.model_copy(update={"weights": weights})})
    return settings.model_copy(update={"models": models})


def _names(settings: Settings) -> tuple[str, ...]:
    return settings.models.member_names
