"""Options of `prepare`. An option that does not apply to a set is refused, never ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from blpo.data.message_text import did_you_mean
from state.errors import ConfigError

Sampling = Literal["paper", "mt-rl-judge", "all"]
SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)


@dataclass(frozen=True, slots=True)
class Options:
    """Options for the preparation of a public set. None or empty: the default of the set."""

    sample: str = "paper"
    """`paper`: class-balanced as in the paper; `mt-rl-judge`: its yes/no labels and counts; `all`: every row."""
    seed: int = 0
    """Seed of all draws."""
    criterion: str | None = None
    """Human rating that becomes the label, for a set with several ratings."""
    form: str | None = None
    """Form or part of the set: `ratings` of single images or `pairs` of ImageRewardDB, `t2i` or `edit` of MMRB2."""
    scale: tuple[float, float] | None = None
    """Lowest and highest mean opinion score, for a source without documented bounds."""
    subsets: tuple[str, ...] = ()
    """Files or splits to read, by name; empty: the usual ones."""
    skip_bad_rows: bool = False
    """Leave faulty rows out and list them in source.json. Otherwise faulty rows are errors."""
    take_fewer: bool = False
    """Accept a sample with fewer rows. Otherwise too few rows are an error."""
    ties: bool = False
    """Keep pairs without a preferred side, with the label tie. Otherwise such pairs are left out."""


def require_choice(name: str, value: str | None, choices: Sequence[str], of: str) -> str:
    """Return `value`, or the first of `choices` for None. Raises `ConfigError` for a value outside `choices`."""
    if value is None or value in choices:
        return value or choices[0]
    raise ConfigError(f"{name} {value}: {of} has {', '.join(choices)}{did_you_mean(value, choices)}")


def refuse_options(options: Mapping[str, object], of: str) -> None:
    """Raise `ConfigError` for the first option with a value. `options` maps names on the command line to values."""
    for name, value in options.items():
        if value:
            raise ConfigError(f"{name} does not apply to {of}; leave the option out")
