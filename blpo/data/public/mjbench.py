"""MJ-Bench: which of two images is preferred for a text? (Chen et al. 2024).

As downloaded: parquet files (alignment, safety, quality ...) with `caption, image0, image1, label, info`, images as
bytes, in the folder or its `data/`; or lists in JSON with `id, source, caption, image0, image1, label`, images as file
names. A label of 0 says that image0 is preferred, and about 90 % are 0: the order is shuffled.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from blpo.data.image_sources import CellImage
from blpo.data.message_text import did_you_mean
from blpo.data.parquet_table import open_parquet
from blpo.data.public.cell_stream import CellStream, Turn
from blpo.data.public.image_places import ImagePlaces
from blpo.data.public.options import Options, refuse
from blpo.data.public.pairs import pair, pair_form
from blpo.data.public.reading import Row, json_rows, read_records, required, text_group, wanted_integer, wanted_text
from blpo.data.public.record import Loaded, Problem, Record
from blpo.data.public.source_files import archives, files
from blpo.data.tables import Table
from state.errors import ConfigError, DataError
from state.sample import ImageSource

COLUMNS = ("caption", "label")
IMAGES = ("image0", "image1")
"""Bytes in parquet, file names in JSON."""

EXTRA = ("id", "source", "info")
"""Kept where a file has them, as `original_id`, `source` and `info`."""

_Images = Callable[[Row, int, str], tuple[ImageSource, ImageSource]]


def load_mjbench(source: Path, options: Options) -> Loaded:
    """Load all pairs of the chosen files; a pair's id is its file's name and its own id, or its row."""
    given = {"--form": options.form if options.form != "pairs" else None}
    refuse({**given, "--criterion": options.criterion, "--scale": options.scale}, "MJ-Bench")
    chosen = _files(source, options.subsets)
    zips = archives(source)
    places = ImagePlaces(source, zips)
    turns = (Turn(), Turn())
    records: list[Record] = []
    problems: list[Problem] = []
    for file in chosen:
        table = open_parquet(file) if file.suffix == ".parquet" else json_rows(file)
        found, bad = _read_file(file, _image_reader(file, table, places, turns), table, options.seed)
        records, problems = records + found, problems + bad
    return Loaded(pair_form("MJ-Bench", {}), tuple(records), tuple(problems), (*chosen, *zips))


def _read_file(file: Path, reader: _Images, table: Table, seed: int) -> tuple[list[Record], list[Problem]]:
    kept = [name for name in EXTRA if name in table.columns]

    def read(row: Row, index: int, place: str) -> Record:
        caption = wanted_text(row, "caption")
        preferred = wanted_integer(row, "label", 0, 1)
        own = wanted_text(row, "id") if "id" in kept else f"{index + 1:05}"
        extra = {"subset": file.stem, **{"original_id" if name == "id" else name: row[name] for name in kept}}
        found = reader(row, index, place)
        return pair(f"{file.stem}/{own}", found, preferred, place, caption, text_group(caption), extra, seed)

    return read_records(table, [*COLUMNS, *(IMAGES if file.suffix == ".json" else ()), *kept], read)


def _image_reader(file: Path, table: Table, places: ImagePlaces, turns: tuple[Turn, Turn]) -> _Images:
    required(table, IMAGES)
    if file.suffix == ".json":
        return lambda row, _, place: (places.find(row["image0"], place), places.find(row["image1"], place))
    first, second = (CellStream(file, column, turn) for column, turn in zip(IMAGES, turns, strict=True))
    return lambda _, index, place: (
        CellImage(first, index, f"{place}: image0"),
        CellImage(second, index, f"{place}: image1"),
    )


def _files(source: Path, subsets: Sequence[str]) -> list[Path]:
    there = [*files(source, "*.parquet"), *files(source, "*.json"), *sorted(source.glob("data/*.parquet"))]
    by_name = {file.stem: file for file in there}
    if not by_name:
        raise DataError(f"{source}: has no .parquet or .json files, nor has its data/")
    if len(by_name) < len(there):
        raise DataError(f"{source}: has two files of one name ({', '.join(sorted(f.name for f in there))}); keep one")
    for subset in subsets:
        if subset not in by_name:
            raise ConfigError(f"--subset {subset}: there are {', '.join(by_name)}{did_you_mean(subset, list(by_name))}")
    return [by_name[name] for name in subsets or by_name]
