"""ImageRewardDB comes in archives of which people download a few; the rows of the others are told by archive."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from blpo.data.labels import as_text
from blpo.data.parquet_table import open_parquet
from blpo.data.public.reading import required
from blpo.data.public.record import Problem
from blpo.data.text_tables import TextTable


def rows_there(
    file: Path, source: Path, columns: Sequence[str], wanted: Collection[str] | None
) -> tuple[TextTable, list[Problem], list[str]]:
    """Return the rows whose archive is there, one problem for each archive that is not, and what lies outside `wanted`.

    `wanted` names the archives to read (`train_1`), without suffix; None: all that the table names.
    Raises `DataError` for a missing column.
    """
    table = open_parquet(file)
    cells = {name: table.values(name) for name in required(table, columns)}
    parts = [_part(path) for path in cells["image_path"]]
    outside = Counter(part for part in parts if wanted is not None and part and part not in wanted)
    missing = Counter(part for part in parts if part and part not in outside and not _is_there(source, part))
    kept = [i for i, part in enumerate(parts) if part not in outside and part not in missing]
    rows = tuple({name: column[i] for name, column in cells.items()} for i in kept)
    lines = tuple(table.lines[i] for i in kept)
    problems = [
        Problem(f"{table.name}: {rows} rows name images of {part}.zip, which is not there; download it too", rows)
        for part, rows in missing.items()
    ]
    notes = [f"{table.name}: {sum(outside.values())} rows of {len(outside)} other archives belong to larger scales"]
    return TextTable(table.name, table.columns, lines, (), table.root, rows), problems, notes if outside else []


def _part(path: object) -> str:
    """The archive of `images/train/train_1/x.webp`: train_1."""
    return PurePosixPath(as_text(path) or "").parent.name


def _is_there(source: Path, part: str) -> bool:
    split = part.partition("_")[0]
    below = Path("images", split, part)
    return any((source / path).exists() for path in (f"{part}.zip", f"{below}.zip", below, Path("images", part), part))
