"""A bandit over candidate prompts: upper confidence bounds decide which of them is tried on more samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Arm:
    """A candidate, and what its samples have shown."""

    name: str
    samples: int = 0
    total: float = 0.0
    """Sum of the rewards, one a sample."""

    @property
    def mean(self) -> float:
        """The mean reward; 0 before the first sample."""
        return self.total / self.samples if self.samples else 0.0

    def after(self, rewards: Sequence[float]) -> "Arm":
        """The arm with these rewards added."""
        return replace(self, samples=self.samples + len(rewards), total=self.total + math.fsum(rewards))


def upper_bound(arm: Arm, pulls: int, exploration: float) -> float:
    """Mean + exploration * sqrt(log(pulls) / samples); infinite for an arm without samples. `pulls` is at least 1."""
    if not arm.samples:
        return math.inf
    return arm.mean + exploration * math.sqrt(math.log(pulls) / arm.samples)


def most_promising(arms: Sequence[Arm], count: int, pulls: int, exploration: float) -> list[Arm]:
    """The `count` arms with the highest upper bounds, the earlier on a tie."""
    return sorted(arms, key=lambda arm: -upper_bound(arm, pulls, exploration))[:count]


def best(arms: Sequence[Arm], count: int) -> list[Arm]:
    """The `count` arms with the highest means among those with samples, the earlier on a tie."""
    return sorted((arm for arm in arms if arm.samples), key=lambda arm: -arm.mean)[:count]
