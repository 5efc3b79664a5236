"""Dataset folder of a prepared set: made beside its final place, so that only a complete folder appears."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from blpo.data.public.label_columns import LabelColumns
from blpo.data.public.public_set import Record
from blpo.storage.whole_files import whole_folder
from state.errors import DataError
from state.sample import SplitName


@contextmanager
def draft_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder. At the end of the block the folder becomes `out`; an error removes the folder.

    Raises `DataError` if `out` exists and is no empty folder.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()) or (out.is_dir() and any(out.iterdir())):
        raise DataError(f"{out}: exists and is not empty; name a new folder with --out")
    with whole_folder(out) as draft:  # fails at the end if another process has filled `out` meanwhile
        yield draft


def write_labels(
    folder: Path,
    records: Sequence[Record],
    columns: LabelColumns,
    splits: Mapping[str, SplitName | None],
    images: Mapping[str, Sequence[str]],
) -> None:
    """Write labels.csv: id, images, texts, label, split, group and the source's further columns."""
    rows = [columns.of_record(record, images[record.id], splits[record.id]) for record in records]
    _write_csv(folder / "labels.csv", tuple(dict.fromkeys(name for row in rows for name in row)), rows)


def write_ratings(folder: Path, records: Sequence[Record]) -> None:
    """Write ratings.csv: a row for every rater of a record."""
    rows = [
        {"id": record.id, "rater": rater, "rating": label}
        for record in records
        for rater, label in record.ratings.items()
    ]
    _write_csv(folder / "ratings.csv", ("id", "rater", "rating"), rows)


def write_source_card(folder: Path, card: Mapping[str, object]) -> None:
    """Write source.json."""
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / "source.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _write_csv(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)  # lines end by \r\n, so texts with \r or \n are quoted
        writer.writerow(names)
        writer.writerows([row.get(name) for name in names] for row in rows)
