"""Splits: seeded, stratified by label, never dividing a group.

Everything follows from the seed and the samples' ids, labels and groups, never from their order.

Groups of several samples go first, largest first, each to the split whose shares it serves best; single groups are then
moved while that helps. Samples on their own fill what is left: without groups the number of each label in each split is
its exact share rounded down or up, and so, as nearly, is each split's size. Last, a label missing from a split is
brought there where another split can spare it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from state.sample import Sample, SplitName

_PASSES = 20
"""Bound on rounds of moving groups; each round lowers the cost, and few are needed."""


def assign_splits(samples: Iterable[Sample], shares: Mapping[SplitName, float], seed: int) -> dict[str, SplitName]:
    """Return the split of each sample id; `shares` are positive and normalised to their sum.

    Where there are enough of it, every label is in every split.
    """
    units = _units(samples, seed)
    ledger = _Ledger(units, list(shares.values()))
    groups = [unit for unit in units if len(unit.ids) > 1]
    for unit in sorted(groups, key=lambda unit: -len(unit.ids)):
        ledger.put(unit, max(ledger.splits, key=lambda split: ledger.gain(unit, split)))
    _improve(ledger, groups)
    _fill(ledger, [unit for unit in units if len(unit.ids) == 1])
    _bring_missing_labels(ledger, units)
    names = tuple(shares)
    return {name: names[ledger.place[unit.key]] for unit in units for name in unit.ids}


def draw_by_label(samples: Sequence[Sample], strata: Sequence[object], limit: int, seed: int) -> list[Sample]:
    """Return at most `limit` samples in their order, each stratum in proportion; `strata` holds one a sample."""
    ranks: dict[object, int] = {}
    order = sorted(range(len(samples)), key=lambda i: seeded(seed, "limit", samples[i].id))
    sizes = Counter(strata)
    position = {}
    for i in order:
        rank = ranks[strata[i]] = ranks.get(strata[i], -1) + 1
        position[i] = (rank + 0.5) / sizes[strata[i]]
    return [samples[i] for i in sorted(sorted(order, key=position.__getitem__)[:limit])]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is never divided: a group, or a sample on its own."""

    key: str
    ids: tuple[str, ...]
    labels: tuple[tuple[str, int], ...]
    """How often each label occurs."""


def _units(samples: Iterable[Sample], seed: int) -> list[_Unit]:
    """All units, in an order that follows from the seed."""
    members: dict[str, list[Sample]] = {}
    for sample in samples:
        key = f"id {sample.id}" if sample.group is None else f"group {sample.group}"
        members.setdefault(key, []).append(sample)
    units = [
        _Unit(key, tuple(s.id for s in group), tuple(sorted(Counter(str(s.label) for s in group).items())))
        for key, group in members.items()
    ]
    return sorted(units, key=lambda unit: seeded(seed, "split", unit.key))


def seeded(seed: int, purpose: str, key: str) -> bytes:
    """32 bytes that stand for a random draw: the same for the same seed, purpose and key, everywhere."""
    return sha256(f"{seed}\n{purpose}\n{key}".encode("utf-8", "surrogatepass")).digest()


class _Ledger:
    """Which unit is where, and how much of each label every split still needs."""

    def __init__(self, units: Sequence[_Unit], shares: Sequence[float]) -> None:
        self.splits = range(len(shares))
        totals: Counter[str] = Counter()
        for unit in units:
            totals.update(dict(unit.labels))
        self.labels = sorted(totals)
        self.totals = totals
        self.size = sum(totals.values())
        exact = [share / sum(shares) for share in shares]
        self.need = {label: [totals[label] * share for share in exact] for label in self.labels}
        self.room = [self.size * share for share in exact]
        self.have = {label: [0 for _ in shares] for label in self.labels}
        self.place: dict[str, int] = {}

    def put(self, unit: _Unit, split: int, sign: int = 1) -> None:
        """Put a unit into a split, or with sign -1 take it out."""
        for label, count in unit.labels:
            self.need[label][split] -= sign * count
            self.have[label][split] += sign * count
        self.room[split] -= sign * len(unit.ids)
        self.place[unit.key] = split

    def move(self, unit: _Unit, split: int) -> None:
        """Put a placed unit elsewhere."""
        self.put(unit, self.place[unit.key], sign=-1)
        self.put(unit, split)

    def gain(self, unit: _Unit, split: int) -> float:
        """How far putting the unit there lowers the squared distance to the shares, each label weighed alike."""
        size = len(unit.ids)
        by_label = (c * (2 * self.need[label][split] - c) / self.totals[label] for label, c in unit.labels)
        return sum(by_label) + size * (2 * self.room[split] - size) / self.size

    def spares(self, unit: _Unit) -> bool:
        """Whether the unit's split keeps every label without it."""
        return all(self.have[label][self.place[unit.key]] > count for label, count in unit.labels)


def _improve(ledger: _Ledger, groups: Sequence[_Unit]) -> None:
    for _ in range(_PASSES):
        moved = False
        for unit in groups:
            old = ledger.place[unit.key]
            ledger.put(unit, old, sign=-1)
            gains = [ledger.gain(unit, split) for split in ledger.splits]
            # Rounding must not make two places look better than each other in turn.
            best = max(ledger.splits, key=gains.__getitem__)
            new = best if gains[best] > gains[old] + 1e-9 else old
            ledger.put(unit, new)
            moved |= new != old
        if not moved:
            return


def _fill(ledger: _Ledger, singles: Sequence[_Unit]) -> None:
    waiting: dict[str, list[_Unit]] = {}
    for unit in singles:
        waiting.setdefault(unit.labels[0][0], []).append(unit)
    for label in sorted(waiting):
        need = ledger.need[label]
        while waiting[label] and max(need) >= 1 - 1e-9:
            ledger.put(waiting[label].pop(), max(ledger.splits, key=need.__getitem__))
    for label in sorted(waiting):
        need = ledger.need[label]
        for unit in waiting[label]:
            # Less than one a split is left of a label: whoever gets it, the label stays within one of its share.
            open_to = [split for split in ledger.splits if need[split] > 1e-9] or list(ledger.splits)
            ledger.put(unit, max(open_to, key=ledger.room.__getitem__))


def _bring_missing_labels(ledger: _Ledger, units: Sequence[_Unit]) -> None:
    holders: dict[str, list[_Unit]] = {}
    for unit in units:
        for label, _ in unit.labels:
            holders.setdefault(label, []).append(unit)
    for label in ledger.labels:
        for split in ledger.splits:
            if ledger.have[label][split] > 0:
                continue
            spare = [unit for unit in holders[label] if ledger.spares(unit)]
            if spare:
                ledger.move(max(spare, key=lambda unit: ledger.gain(unit, split)), split)
