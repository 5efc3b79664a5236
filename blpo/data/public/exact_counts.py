"""Splits with exact numbers of two labels that divide no group: a seeded choice of groups with the right sums."""

from collections import defaultdict
from collections.abc import Sequence

from blpo.data.public.public_set import Counts, Record
from blpo.data.splits import seeded
from state.sample import SplitName

_EXACT_ROWS = 400
"""The last rows of a split are chosen among all combinations of groups, the rows before in the order of the draw."""

_Pair = tuple[int, int]
"""Rows of the first and of the second label."""


def draw_counts(records: Sequence[Record], need: Counts, seed: int) -> dict[str, SplitName]:
    """Return the split of every drawn record's id. `need` has the same two labels in every split.

    A split has fewer rows of a label only if no groups add up to its numbers.
    """
    if not need:
        return {}
    first, second = next(iter(need.values()))
    units: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        units[f"group {record.group}" if record.group else f"id {record.id}"].append(record)
    keys = sorted(units, key=lambda key: seeded(seed, "sizes", key))
    splits: dict[str, SplitName] = {}
    for split, part in sorted(need.items(), key=lambda item: sum(item[1].values())):
        vectors = [_vector(units[key], first) for key in keys]
        places = _places_with_sums(vectors, (part[first], part[second]))
        splits |= {record.id: split for i in places for record in units[keys[i]]}
        keys = [key for i, key in enumerate(keys) if i not in places]
    return splits


def _vector(records: Sequence[Record], first: str) -> _Pair:
    number = sum(record.label == first for record in records)
    return number, len(records) - number


def _places_with_sums(vectors: Sequence[_Pair], target: _Pair) -> set[int]:
    """Return places with vectors that sum to `target`, or to a near reachable sum below. Early places first."""
    everything = set(range(len(vectors)))
    spare = _minus(_sum(vectors), target)
    if min(spare) >= 0 and sum(spare) < sum(target):
        rest = _chosen(vectors, spare)
        if _sum([vectors[i] for i in rest]) == spare:
            return everything - rest
    return everything if max(spare) <= 0 else _chosen(vectors, target)


def _chosen(vectors: Sequence[_Pair], target: _Pair) -> set[int]:
    places: set[int] = set()
    for i, vector in enumerate(vectors):
        if sum(target) <= _EXACT_ROWS:
            break
        if min(_minus(target, vector)) >= 0:
            places.add(i)
            target = _minus(target, vector)
    others = [i for i in range(len(vectors)) if i not in places]
    return places | {others[i] for i in _combination([vectors[i] for i in others], target)}


def _combination(vectors: Sequence[_Pair], target: _Pair) -> set[int]:
    """Return places with the reachable sum nearest to `target`, by dynamic programming over both sums."""
    fitting = [i for i, vector in enumerate(vectors) if min(_minus(target, vector)) >= 0]
    width = target[1] + max((vectors[i][1] for i in fitting), default=0) + 1
    row = (1 << (target[1] + 1)) - 1
    mask = sum(row << (x * width) for x in range(target[0] + 1))
    goal = target[0] * width + target[1]
    reachable = [1]  # bit x * width + y of reachable[i]: some of the first i vectors sum to (x, y)
    for i in fitting:
        x, y = vectors[i]
        reachable.append((reachable[-1] | reachable[-1] << (x * width + y)) & mask)
        if reachable[-1] >> goal & 1:
            break
    bit = _nearest_bit(reachable[-1], target, width, row)
    places = set()
    for step in range(len(reachable) - 1, 0, -1):
        if not reachable[step - 1] >> bit & 1:
            x, y = vectors[fitting[step - 1]]
            places.add(fitting[step - 1])
            bit -= x * width + y
    return places


def _nearest_bit(reachable: int, target: _Pair, width: int, row: int) -> int:
    """Return the bit of the largest sum of both labels."""
    highest = [((reachable >> (x * width)) & row).bit_length() - 1 for x in range(target[0] + 1)]
    _, x = max((x + y, x) for x, y in enumerate(highest) if y >= 0)
    return x * width + highest[x]


def _sum(vectors: Sequence[_Pair]) -> _Pair:
    return sum(x for x, _ in vectors), sum(y for _, y in vectors)


def _minus(first: _Pair, second: _Pair) -> _Pair:
    return first[0] - second[0], first[1] - second[1]
