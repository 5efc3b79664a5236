"""Archives of ImageRewardDB. People download only a few archives; rows of missing archives are reported by archive."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from blpo.data.labels import as_text
from blpo.data.parquet_table import open_parquet
from blpo.data.public.public_set import SourceProblem
from blpo.data.public.source_rows import require_columns
from blpo.data.text_tables import TextTable

COLUMNS = (
    *("image_path", "prompt_id", "prompt", "classification", "rank"),
    *("overall_rating", "image_text_alignment_rating", "fidelity_rating"),
)
"""Columns of the metadata."""


def rows_of_archives(
    file: Path, source: Path, columns: Sequence[str], archives: Collection[str] | None
) -> tuple[TextTable, list[SourceProblem], list[str]]:
    """Return the rows of existing archives, a problem for every missing archive, and notes on further archives.

    `archives` names the archives to read (`train_1`), without suffix. None: all archives in the table. Raises
    `DataError` for a missing column.
    """
    table = open_parquet(file)
    cells = {name: table.values(name) for name in require_columns(table, columns)}
    names = [_archive_of(path) for path in cells["image_path"]]
    further = Counter(name for name in names if archives is not None and name and name not in archives)
    missing = Counter(name for name in names if name and name not in further and not _exists(source, name))
    places = [i for i, name in enumerate(names) if name not in further and name not in missing]
    rows = tuple({name: column[i] for name, column in cells.items()} for i in places)
    lines = tuple(table.lines[i] for i in places)
    problems = [
        SourceProblem(
            f"{table.name}: {count} rows name images of {name}.zip, which is missing; download the archive", count
        )
        for name, count in missing.items()
    ]
    notes = [f"{table.name}: {sum(further.values())} rows of {len(further)} other archives belong to larger scales"]
    return TextTable(table.name, table.columns, lines, (), table.root, rows), problems, notes if further else []


def _archive_of(path: object) -> str:
    """Return the archive of `images/train/train_1/x.webp`: train_1."""
    return PurePosixPath(as_text(path) or "").parent.name


def _exists(source: Path, archive: str) -> bool:
    split = archive.partition("_")[0]
    inner = Path("images", split, archive)
    paths = (f"{archive}.zip", f"{inner}.zip", inner, Path("images", archive), archive)
    return any((source / path).exists() for path in paths)
