"""What `prepare` is asked for; a choice that a set does not have is refused, never ignored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from blpo.data.message_text import did_you_mean
from state.errors import ConfigError

Sampling = Literal["paper", "mt-rl-judge", "all"]
SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)


@dataclass(frozen=True, slots=True)
class Options:
    """How a public set is prepared. None or empty: the set's own default."""

    sample: str = "paper"
    """`paper`: class-balanced as in the paper; `mt-rl-judge`: the sizes of those splits; `all`: every row."""
    seed: int = 0
    """Every draw follows from it."""
    criterion: str | None = None
    """Which of several human ratings is the label."""
    form: str | None = None
    """`ratings` of single images, or `pairs` of which one is preferred."""
    scale: tuple[float, float] | None = None
    """Lowest and highest mean opinion score, where the source does not document them."""
    subsets: tuple[str, ...] = ()
    """The files to read, by name without suffix; empty: all."""
    skip_bad_rows: bool = False
    """Leave rows out that can't be used, and list them in source.json; else they are errors."""
    take_fewer: bool = False
    """Take what there is where the sample asks for more; else that is an error."""


def chosen(name: str, value: str | None, choices: Sequence[str], of: str) -> str:
    """Return `value`, the first of `choices` for None; raises `ConfigError` for any other."""
    if value is None or value in choices:
        return value or choices[0]
    raise ConfigError(f"{name} {value}: {of} has {', '.join(choices)}{did_you_mean(value, choices)}")


def refuse(given: Mapping[str, object], of: str) -> None:
    """Raise `ConfigError` for the first setting in `given` (by the option's name) that has a value."""
    for name, value in given.items():
        if value:
            raise ConfigError(f"{name} does not apply to {of}; leave it out")
