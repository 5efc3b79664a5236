"""Pools of a source's rows: the splits of a sample are drawn from the source's own splits."""

from collections.abc import Iterable, Sequence

from blpo.data.public.public_set import Record
from state.sample import SplitName


def source_pools(records: Sequence[Record], splits: Iterable[SplitName]) -> list[tuple[list[int], list[SplitName]]]:
    """Return the places of records of every split of the source, with the splits to draw from these records.

    Validation is drawn from the source's train rows if the source has no validation rows. Without train and test rows
    in the source, all rows are a single pool.
    """
    source_splits = {record.shipped for record in records}
    if not {"train", "test"} <= source_splits:
        return [(list(range(len(records))), list(splits))]
    homes: dict[SplitName, list[SplitName]] = {}
    for split in splits:
        homes.setdefault(split if split in source_splits else "train", []).append(split)
    return [([i for i, record in enumerate(records) if record.shipped == home], names) for home, names in homes.items()]
