"""Options for pairs from ratings or ranks."""

from dataclasses import dataclass
from typing import Literal, get_args

from blpo.data.message_text import did_you_mean
from state.errors import ConfigError

Best = Literal["highest", "lowest"]
BESTS: tuple[Best, ...] = get_args(Best)


@dataclass(frozen=True, slots=True)
class PairingOptions:
    """Options for pairs. Raises `ConfigError` for a value out of range."""

    label: str | None = None
    """Column of the rating or rank; None: `data.label`, or for a folder the proposed column."""
    group: str | None = None
    """Column of the group whose images are compared; None: `data.group`, else the text."""
    best: str | None = None
    """Best number: `highest` for ratings, `lowest` for ranks; None: `task.best` of a ranking, else highest."""
    least: float = 0.0
    """Least difference of two numbers for a preference."""
    most: int | None = None
    """Maximum number of pairs of a group, drawn from the seed; None: all."""
    ties: bool = False
    """Keep pairs with a smaller difference, with the label tie. Otherwise such pairs are left out."""
    seed: int = 0
    """Seed of the sides and of the drawn pairs."""
    question: str | None = None
    """First judge prompt; None: the default prompt for pairs."""
    skip_bad_rows: bool = False
    """Leave images out that can't be decoded. Otherwise such images are errors."""

    def __post_init__(self) -> None:
        if self.best is not None and self.best not in BESTS:
            raise ConfigError(f"--best {self.best}: is not {' or '.join(BESTS)}{did_you_mean(self.best, BESTS)}")
        if not 0 <= self.least < float("inf"):
            raise ConfigError(f"--least {self.least:g}: the least difference is a number from 0")
        if self.most is not None and self.most < 1:
            raise ConfigError(f"--most {self.most}: at least one pair of a group is needed")
