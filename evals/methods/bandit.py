"""Bandit over candidate prompts: upper confidence bounds choose the candidates to try on more samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Arm:
    """A candidate with the rewards of its samples."""

    name: str
    samples: int = 0
    total: float = 0.0
    """Sum of the rewards; a sample has one reward."""

    @property
    def mean(self) -> float:
        """Mean reward; 0 before the first sample."""
        return self.total / self.samples if self.samples else 0.0

    def after(self, rewards: Sequence[float]) -> "Arm":
        """Return the arm with these rewards added."""
        return replace(self, samples=self.samples + len(rewards), total=self.total + math.fsum(rewards))


def upper_bound(arm: Arm, pulls: int, exploration: float) -> float:
    """Return mean + exploration * sqrt(log(pulls) / samples), infinite without samples. `pulls` is at least 1."""
    if not arm.samples:
        return math.inf
    return arm.mean + exploration * math.sqrt(math.log(pulls) / arm.samples)


def most_promising(arms: Sequence[Arm], count: int, pulls: int, exploration: float) -> list[Arm]:
    """Return the `count` arms with the highest upper bounds; the earlier arm on a tie."""
    return sorted(arms, key=lambda arm: -upper_bound(arm, pulls, exploration))[:count]


def best(arms: Sequence[Arm], count: int) -> list[Arm]:
    """Return the `count` arms with the highest means among arms with samples; the earlier arm on a tie."""
    return sorted((arm for arm in arms if arm.samples), key=lambda arm: -arm.mean)[:count]
