"""From ratings or ranks of images to a dataset folder of pairs."""

import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from blpo.data.pairing.pairing_options import PairingOptions
from blpo.data.pairing.scored_rows import ScoredRows, scored_rows
from blpo.data.public.image_pairs import pair_records
from blpo.data.public.preparation_options import Options
from blpo.data.public.public_set import PublicSet, Record, SetDescription
from blpo.data.public.ranked_pairs import PairRule, pairs_of
from blpo.data.public.sampling import DrawnSample
from blpo.data.public.set_writer import ImageProgress, Prepared, SetSource, write_set
from state.sample import SplitName
from state.settings import SplitShares, TaskSettings


def write_pairs(
    source: Path,
    out: Path,
    options: PairingOptions | None = None,
    overrides: Sequence[str] = (),
    count: ImageProgress | None = None,
) -> Prepared:
    """Write the pairs of a source as a dataset folder. `source` is a config, a labels file or a folder of images.

    Every two images of a group whose numbers differ by at least `least` are a pair. Sides follow from the seed. Raises
    `DataError` for faulty rows, for a source without groups or without a pair, and for an `out` that exists. Raises
    `ConfigError` for a faulty config.
    """
    options = options or PairingOptions()
    rows = scored_rows(source, options, overrides)
    splits: dict[str, SplitName | None] = {}

    def load() -> PublicSet:
        rule = PairRule(options.least, options.most, options.ties, options.seed)
        meaning = f"that differ by less than {options.least:g}" if options.least else "with equal numbers"
        records, notes = pair_records(
            pairs_of(rows.images, rule), Options(seed=options.seed, ties=options.ties), meaning
        )
        splits.update({record.id: record.shipped for record in records})
        records = tuple(replace(record, shipped=None) for record in records)
        description = SetDescription(
            f"Pairs of {source.name}", TaskSettings(kind="pairwise", ties=options.ties), options.question or ""
        )
        files = () if rows.file is None else (rows.file,)
        return PublicSet(description, records, rows.problems, files, (*rows.notes, *notes))

    def draw(_: PublicSet, records: Sequence[Record]) -> DrawnSample:
        return DrawnSample({record.id: splits[record.id] for record in records})

    card = {"source": os.path.relpath(source, out.parent), "overrides": list(overrides), **asdict(options)}
    folder = source if source.is_dir() else source.parent
    shares = _shares(rows)
    return write_set(
        SetSource(folder, load, draw, "pairs", card, options.seed, options.skip_bad_rows, shares), out, count
    )


def _shares(rows: ScoredRows) -> dict[str, float] | None:
    """Return the shares of the splits in the source's config; None where a column names the splits."""
    split = rows.data.split
    return split.model_dump(exclude_none=True) if isinstance(split, SplitShares) else None
