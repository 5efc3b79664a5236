"""Groups of rows that share something, directly or by way of other rows."""

from collections import defaultdict
from collections.abc import Hashable, Sequence


def indexes_by_value(values: Sequence[Hashable]) -> list[list[int]]:
    """Return lists of indexes with equal values."""
    indexes: dict[Hashable, list[int]] = defaultdict(list)
    for index, value in enumerate(values):
        indexes[value].append(index)
    return list(indexes.values())


def joined_groups(size: int, groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the indexes below `size` in sets, so that no group is divided."""
    parents = list(range(size))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for members in groups:
        for member in members[1:]:
            parents[root(member)] = root(members[0])
    return indexes_by_value([root(index) for index in range(size)])
