"""Writer of a set's dataset folder: labels.csv, images/, config.yaml, source.json, and ratings.csv of raters."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from blpo.data.image_sources import file_stamp
from blpo.data.public.image_folder import ImageFolder
from blpo.data.public.label_columns import LabelColumns
from blpo.data.public.prepared_config import write_config
from blpo.data.public.prepared_folder import draft_folder, write_labels, write_ratings, write_source_card
from blpo.data.public.public_set import PublicSet, Record, SourceProblem
from blpo.data.public.sampling import DrawnSample
from blpo.data.public.set_counts import (
    counts_by_split,
    divided_groups,
    note_on_groups,
    refuse_problems,
    require_records,
)
from state.errors import DataError

ImageProgress = Callable[[int, int], None]
"""Function of the number of written images and of all images."""

_FORMAT = 1
"""Version of source.json."""


@dataclass(frozen=True, slots=True)
class SetSource:
    """Source of a set, and the draw of the records to write."""

    folder: Path
    """Folder of the source's files."""
    load: Callable[[], PublicSet]
    draw: Callable[[PublicSet, Sequence[Record]], DrawnSample]
    """Function of the set and of its usable records."""
    command: str
    """Command below `blpo data`."""
    card: Mapping[str, object]
    """Name and options for source.json."""
    seed: int
    skip_bad_rows: bool = False
    shares: Mapping[str, float] | None = None
    """Shares of the splits that the config draws; None: the usual shares."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Prepared dataset folder."""

    folder: Path
    title: str
    counts: Mapping[str, Mapping[str, int]]
    """Rows by split and label; a single entry `all` for a folder without splits."""
    left_out: tuple[str, ...]
    """Faulty rows."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sample:
    """Drawn sample with its copied images."""

    draw: DrawnSample
    records: list[Record]
    images: dict[str, list[str]]
    """Paths in the folder, by record id."""
    unreadable: list[SourceProblem]


def write_set(source: SetSource, out: Path, count: ImageProgress | None = None) -> Prepared:
    """Write the drawn records as a dataset folder. The folder appears when it is complete.

    Only the images of the drawn records are read, and at most one image is in memory. `count` is called with the number
    of written images and of all images. Raises `DataError` with every faulty row (unless `skip_bad_rows`), for a set
    without a usable row, and for an `out` that exists.
    """
    with draft_folder(out) as draft:
        loaded = source.load()
        refuse_problems(loaded.problems, skip_bad_rows=source.skip_bad_rows)
        sample = _draw_with_images(loaded, source, draft, count or _no_progress)
        problems, splits = [*loaded.problems, *sample.unreadable], sample.draw.splits
        require_records(sample.records, loaded, problems)
        divided = divided_groups(sample.records, splits)
        is_grouped = any(record.group for record in sample.records) and not divided
        columns = LabelColumns.of(sample.records, splits, is_grouped=is_grouped)
        write_labels(draft, sample.records, columns, splits, sample.images)
        if columns.has_ratings:
            write_ratings(draft, sample.records)
        shares = {} if source.shares is None else {"shares": source.shares}
        write_config(draft, loaded.description, columns, splits.values(), source.seed, source.command, **shares)
        prepared = Prepared(
            out,
            loaded.description.title,
            counts_by_split(loaded, sample.records, splits),
            tuple(problem.text for problem in problems),
            (*loaded.notes, *sample.draw.notes, *note_on_groups(divided)),
        )
        write_source_card(draft, _source_card(source, loaded, sample, prepared))
    return prepared


def _source_card(source: SetSource, loaded: PublicSet, sample: _Sample, prepared: Prepared) -> dict[str, object]:
    problems = (*loaded.problems, *sample.unreadable)
    return {
        **{"format": _FORMAT, "title": prepared.title},
        **source.card,
        "counts": prepared.counts,
        "rows": {
            "usable": len(loaded.records) - len(sample.unreadable),
            "sampled": len(sample.records),
            "left_out": sum(problem.rows for problem in problems),
        },
        "left_out": prepared.left_out,
        "notes": prepared.notes,
        "files": {os.path.relpath(file, source.folder): file_stamp(str(file), file.name) for file in loaded.files},
    }


def _draw_with_images(loaded: PublicSet, source: SetSource, draft: Path, count: ImageProgress) -> _Sample:
    """Draw a sample and copy its images. With `skip_bad_rows`, draw again without the rows of broken images."""
    usable = {record.id: record for record in loaded.records}
    folder, images = ImageFolder(draft), dict[str, list[str]]()
    unreadable: list[SourceProblem] = []
    while True:
        draw = source.draw(loaded, list(usable.values()))
        records = [record for record in usable.values() if record.id in draw.splits]
        problems = []
        for done, record in enumerate(records, start=1):
            if record.id not in images:
                try:
                    images[record.id] = folder.write(record)
                except DataError as error:
                    problems.append(SourceProblem(str(error)))
                    del usable[record.id]
            count(done, len(records))
        unreadable += problems
        refuse_problems(problems, skip_bad_rows=source.skip_bad_rows)
        if not problems:
            folder.keep({path for record in records for path in images[record.id]})
            return _Sample(draw, records, images, unreadable)


def _no_progress(done: int, total: int) -> None:
    pass
