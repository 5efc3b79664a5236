"""MJ-Bench: preferences between two images for a text (Chen et al. 2024).

Download: parquet files (alignment, safety, quality ...) with `caption, image0, image1, label, info`, images as bytes,
in the folder or in `data/`; or lists in JSON with `id, source, caption, image0, image1, label`, images as file names.
Label 0 means that people prefer image0. About 90 % of the labels are 0, so the order of images is shuffled.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from blpo.data.image_sources import CellImage
from blpo.data.message_text import did_you_mean
from blpo.data.parquet_table import open_parquet
from blpo.data.public.cell_stream import ActiveStream, CellStream
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import pair_description, pair_record
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, Record, SourceProblem
from blpo.data.public.source_files import matching_files, zip_archives
from blpo.data.public.source_rows import (
    SourceRow,
    read_json_table,
    read_records,
    require_columns,
    required_integer,
    required_text,
    text_group,
)
from blpo.data.tables import Table
from state.errors import ConfigError, DataError
from state.sample import ImageSource

_COLUMNS = ("caption", "label")
_IMAGE_COLUMNS = ("image0", "image1")
"""Bytes in parquet, file names in JSON."""

_OPTIONAL_COLUMNS = ("id", "source", "info")
"""Copied from a file with such columns, as `original_id`, `source` and `info`."""

_ImageReader = Callable[[SourceRow, int, str], tuple[ImageSource, ImageSource]]


def load_mjbench(source: Path, options: Options) -> PublicSet:
    """Load all pairs of the chosen files. A pair's id is made of the file's name and of the row's id or number."""
    form = options.form if options.form != "pairs" else None
    refuse_options({"--form": form, "--criterion": options.criterion, "--scale": options.scale}, "MJ-Bench")
    files = _files(source, options.subsets)
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)
    active = (ActiveStream(), ActiveStream())
    records: list[Record] = []
    problems: list[SourceProblem] = []
    for file in files:
        table = open_parquet(file) if file.suffix == ".parquet" else read_json_table(file)
        reader = _image_reader(file, table, locator, active)
        file_records, file_problems = _read_file(file, reader, table, options.seed)
        records += file_records
        problems += file_problems
    return PublicSet(pair_description("MJ-Bench", {}), tuple(records), tuple(problems), (*files, *zips))


def _read_file(
    file: Path, read_images: _ImageReader, table: Table, seed: int
) -> tuple[list[Record], list[SourceProblem]]:
    optional = [name for name in _OPTIONAL_COLUMNS if name in table.columns]

    def read_row(row: SourceRow, index: int, place: str) -> Record:
        caption = required_text(row, "caption")
        preferred = required_integer(row, "label", 0, 1)
        row_id = required_text(row, "id") if "id" in optional else f"{index + 1:05}"
        extra = {"subset": file.stem, **{"original_id" if name == "id" else name: row[name] for name in optional}}
        images = read_images(row, index, place)
        return pair_record(f"{file.stem}/{row_id}", images, preferred, place, caption, text_group(caption), extra, seed)

    return read_records(table, [*_COLUMNS, *(_IMAGE_COLUMNS if file.suffix == ".json" else ()), *optional], read_row)


def _image_reader(
    file: Path, table: Table, locator: ImageLocator, active: tuple[ActiveStream, ActiveStream]
) -> _ImageReader:
    require_columns(table, _IMAGE_COLUMNS)
    if file.suffix == ".json":
        return lambda row, _, place: (locator.locate(row["image0"], place), locator.locate(row["image1"], place))
    first, second = (CellStream(file, column, turn) for column, turn in zip(_IMAGE_COLUMNS, active, strict=True))
    return lambda _, index, place: (
        CellImage(first, index, f"{place}: image0"),
        CellImage(second, index, f"{place}: image1"),
    )


def _files(source: Path, subsets: Sequence[str]) -> list[Path]:
    files = [
        *matching_files(source, "*.parquet"),
        *matching_files(source, "*.json"),
        *sorted(source.glob("data/*.parquet")),
    ]
    by_name = {file.stem: file for file in files}
    if not by_name:
        raise DataError(f"{source}: has no .parquet or .json files, nor has its data/")
    if len(by_name) < len(files):
        raise DataError(f"{source}: has two files of one name ({', '.join(sorted(f.name for f in files))}); keep one")
    for subset in subsets:
        if subset not in by_name:
            hint = did_you_mean(subset, list(by_name))
            raise ConfigError(f"--subset {subset}: there are {', '.join(by_name)}{hint}")
    return [by_name[name] for name in subsets or by_name]
