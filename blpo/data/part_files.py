"""Files that together hold one table: `data/train-00000-of-00002.parquet` of the hub, `part-0.parquet`, `0000.parquet`.

The files lie in the folder, in `data/`, or in folders of splits. Arrow files are parts too, as the cache of the
`datasets` library holds them. A folder of the hub's cache stands for its snapshot.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from blpo.data.message_text import listed
from blpo.data.part_names import part_name
from blpo.data.similar_names import read_alike
from blpo.data.split_words import SPLIT_NAMES
from state.errors import DataError

_SUFFIXES = (".parquet", ".arrow")
_NUMBERED = re.compile(r"\d{4,}|part[-._]\d+.*")
"""Names of parts without their number, as the hub's converter, Arrow, Dask and Spark write them."""
_WORDS = re.compile(r"[^\W_]+")


def part_files(folder: Path) -> list[Path]:
    """Return the files of the table in parts, in order of names; empty for a folder without parts.

    Raises `DataError` for missing parts, and for several tables.
    """
    for place, is_below in ((folder, False), (folder / "data", False), (folder, True)):
        files = sorted(_parts(place.glob("*/*") if is_below else place.glob("*"), is_below), key=_natural)
        if not files and is_below:
            files = sorted(_parts(place.glob("*/*/*"), is_below), key=_natural)
        if files:
            _require_all(folder, files)
            return files
    return []


def split_of(file: Path) -> str | None:
    """Return the word for a split in the name of a part, or in the name of its folder; None without such a word."""
    words = [*_WORDS.findall(part_name(file.stem).table)[::-1], file.parent.name]
    return next((word for word in words if read_alike(word) in SPLIT_NAMES), None)


def hub_snapshot(folder: Path) -> Path:
    """Return the snapshot of a dataset in the hub's cache (`datasets--OWNER--NAME`); any other folder as it is."""
    reference, snapshots = folder / "refs" / "main", folder / "snapshots"
    if not snapshots.is_dir():
        return folder
    places = sorted(place for place in snapshots.iterdir() if place.is_dir())
    if reference.is_file() and (place := snapshots / reference.read_text().strip()) in places:
        return place
    if len(places) > 1:
        raise DataError(
            f"{folder}: holds {len(places)} snapshots; name one of them, such as {places[-1]}, in data.path"
        )
    return places[0] if places else folder


def _parts(files: Iterable[Path], is_below: bool) -> list[Path]:
    """Return the parts among the files; files below a folder are parts if their folder is named as a split."""
    return [
        file
        for file in files
        if file.suffix.lower() in _SUFFIXES
        and not file.name.startswith((".", "_"))
        and (not is_below or read_alike(file.parent.name) in SPLIT_NAMES)
        and _is_part(file)
        and file.is_file()
    ]


def _is_part(file: Path) -> bool:
    if part_name(file.stem).count:
        return True
    if file.suffix.lower() == ".arrow":  # `cache-1234.arrow` is none
        return split_of(file) is not None and not file.stem.startswith("cache-")
    return bool(_NUMBERED.fullmatch(file.stem)) or read_alike(file.stem) in SPLIT_NAMES


def _natural(file: Path) -> tuple[str, list[tuple[int, str]]]:
    """Return a key that orders `part-10` after `part-9`."""
    return str(file.parent), [(int(number or 0), text) for text, number in re.findall(r"(\D+)|(\d+)", file.name)]


def _require_all(folder: Path, files: list[Path]) -> None:
    """Raise `DataError` for missing parts, and for parts of several configurations of a dataset."""
    numbers: dict[tuple[Path, str, int], set[int]] = defaultdict(set)
    for file in files:
        if (part := part_name(file.stem)).count:
            numbers[file.parent, part.table, part.count].add(part.number)
    for (_, name, count), present in numbers.items():
        if len(present) < count:
            raise DataError(f"{folder}: has {len(present)} of {count} parts of {name}; download the missing parts")
    owners = sorted({file.parent.parent for file in files if file.parent not in (folder, folder / "data")})
    if len(owners) > 1:
        names = listed([owner.name for owner in owners])
        raise DataError(f"{folder}: holds several tables in parts ({names}); name the folder of one in data.path")
