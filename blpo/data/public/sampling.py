"""Which rows of a loaded set go into which split."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from blpo.data.public.balanced import draw_balanced, reduced, shared_out
from blpo.data.public.exact_sizes import draw_sizes
from blpo.data.public.options import SAMPLINGS, Options, chosen
from blpo.data.public.record import Form, Record
from blpo.data.splits import assign_splits
from state.errors import ConfigError, DataError
from state.sample import Sample, SplitName

VALIDATION_SHARE = 0.4
"""Of the rows that the paper uses for train and validation together."""

SHARES: Mapping[SplitName, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}
"""Of `all` rows, where the source has no splits of its own."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample: the split of each chosen record's id, and what a reader should know about it."""

    splits: Mapping[str, SplitName]
    notes: tuple[str, ...] = ()


def draw(form: Form, records: Sequence[Record], options: Options) -> Drawn:
    """Draw the sample that the options ask for, the same from the same seed and records in any order.

    Raises `ConfigError` for a sample that the set does not have, and `DataError`, with counts, where there are too few
    rows for it and fewer were not allowed.
    """
    if chosen("--sample", options.sample, SAMPLINGS, "every set") == "all":
        return _all(records, options.seed)
    if options.sample == "mt-rl-judge":
        if not form.sizes:
            raise ConfigError(f"--sample mt-rl-judge: there is none of {form.title}; use paper or all")
        return _sized(form, records, options)
    if not form.balanced:
        return Drawn({r.id: "test" for r in records}, ("the paper tests on all of this set: every row is a test row",))
    return _balanced(form, records, options)


def _balanced(form: Form, records: Sequence[Record], options: Options) -> Drawn:
    validation = {stratum: round(count * VALIDATION_SHARE) for stratum, count in form.balanced.items()}
    train = {stratum: count - validation[stratum] for stratum, count in form.balanced.items()}
    need: dict[SplitName, Mapping[str, int]] = {"train": train, "validation": validation, "test": form.balanced}
    there = Counter(record.stratum for record in records)
    short = [
        f"{stratum}: {there[stratum]} rows, the sample asks for {2 * count} ({count} for train and validation, {count} "
        "for test)"
        for stratum, count in form.balanced.items()
        if there[stratum] < 2 * count
    ]
    _allow(short, form, options)
    lowered = reduced(need, there)
    drawn = draw_balanced(records, lowered, options.seed)
    got = Counter((drawn[record.id], record.stratum) for record in records if record.id in drawn)
    divided = [
        f"{stratum}: {got[split, stratum]} of {count} in {split}, because groups are not divided"
        for split, part in lowered.items()
        for stratum, count in part.items()
        if got[split, stratum] < count
    ]
    _allow(divided, form, options)
    return Drawn(drawn, tuple(short + divided))


def _sized(form: Form, records: Sequence[Record], options: Options) -> Drawn:
    drawn: dict[str, SplitName] = {}
    short = []
    for pool, splits in _pools(records, form.sizes):
        sizes = {split: form.sizes[split] for split in splits}
        asked = sum(sizes.values())
        if len(pool) < asked:
            short.append(f"{', '.join(sizes)}: {len(pool)} rows, the sample asks for {asked}")
            sizes = shared_out(len(pool), sizes)
        part = draw_sizes(pool, sizes, options.seed)
        got = Counter(part.values())
        short += [
            f"{split}: {got[split]} of {size} rows, because groups are not divided"
            for split, size in sizes.items()
            if got[split] < size
        ]
        drawn |= part
    _allow(short, form, options)
    return Drawn(drawn, (*short, *_about_own_splits(records)))


def _all(records: Sequence[Record], seed: int) -> Drawn:
    drawn: dict[str, SplitName] = {}
    for pool, splits in _pools(records, SHARES):
        shares = {split: SHARES[split] for split in splits}
        samples = [Sample(record.id, (), record.stratum, group=record.group) for record in pool]
        drawn |= assign_splits(samples, shares, seed)
    return Drawn(drawn, _about_own_splits(records))


def _pools(records: Sequence[Record], splits: Iterable[SplitName]) -> list[tuple[list[Record], list[SplitName]]]:
    """What each of the source's own splits holds, and the splits that are drawn from it.

    Validation is drawn from the source's train rows where it has none. Without train and test rows of its own, all
    rows are one pool.
    """
    own = {record.shipped for record in records}
    if not {"train", "test"} <= own:
        return [(list(records), list(splits))]
    homes: dict[SplitName, list[SplitName]] = {}
    for split in splits:
        homes.setdefault(split if split in own else "train", []).append(split)
    return [([record for record in records if record.shipped == home], drawn) for home, drawn in homes.items()]


def _about_own_splits(records: Sequence[Record]) -> tuple[str, ...]:
    own = sorted({record.shipped for record in records if record.shipped})
    if not own or {"train", "test"} <= set(own):
        return ()
    return (f"of the source's own splits only {' and '.join(own)} is here, so all rows were divided anew",)


def _allow(short: Sequence[str], form: Form, options: Options) -> None:
    if short and not options.take_fewer:
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        raise DataError(
            f"{form.title}: too few rows for --sample {options.sample}: {short[0]}{more}; --take-fewer takes "
            "what there is",
            tuple(short),
        )
