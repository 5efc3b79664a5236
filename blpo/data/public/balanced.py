"""Class-balanced samples in disjoint splits: a fixed number of rows of a stratum in a split. Groups are never divided.

First all rows are divided among the splits, in proportion to the need. Then groups move to splits that lack a stratum.
Last, a split draws its rows, spread over as many groups as possible. All draws follow from the seed and from the
records' ids, strata and groups, never from the order of records.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from blpo.data.public.public_set import Counts, Record
from blpo.data.splits import assign_splits, seeded
from state.sample import Sample, SplitName

Need = Mapping[SplitName, Mapping[str, int]]
"""Rows by split and stratum."""


def draw_balanced(records: Sequence[Record], need: Need, seed: int) -> dict[str, SplitName]:
    """Return the split of every drawn record's id: as many rows as needed, or fewer if groups stand in the way."""
    pools = _divided(
        [record for record in records if any(part.get(record.stratum) for part in need.values())], need, seed
    )
    splits: dict[str, SplitName] = {}
    for split, pool in pools.items():
        for stratum, count in need[split].items():
            rows = [record for record in pool if record.stratum == stratum]
            splits |= dict.fromkeys(_spread(rows, count, seed), split)
    return splits


def reduce_need(need: Need, available: Mapping[str, int]) -> dict[SplitName, dict[str, int]]:
    """Lower the need of every stratum to the available rows. The shares of the splits stay."""
    reduced: dict[SplitName, dict[str, int]] = {split: {} for split in need}
    for stratum in dict.fromkeys(name for part in need.values() for name in part):
        shares = {split: part.get(stratum, 0) for split, part in need.items()}
        for split, count in apportion(min(available.get(stratum, 0), sum(shares.values())), shares).items():
            reduced[split][stratum] = count
    return reduced


def apportion(total: int, shares: Mapping[SplitName, float]) -> dict[SplitName, int]:
    """Divide `total` into whole numbers in proportion to `shares`, by the largest remainders."""
    exact = {split: total * share / sum(shares.values()) for split, share in shares.items()}
    counts = {split: int(value) for split, value in exact.items()}
    by_remainder = sorted(exact, key=lambda split: counts[split] - exact[split])
    for split in by_remainder[: total - sum(counts.values())]:
        counts[split] += 1
    return counts


def fitting_counts(counts: Counts, available: Mapping[str, int]) -> dict[SplitName, dict[str, int]]:
    """Adapt counts of two labels to the available rows: first the sizes of the splits, then the labels.

    With enough rows the sizes stay. Missing rows of a label are replaced by rows of the other label.
    """
    first, second = next(iter(counts.values()))
    rows = sum(available.values())
    published = {split: sum(part.values()) for split, part in counts.items()}
    total = sum(published.values())
    sizes = apportion(min(rows, total), published)
    firsts = {split: part[first] for split, part in counts.items()}
    size = sum(sizes.values())
    quota = round(sum(firsts.values()) * size / total)
    number = max(size - available.get(second, 0), min(quota, available.get(first, 0)))
    if size < total or number != sum(firsts.values()):
        firsts = _within(apportion(number, firsts), sizes, number)
    return {split: {first: firsts[split], second: sizes[split] - firsts[split]} for split in counts}


def _within(numbers: Mapping[SplitName, int], sizes: Mapping[SplitName, int], total: int) -> dict[SplitName, int]:
    """Lower numbers to the sizes of the splits, and move the excess to splits with room."""
    lowered = {split: min(number, sizes[split]) for split, number in numbers.items()}
    for split in lowered:
        lowered[split] += min(total - sum(lowered.values()), sizes[split] - lowered[split])
    return lowered


def _divided(records: Sequence[Record], need: Need, seed: int) -> dict[SplitName, list[Record]]:
    """Return all records by split. No group is in two splits."""
    shares = {split: float(total) for split, part in need.items() if (total := sum(part.values()))}
    if not records or not shares:
        return {}
    samples = [Sample(record.id, (), record.stratum, group=record.group) for record in records]
    splits = assign_splits(samples, shares, seed)
    units = defaultdict(list)
    for record in records:
        units[record.group or f"id {record.id}"].append(record)
    groups = [_Group(members, splits[members[0].id]) for members in units.values()]
    _move_to_lacking(sorted(groups, key=lambda group: seeded(seed, "move", group.key)), need)
    pools: dict[SplitName, list[Record]] = {split: [] for split in shares}
    for group in groups:
        pools[group.split] += group.members
    return pools


class _Group:
    """Records that move together."""

    def __init__(self, members: Sequence[Record], split: SplitName) -> None:
        self.members = members
        self.split = split
        self.strata = Counter(member.stratum for member in members)
        self.key = min(member.id for member in members)


def _move_to_lacking(groups: Sequence[_Group], need: Need) -> None:
    """Move groups while a move lowers the total lack of all splits."""
    counts: dict[SplitName, Counter[str]] = {split: Counter() for split in need}
    for group in groups:
        counts[group.split].update(group.strata)

    def lack(split: SplitName, strata: Iterable[str], change: Mapping[str, int], sign: int) -> int:
        part = need[split]
        return sum(max(0, part.get(name, 0) - counts[split][name] - sign * change[name]) for name in strata)

    def relief(group: _Group, split: SplitName) -> int:
        strata, none = group.strata, Counter[str]()
        before = lack(group.split, strata, none, 0) + lack(split, strata, none, 0)
        return before - lack(group.split, strata, strata, -1) - lack(split, strata, strata, 1)

    for split, part in need.items():
        for stratum in part:
            while counts[split][stratum] < part[stratum]:
                movable = [group for group in groups if group.split != split and group.strata[stratum]]
                best = max(movable, key=lambda group: relief(group, split), default=None)
                if best is None or relief(best, split) <= 0:
                    break
                counts[best.split].subtract(best.strata)
                counts[split].update(best.strata)
                best.split = split


def _spread(rows: Iterable[Record], count: int, seed: int) -> list[str]:
    """Return at most `count` ids. The first row of every group comes before the second row of any group."""
    ranks: Counter[str | None] = Counter()
    order: list[tuple[int, int, str]] = []
    for record in sorted(rows, key=lambda record: seeded(seed, "draw", record.id)):
        order.append((ranks[record.group] if record.group is not None else 0, len(order), record.id))
        ranks[record.group] += 1
    return [name for _, _, name in sorted(order)[:count]]
