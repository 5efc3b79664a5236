"""Names of the parts of a table, as the hub and the `datasets` library write them: `train-00000-of-00004-0123...`."""

import re
from dataclasses import dataclass

_PART = re.compile(r"(?P<shard>(?P<table>.+?)(?:-(?P<number>\d+)-of-(?P<count>\d+))?)(?:-[0-9a-f]{16})?")


@dataclass(frozen=True, slots=True)
class PartName:
    """Name of a file with a table, or with a part of a table."""

    table: str
    """Name without number and hash: `train`."""
    shard: str
    """Name without hash: `train-00000-of-00004`."""
    number: int = 0
    """Number of the part, from 0."""
    count: int = 0
    """Number of parts; 0 for a whole table."""


def part_name(stem: str) -> PartName:
    """Read the name of a file, without the suffix."""
    match = _PART.fullmatch(stem)
    if match is None:
        return PartName(stem, stem)
    return PartName(match["table"], match["shard"], int(match["number"] or 0), int(match["count"] or 0))
