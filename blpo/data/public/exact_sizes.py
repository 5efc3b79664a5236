"""Splits of exact sizes that divide no group: a seeded choice of groups with the right sum of sizes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from blpo.data.public.public_set import Record
from blpo.data.splits import seeded
from state.sample import SplitName


def draw_sizes(records: Sequence[Record], sizes: Mapping[SplitName, int], seed: int) -> dict[str, SplitName]:
    """Return the split of every drawn record's id. A split is smaller only if no groups add up to its size."""
    units: dict[str, list[str]] = defaultdict(list)
    for record in records:
        units[f"group {record.group}" if record.group else f"id {record.id}"].append(record.id)
    keys = sorted(units, key=lambda key: seeded(seed, "sizes", key))
    splits: dict[str, SplitName] = {}
    for split, size in sorted(sizes.items(), key=lambda item: item[1]):
        places = _places_with_sum([len(units[key]) for key in keys], size)
        splits |= {name: split for i in places for name in units[keys[i]]}
        keys = [key for i, key in enumerate(keys) if i not in places]
    return splits


def _places_with_sum(sizes: Sequence[int], target: int) -> set[int]:
    """Return places with sizes that sum to `target`, or to the nearest reachable sum below. Early places first."""
    mask = (1 << (target + 1)) - 1
    reachable = [1]  # bit s of reachable[i]: some of the first i sizes sum to s
    for size in sizes:
        reachable.append((reachable[-1] | reachable[-1] << size) & mask)
        if reachable[-1] >> target & 1:
            break
    total = reachable[-1].bit_length() - 1
    places = set()
    for i in range(len(reachable) - 1, 0, -1):
        if not reachable[i - 1] >> total & 1:
            places.add(i - 1)
            total -= sizes[i - 1]
    return places
