"""Splits: seeded, stratified by label. A group is never divided.

All draws follow from the seed and from the samples' ids, labels and groups, never from the order of samples.

Groups of several samples go first, the largest group first. A group goes to the split with the largest gain. Then
groups are moved while moves help. Single samples fill the rest: without groups, the number of a label in a split is the
exact share rounded down or up, and the size of a split is as close to its share. Last, a label that is missing from a
split is brought from a split that can spare the label.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, TypeVar

from state.sample import Sample, SplitName

_PASSES = 20
"""Bound on rounds of moving groups. A round lowers the cost, and few rounds suffice."""


def assign_splits(samples: Iterable[Sample], shares: Mapping[SplitName, float], seed: int) -> dict[str, SplitName]:
    """Return the split of every sample id. `shares` are positive; only their ratio counts.

    A label with enough samples is in every split.
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


class Identified(Protocol):
    """Thing with an id."""

    @property
    def id(self) -> str:
        """Id, unique among the things of a draw."""
        ...


_I = TypeVar("_I", bound=Identified)


def draw_by_label(samples: Sequence[_I], strata: Sequence[object], limit: int, seed: int) -> list[_I]:
    """Return at most `limit` samples, in order and in proportion by stratum. `strata` has a value for every sample."""
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
    """Unit of the draw, never divided: a group, or a single sample."""

    key: str
    ids: tuple[str, ...]
    labels: tuple[tuple[str, int], ...]
    """Labels with their counts."""


def _units(samples: Iterable[Sample], seed: int) -> list[_Unit]:
    """Return all units, in an order that follows from the seed."""
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
    """Return 32 bytes in place of a random draw. Same seed, purpose and key, same bytes on every machine."""
    return sha256(f"{seed}\n{purpose}\n{key}".encode("utf-8", "surrogatepass")).digest()


class _Ledger:
    """Places of units, and the need of every split for every label."""

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
        """Put a unit into a split. With sign -1, take the unit out."""
        for label, count in unit.labels:
            self.need[label][split] -= sign * count
            self.have[label][split] += sign * count
        self.room[split] -= sign * len(unit.ids)
        self.place[unit.key] = split

    def move(self, unit: _Unit, split: int) -> None:
        """Move a unit to a split."""
        self.put(unit, self.place[unit.key], sign=-1)
        self.put(unit, split)

    def gain(self, unit: _Unit, split: int) -> float:
        """Return the fall of the squared distance to the shares if the unit joins the split. Labels weigh the same."""
        size = len(unit.ids)
        by_label = (c * (2 * self.need[label][split] - c) / self.totals[label] for label, c in unit.labels)
        return sum(by_label) + size * (2 * self.room[split] - size) / self.size

    def spares(self, unit: _Unit) -> bool:
        """Return True if the unit's split keeps every label without the unit."""
        return all(self.have[label][self.place[unit.key]] > count for label, count in unit.labels)


def _improve(ledger: _Ledger, groups: Sequence[_Unit]) -> None:
    for _ in range(_PASSES):
        moved = False
        for unit in groups:
            old = ledger.place[unit.key]
            ledger.put(unit, old, sign=-1)
            gains = [ledger.gain(unit, split) for split in ledger.splits]
            # Rounding must not move a unit to and fro between two splits.
            best = max(ledger.splits, key=gains.__getitem__)
            new = best if gains[best] > gains[old] + 1e-9 else old
            ledger.put(unit, new)
            moved |= new != old
        if not moved:
            return


def _fill(ledger: _Ledger, singles: Sequence[_Unit]) -> None:
    queues: dict[str, list[_Unit]] = {}
    for unit in singles:
        queues.setdefault(unit.labels[0][0], []).append(unit)
    for label in sorted(queues):
        need = ledger.need[label]
        while queues[label] and max(need) >= 1 - 1e-9:
            ledger.put(queues[label].pop(), max(ledger.splits, key=need.__getitem__))
    for label in sorted(queues):
        need = ledger.need[label]
        for unit in queues[label]:
            # Fewer samples than splits remain: in any split the label stays within one sample of its share.
            candidates = [split for split in ledger.splits if need[split] > 1e-9] or list(ledger.splits)
            ledger.put(unit, max(candidates, key=ledger.room.__getitem__))


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
