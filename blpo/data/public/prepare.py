"""From the downloaded files of a public set to a dataset folder."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from blpo.data.dataset import MAX_PROBLEMS, SPLITS
from blpo.data.image_sources import file_stamp
from blpo.data.public.image_folder import ImageFolder
from blpo.data.public.loaders import load_public
from blpo.data.public.preparation_options import Options
from blpo.data.public.prepared_folder import draft_folder, write_config, write_labels, write_source_card
from blpo.data.public.public_set import PublicSet, Record, SourceProblem
from blpo.data.public.sampling import DrawnSample, draw_sample
from state.errors import DataError
from state.sample import SplitName

ImageProgress = Callable[[int, int], None]
"""Function of the number of written images and of all images."""

_FORMAT = 1
"""Version of source.json."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Prepared dataset folder."""

    folder: Path
    title: str
    counts: Mapping[SplitName, Mapping[str, int]]
    """Rows by split and label."""
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


def prepare(
    name: str, source: Path, out: Path, options: Options | None = None, count: ImageProgress | None = None
) -> Prepared:
    """Write a sample as a dataset folder with labels.csv, images/, config.yaml and source.json.

    Only the images of the sample are read, and at most one image is in memory. `count` is called with the number of
    written images and of all images. The folder appears when it is complete. Raises `DataError` with every faulty row
    (unless `skip_bad_rows`), for too few rows (unless `take_fewer`), and for an `out` that exists. Raises `ConfigError`
    as `load_public`.
    """
    options = options or Options()
    with draft_folder(out) as draft:
        loaded = load_public(name, source, options)
        _refuse_problems(loaded.problems, options)
        sample = _draw_with_images(loaded, options, draft, count or _no_progress)
        problems, splits = [*loaded.problems, *sample.unreadable], sample.draw.splits
        _require_rows(sample.records, loaded, problems)
        write_labels(draft, sample.records, splits, sample.images)
        divided = _divided_groups(sample.records, splits)
        is_grouped = any(record.group for record in sample.records) and not divided
        write_config(draft, loaded.description, splits.values(), is_grouped, options.seed)
        prepared = Prepared(
            out,
            loaded.description.title,
            _counts(loaded, sample.records, splits),
            tuple(problem.text for problem in problems),
            (*loaded.notes, *sample.draw.notes, *_note_on_groups(divided)),
        )
        write_source_card(draft, _source_card(name, source, options, loaded, sample, prepared))
    return prepared


def _source_card(
    name: str, source: Path, options: Options, loaded: PublicSet, sample: _Sample, prepared: Prepared
) -> dict[str, object]:
    problems = (*loaded.problems, *sample.unreadable)
    return {
        **{"format": _FORMAT, "name": name, "title": prepared.title},
        **asdict(options),
        "counts": prepared.counts,
        "rows": {
            "usable": len(loaded.records) - len(sample.unreadable),
            "sampled": len(sample.records),
            "left_out": sum(problem.rows for problem in problems),
        },
        "left_out": prepared.left_out,
        "notes": prepared.notes,
        "files": {os.path.relpath(file, source): file_stamp(str(file), file.name) for file in loaded.files},
    }


def _draw_with_images(loaded: PublicSet, options: Options, draft: Path, count: ImageProgress) -> _Sample:
    """Draw a sample and copy its images. With `skip_bad_rows`, draw again without the rows of broken images."""
    usable = {record.id: record for record in loaded.records}
    folder, images = ImageFolder(draft), dict[str, list[str]]()
    unreadable: list[SourceProblem] = []
    while True:
        draw = draw_sample(loaded.description, list(usable.values()), options)
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
        _refuse_problems(problems, options)
        if not problems:
            folder.keep({path for record in records for path in images[record.id]})
            return _Sample(draw, records, images, unreadable)


def _refuse_problems(problems: Sequence[SourceProblem], options: Options) -> None:
    if not problems or options.skip_bad_rows:
        return
    rows = sum(problem.rows for problem in problems)
    more = f"{rows} rows can't be used, the first: " if rows > 1 else ""
    texts = tuple(problem.text for problem in problems[:MAX_PROBLEMS])
    if len(problems) > MAX_PROBLEMS:
        texts = (*texts, f"and {len(problems) - MAX_PROBLEMS} more")
    raise DataError(f"{more}{problems[0].text}; --skip-bad-rows leaves such rows out and lists them", texts)


def _require_rows(records: Sequence[Record], loaded: PublicSet, problems: Sequence[SourceProblem]) -> None:
    if not records:
        first = f", the first: {problems[0].text}" if problems else ""
        raise DataError(f"{loaded.description.title}: no usable row was found ({len(problems)} problems{first})")


def _counts(
    loaded: PublicSet, records: Sequence[Record], splits: Mapping[str, SplitName]
) -> dict[SplitName, dict[str, int]]:
    counts = Counter((splits[record.id], record.label) for record in records)
    labels = loaded.description.task.values
    return {split: {str(label): counts[split, label] for label in labels} for split in SPLITS}


def _divided_groups(records: Sequence[Record], splits: Mapping[str, SplitName]) -> int:
    homes: dict[str, set[SplitName]] = {}
    for record in records:
        if record.group is not None:
            homes.setdefault(record.group, set()).add(splits[record.id])
    return sum(len(names) > 1 for names in homes.values())


def _note_on_groups(divided: int) -> tuple[str, ...]:
    if not divided:
        return ()
    return (f"{divided} texts are in several splits of the source, so config.yaml names no group",)


def _no_progress(done: int, total: int) -> None:
    pass
