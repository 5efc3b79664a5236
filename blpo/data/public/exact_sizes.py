"""Splits of exact sizes that divide no group: a seeded choice of groups whose sizes add up."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from blpo.data.public.record import Record
from blpo.data.splits import seeded
from state.sample import SplitName


def draw_sizes(records: Sequence[Record], sizes: Mapping[SplitName, int], seed: int) -> dict[str, SplitName]:
    """Return the split of each drawn record's id; a split is smaller only where no groups add up to its size."""
    units: dict[str, list[str]] = defaultdict(list)
    for record in records:
        units[f"group {record.group}" if record.group else f"id {record.id}"].append(record.id)
    left = sorted(units, key=lambda key: seeded(seed, "sizes", key))
    drawn: dict[str, SplitName] = {}
    for split, size in sorted(sizes.items(), key=lambda item: item[1]):
        taken = _adding_up([len(units[key]) for key in left], size)
        drawn |= {name: split for i in taken for name in units[left[i]]}
        left = [key for i, key in enumerate(left) if i not in taken]
    return drawn


def _adding_up(sizes: Sequence[int], target: int) -> set[int]:
    """Positions whose sizes sum to `target`, or to the most below it that can be reached; early ones are preferred."""
    mask = (1 << (target + 1)) - 1
    reached = [1]  # bit s of reached[i]: some of the first i sizes sum to s
    for size in sizes:
        reached.append((reached[-1] | reached[-1] << size) & mask)
        if reached[-1] >> target & 1:
            break
    total = reached[-1].bit_length() - 1
    taken = set()
    for i in range(len(reached) - 1, 0, -1):
        if not reached[i - 1] >> total & 1:
            taken.add(i - 1)
            total -= sizes[i - 1]
    return taken
