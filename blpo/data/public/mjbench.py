"""MJ-Bench: preferences between two images for a text (Chen et al. 2024).

Download: parquet files (alignment, safety, quality ...) with `caption, image0, image1, label` and perhaps
`info, category, subcategory, model`, images as bytes, in the folder or in `data/`; or lists in JSON with
`id, source, caption, image0, image1, label`, images as file names. Label 0 means that people prefer image0. About 90 %
of the labels are 0, so the order of images is shuffled. No file of the set has ties.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from blpo.data.message_text import did_you_mean
from blpo.data.parquet_table import open_parquet
from blpo.data.public.hub_files import CellImages
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, SourceProblem
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

_OPTIONAL_COLUMNS = ("id", "source", "info", "category", "subcategory", "model")
"""Copied from a file with such columns; `id` becomes `original_id`."""

_ImageReader = Callable[[SourceRow, int, str], tuple[ImageSource, ImageSource]]


def load_mjbench(source: Path, options: Options) -> PublicSet:
    """Load all pairs of the chosen files. A pair's id is made of the file's name and of the row's id or number."""
    form = options.form if options.form != "pairs" else None
    inapplicable = {"--form": form, "--criterion": options.criterion, "--scale": options.scale, "--ties": options.ties}
    refuse_options(inapplicable, "MJ-Bench")
    files = _files(source, options.subsets)
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)
    cells = CellImages(_IMAGE_COLUMNS)
    pairs: list[SourcePair] = []
    problems: list[SourceProblem] = []
    for file in files:
        table = open_parquet(file) if file.suffix == ".parquet" else read_json_table(file)
        file_pairs, file_problems = _read_file(file, _image_reader(file, table, locator, cells), table)
        pairs += file_pairs
        problems += file_problems
    description = pair_description("MJ-Bench", options, is_test_set=True)
    records, notes = pair_records(pairs, options)
    return PublicSet(description, records, tuple(problems), (*files, *zips), notes)


def _read_file(file: Path, read_images: _ImageReader, table: Table) -> tuple[list[SourcePair], list[SourceProblem]]:
    optional = [name for name in _OPTIONAL_COLUMNS if name in table.columns]

    def read_row(row: SourceRow, index: int, place: str) -> SourcePair:
        caption = required_text(row, "caption")
        preferred = required_integer(row, "label", 0, 1)
        name = required_text(row, "id") if "id" in optional else f"{index + 1:05}"
        extra = {"subset": file.stem, **{"original_id" if name == "id" else name: row[name] for name in optional}}
        images, group = read_images(row, index, place), text_group(caption)
        return SourcePair(f"{file.stem}/{name}", place, preferred, images, text=caption, group=group, extra=extra)

    return read_records(table, [*_COLUMNS, *(_IMAGE_COLUMNS if file.suffix == ".json" else ()), *optional], read_row)


def _image_reader(file: Path, table: Table, locator: ImageLocator, cells: CellImages) -> _ImageReader:
    require_columns(table, _IMAGE_COLUMNS)
    if file.suffix == ".json":
        return lambda row, _, place: (locator.locate(row["image0"], place), locator.locate(row["image1"], place))
    images = cells.open(file, table)
    return lambda _, index, place: (images.image("image0", index, place), images.image("image1", index, place))


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
