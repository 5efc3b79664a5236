"""Shards of the parts, for batch systems: 3/16 is the third of sixteen."""

from dataclasses import dataclass
from typing import Self, TypeVar

from state.errors import ConfigError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number` of `count`, from 1."""

    number: int = 1
    count: int = 1

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `3/16`; raises `ConfigError`."""
        number, slash, count = text.partition("/")
        if slash and number.isascii() and count.isascii() and number.isdigit() and count.isdigit():
            shard = cls(int(number), int(count))
            if 1 <= shard.number <= shard.count:
                return shard
        raise ConfigError(f"--shard {text}: is no shard; write the number and the count, as in 3/16")

    @property
    def name(self) -> str:
        """Name of the shard's folder; empty without shards."""
        return f"shard-{self.number}-of-{self.count}" if self.count > 1 else ""

    def of(self, items: list[_T]) -> list[_T]:
        """Return the shard's items: every `count`th, so that all shards get equal shares of every file."""
        return items[self.number - 1 :: self.count]
