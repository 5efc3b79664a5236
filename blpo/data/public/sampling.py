"""Sampling: the split of every drawn row of a public set."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.data.public.balanced import draw_balanced, fitting_counts, reduce_need
from blpo.data.public.exact_counts import draw_counts
from blpo.data.public.preparation_options import SAMPLINGS, Options, require_choice
from blpo.data.public.public_set import Counts, Record, SetDescription
from blpo.data.public.source_pools import source_pools
from blpo.data.splits import assign_splits
from state.errors import ConfigError, DataError
from state.sample import Sample, SplitName

VALIDATION_SHARE = 0.4
"""Share of validation in the rows that the paper uses for train and validation."""

SHARES: Mapping[SplitName, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
"""Shares of splits in `all` rows, for a source without splits."""


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """Split of every drawn record's id, and notes for a reader."""

    splits: Mapping[str, SplitName | None]
    """None for every record: the config draws the splits."""
    notes: tuple[str, ...] = ()


def draw_sample(description: SetDescription, records: Sequence[Record], options: Options) -> DrawnSample:
    """Draw the sample of the options. Same seed and records in any order, same sample.

    Raises `ConfigError` for a sample that the set lacks, and `DataError`, with counts, for too few rows (unless
    `take_fewer`).
    """
    if require_choice("--sample", options.sample, SAMPLINGS, "every set") == "all":
        return _all(records, options.seed)
    if options.sample == "paper" and not description.has_sample:
        whole = _all(records, options.seed)
        return DrawnSample(whole.splits, ("papers have no sample of this set: all rows are taken", *whole.notes))
    if options.sample == "mt-rl-judge":
        if not description.counts:
            raise ConfigError(f"--sample mt-rl-judge: {description.title} has no such sample; use paper or all")
        return _counted(description, records, options)
    if not description.balanced:
        note = "this is a test set: every row is a test row"
        return DrawnSample({record.id: "test" for record in records}, (note,))
    return _balanced(description, records, options)


def _balanced(description: SetDescription, records: Sequence[Record], options: Options) -> DrawnSample:
    counts = description.balanced
    validation = {stratum: round(count * VALIDATION_SHARE) for stratum, count in counts.items()}
    train = {stratum: count - validation[stratum] for stratum, count in counts.items()}
    need: dict[SplitName, Mapping[str, int]] = {"train": train, "validation": validation, "test": counts}
    available = Counter(record.stratum for record in records)
    short = [
        f"{stratum}: {available[stratum]} rows, the sample asks for {2 * count} ({count} for train and validation, "
        f"{count} for test)"
        for stratum, count in counts.items()
        if available[stratum] < 2 * count
    ]
    _require_rows(short, description, options)
    reduced = reduce_need(need, available)
    splits = draw_balanced(records, reduced, options.seed)
    row_counts = Counter((splits[record.id], record.stratum) for record in records if record.id in splits)
    divided = [
        f"{stratum}: {row_counts[split, stratum]} of {count} in {split}, because groups are not divided"
        for split, part in reduced.items()
        for stratum, count in part.items()
        if row_counts[split, stratum] < count
    ]
    _require_rows(divided, description, options)
    return DrawnSample(splits, tuple(short + divided))


def _counted(description: SetDescription, records: Sequence[Record], options: Options) -> DrawnSample:
    splits: dict[str, SplitName] = {}
    short, notes = [], []
    for places, names in source_pools(records, description.counts):
        pool = [records[i] for i in places]
        published: Counts = {split: description.counts[split] for split in names}
        total = sum(sum(part.values()) for part in published.values())
        if len(pool) < total:
            short.append(f"{', '.join(names)}: {len(pool)} rows, the sample asks for {total}")
        need = fitting_counts(published, Counter(str(record.label) for record in pool))
        part = draw_counts(pool, need, options.seed)
        rows = Counter((part[record.id], str(record.label)) for record in pool if record.id in part)
        sizes: Counts = {split: {label: rows[split, label] for label in need[split]} for split in names}
        short += [
            f"{split}: {sum(sizes[split].values())} of {sum(need[split].values())} rows, because groups are not divided"
            for split in names
            if sizes[split] != need[split]
        ]
        notes += [
            f"{split}: {_in_words(sizes[split])}; in MT-RL-Judge {_in_words(published[split])}"
            for split in names
            if sizes[split] != published[split]
        ]
        splits |= part
    _require_rows(short, description, options)
    return DrawnSample(splits, (*short, *notes, *_notes_on_source_splits(records)))


def _in_words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {label}" for label, number in counts.items())


def _all(records: Sequence[Record], seed: int) -> DrawnSample:
    splits: dict[str, SplitName] = {}
    for places, names in source_pools(records, SHARES):
        pool = [records[i] for i in places]
        shares = {split: SHARES[split] for split in names}
        samples = [Sample(record.id, (), record.stratum, group=record.group) for record in pool]
        splits |= assign_splits(samples, shares, seed)
    return DrawnSample(splits, _notes_on_source_splits(records))


def _notes_on_source_splits(records: Sequence[Record]) -> tuple[str, ...]:
    names = sorted({record.shipped for record in records if record.shipped})
    if not names or {"train", "test"} <= set(names):
        return ()
    return (f"of the source's own splits only {' and '.join(names)} is here, so all rows were divided anew",)


def _require_rows(short: Sequence[str], description: SetDescription, options: Options) -> None:
    if short and not options.take_fewer:
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        raise DataError(
            f"{description.title}: too few rows for --sample {options.sample}: {short[0]}{more}; --take-fewer accepts "
            "fewer rows",
            tuple(short),
        )
