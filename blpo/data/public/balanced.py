"""Class-balanced samples in disjoint splits: so many rows of each stratum in each split, groups never divided.

All rows are first divided among the splits in the proportions wanted; groups are then moved where a split lacks a
stratum; last, each split draws its rows, spread over as many groups as there are. All of it follows from the seed and
the records' ids, strata and groups, never from their order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from blpo.data.public.record import Record
from blpo.data.splits import assign_splits, seeded
from state.sample import Sample, SplitName

Need = Mapping[SplitName, Mapping[str, int]]
"""Rows by split and stratum."""


def draw_balanced(records: Sequence[Record], need: Need, seed: int) -> dict[str, SplitName]:
    """Return the split of each drawn record's id: as many as needed, or all there are where groups stand in the way."""
    pools = _divided(
        [record for record in records if any(part.get(record.stratum) for part in need.values())], need, seed
    )
    drawn: dict[str, SplitName] = {}
    for split, pool in pools.items():
        for stratum, wanted in need[split].items():
            rows = [record for record in pool if record.stratum == stratum]
            drawn |= dict.fromkeys(_spread(rows, wanted, seed), split)
    return drawn


def reduced(need: Need, available: Mapping[str, int]) -> dict[SplitName, dict[str, int]]:
    """Lower the need of each stratum to what is available, each split's share of it kept."""
    lowered: dict[SplitName, dict[str, int]] = {split: {} for split in need}
    for stratum in dict.fromkeys(name for part in need.values() for name in part):
        wanted = {split: part.get(stratum, 0) for split, part in need.items()}
        for split, count in shared_out(min(available.get(stratum, 0), sum(wanted.values())), wanted).items():
            lowered[split][stratum] = count
    return lowered


def shared_out(total: int, shares: Mapping[SplitName, float]) -> dict[SplitName, int]:
    """Split `total` into whole numbers in proportion to `shares`, by the largest remainders."""
    exact = {split: total * share / sum(shares.values()) for split, share in shares.items()}
    counts = {split: int(value) for split, value in exact.items()}
    by_remainder = sorted(exact, key=lambda split: counts[split] - exact[split])
    for split in by_remainder[: total - sum(counts.values())]:
        counts[split] += 1
    return counts


def _divided(records: Sequence[Record], need: Need, seed: int) -> dict[SplitName, list[Record]]:
    """All records by split, no group in two."""
    shares = {split: float(total) for split, part in need.items() if (total := sum(part.values()))}
    if not records or not shares:
        return {}
    samples = [Sample(record.id, (), record.stratum, group=record.group) for record in records]
    place = assign_splits(samples, shares, seed)
    units = defaultdict(list)
    for record in records:
        units[record.group or f"id {record.id}"].append(record)
    groups = [_Group(members, place[members[0].id]) for members in units.values()]
    _move_to_lacking(sorted(groups, key=lambda group: seeded(seed, "move", group.key)), need)
    pools: dict[SplitName, list[Record]] = {split: [] for split in shares}
    for group in groups:
        pools[group.split] += group.members
    return pools


class _Group:
    """What is moved as one."""

    def __init__(self, members: Sequence[Record], split: SplitName) -> None:
        self.members = members
        self.split = split
        self.strata = Counter(member.stratum for member in members)
        self.key = min(member.id for member in members)


def _move_to_lacking(groups: Sequence[_Group], need: Need) -> None:
    """Move groups while a move lowers what all splits lack together."""
    have: dict[SplitName, Counter[str]] = {split: Counter() for split in need}
    for group in groups:
        have[group.split].update(group.strata)

    def lack(split: SplitName, strata: Iterable[str], change: Mapping[str, int], sign: int) -> int:
        part = need[split]
        return sum(max(0, part.get(name, 0) - have[split][name] - sign * change[name]) for name in strata)

    def relief(group: _Group, split: SplitName) -> int:
        both, none = group.strata, Counter[str]()
        before = lack(group.split, both, none, 0) + lack(split, both, none, 0)
        return before - lack(group.split, both, both, -1) - lack(split, both, both, 1)

    for split, part in need.items():
        for stratum in part:
            while have[split][stratum] < part[stratum]:
                movable = [group for group in groups if group.split != split and group.strata[stratum]]
                best = max(movable, key=lambda group: relief(group, split), default=None)
                if best is None or relief(best, split) <= 0:
                    break
                have[best.split].subtract(best.strata)
                have[split].update(best.strata)
                best.split = split


def _spread(rows: Iterable[Record], wanted: int, seed: int) -> list[str]:
    """At most `wanted` ids: the first row of every group before the second of any."""
    ranks: Counter[str | None] = Counter()
    order: list[tuple[int, int, str]] = []
    for record in sorted(rows, key=lambda record: seeded(seed, "draw", record.id)):
        order.append((ranks[record.group] if record.group is not None else 0, len(order), record.id))
        ranks[record.group] += 1
    return [name for _, _, name in sorted(order)[:wanted]]
