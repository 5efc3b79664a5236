"""Rows of a set by split and label, and errors for a set without usable rows."""

from collections import Counter
from collections.abc import Mapping, Sequence

from blpo.data.dataset import MAX_PROBLEMS, SPLITS
from blpo.data.public.public_set import PublicSet, Record, SourceProblem
from state.errors import DataError
from state.sample import SplitName

_ALL = "all"
"""Name of all rows in the counts of a folder whose splits are drawn by the config."""


def refuse_problems(problems: Sequence[SourceProblem], *, skip_bad_rows: bool) -> None:
    """Raise `DataError` with every faulty row, unless faulty rows are left out."""
    if not problems or skip_bad_rows:
        return
    rows = sum(problem.rows for problem in problems)
    more = f"{rows} rows can't be used, the first: " if rows > 1 else ""
    texts = tuple(problem.text for problem in problems[:MAX_PROBLEMS])
    if len(problems) > MAX_PROBLEMS:
        texts = (*texts, f"and {len(problems) - MAX_PROBLEMS} more")
    raise DataError(f"{more}{problems[0].text}; --skip-bad-rows leaves such rows out and lists them", texts)


def require_records(records: Sequence[Record], loaded: PublicSet, problems: Sequence[SourceProblem]) -> None:
    """Raise `DataError` for a set without a usable row."""
    if not records:
        faults = f" ({len(problems)} problems, the first: {problems[0].text})" if problems else ""
        notes = "".join(f"; {note}" for note in loaded.notes)
        raise DataError(f"{loaded.description.title}: no usable row was found{faults}{notes}")


def counts_by_split(
    loaded: PublicSet, records: Sequence[Record], splits: Mapping[str, SplitName | None]
) -> dict[str, dict[str, int]]:
    """Return the rows by split and label; a single entry `all` if the config draws the splits."""
    counts = Counter((splits[record.id], record.label) for record in records)
    labels = loaded.description.task.values
    names: tuple[SplitName | None, ...] = SPLITS if any(splits.values()) else (None,)
    return {split or _ALL: {str(label): counts[split, label] for label in labels} for split in names}


def divided_groups(records: Sequence[Record], splits: Mapping[str, SplitName | None]) -> int:
    """Return the number of groups with rows in several splits."""
    homes: dict[str, set[SplitName | None]] = {}
    for record in records:
        if record.group is not None:
            homes.setdefault(record.group, set()).add(splits[record.id])
    return sum(len(names) > 1 for names in homes.values())


def note_on_groups(divided: int) -> tuple[str, ...]:
    """Return a note on groups in several splits."""
    if not divided:
        return ()
    return (f"{divided} texts are in several splits of the source, so config.yaml names no group",)
