"""Sampling: the split of every drawn row of a public set."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blpo.data.public.balanced import apportion, draw_balanced, reduce_need
from blpo.data.public.exact_sizes import draw_sizes
from blpo.data.public.preparation_options import SAMPLINGS, Options, require_choice
from blpo.data.public.public_set import Record, SetDescription
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

    splits: Mapping[str, SplitName]
    notes: tuple[str, ...] = ()


def draw_sample(description: SetDescription, records: Sequence[Record], options: Options) -> DrawnSample:
    """Draw the sample of the options. Same seed and records in any order, same sample.

    Raises `ConfigError` for a sample that the set lacks, and `DataError`, with counts, for too few rows (unless
    `take_fewer`).
    """
    if require_choice("--sample", options.sample, SAMPLINGS, "every set") == "all":
        return _all(records, options.seed)
    if options.sample == "mt-rl-judge":
        if not description.sizes:
            raise ConfigError(f"--sample mt-rl-judge: {description.title} has no such sample; use paper or all")
        return _sized(description, records, options)
    if not description.balanced:
        note = "the paper tests on all of this set: every row is a test row"
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


def _sized(description: SetDescription, records: Sequence[Record], options: Options) -> DrawnSample:
    splits: dict[str, SplitName] = {}
    short = []
    for pool, names in _pools(records, description.sizes):
        sizes = {split: description.sizes[split] for split in names}
        total = sum(sizes.values())
        if len(pool) < total:
            short.append(f"{', '.join(sizes)}: {len(pool)} rows, the sample asks for {total}")
            sizes = apportion(len(pool), sizes)
        part = draw_sizes(pool, sizes, options.seed)
        counts = Counter(part.values())
        short += [
            f"{split}: {counts[split]} of {size} rows, because groups are not divided"
            for split, size in sizes.items()
            if counts[split] < size
        ]
        splits |= part
    _require_rows(short, description, options)
    return DrawnSample(splits, (*short, *_notes_on_source_splits(records)))


def _all(records: Sequence[Record], seed: int) -> DrawnSample:
    splits: dict[str, SplitName] = {}
    for pool, names in _pools(records, SHARES):
        shares = {split: SHARES[split] for split in names}
        samples = [Sample(record.id, (), record.stratum, group=record.group) for record in pool]
        splits |= assign_splits(samples, shares, seed)
    return DrawnSample(splits, _notes_on_source_splits(records))


def _pools(records: Sequence[Record], splits: Iterable[SplitName]) -> list[tuple[list[Record], list[SplitName]]]:
    """Return the records of every split of the source, with the splits to draw from these records.

    Validation is drawn from the source's train rows if the source has no validation rows. Without train and test rows
    in the source, all rows are a single pool.
    """
    source_splits = {record.shipped for record in records}
    if not {"train", "test"} <= source_splits:
        return [(list(records), list(splits))]
    homes: dict[SplitName, list[SplitName]] = {}
    for split in splits:
        homes.setdefault(split if split in source_splits else "train", []).append(split)
    return [([record for record in records if record.shipped == home], names) for home, names in homes.items()]


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
