"""From a public set's files as downloaded to a dataset folder of ours."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from blpo.data.dataset import MAX_PROBLEMS, SPLITS
from blpo.data.image_sources import file_stamp
from blpo.data.message_text import did_you_mean
from blpo.data.public.agin import load_agin
from blpo.data.public.folder import ImageFolder, made_beside, write_card, write_config, write_labels
from blpo.data.public.imagereward import load_imagereward
from blpo.data.public.mjbench import load_mjbench
from blpo.data.public.options import SAMPLINGS, Options, chosen
from blpo.data.public.reading import distinct
from blpo.data.public.record import Form, Loaded, Problem, Record
from blpo.data.public.sampling import Drawn, draw
from blpo.data.public.seetrue import load_seetrue
from blpo.data.public.unsafebench import load_unsafebench
from state.errors import ConfigError, DataError
from state.sample import SplitName

LOADERS: Mapping[str, Callable[[Path, Options], Loaded]] = MappingProxyType(
    {
        "agin": load_agin,
        "seetrue": load_seetrue,
        "imagereward": load_imagereward,
        "unsafebench": load_unsafebench,
        "mjbench": load_mjbench,
    }
)
"""The public sets by name."""

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was written."""

    folder: Path
    title: str
    counts: Mapping[SplitName, Mapping[str, int]]
    """Rows by split and label."""
    left_out: tuple[str, ...]
    notes: tuple[str, ...]


def load_public(name: str, source: Path, options: Options) -> Loaded:
    """Load a set's rows without reading an image; ids are unique.

    Raises `ConfigError` for a set or choice that there is not, `DataError` for files that can't be read.
    """
    if name not in LOADERS:
        raise ConfigError(
            f"{name}: is no public set; there are {', '.join(LOADERS)}{did_you_mean(name, list(LOADERS))}"
        )
    chosen("--sample", options.sample, SAMPLINGS, "every set")
    loaded = LOADERS[name](source, options)
    records, doubled = distinct(loaded.records)
    problems = (*loaded.problems, *doubled)
    return Loaded(loaded.form, tuple(records), problems, loaded.files, loaded.notes)


def prepare(
    name: str, source: Path, out: Path, options: Options | None = None, count: Callable[[int, int], None] | None = None
) -> Prepared:
    """Write the sample as a dataset folder with labels.csv, images/, config.yaml and source.json.

    Only the images of the sample are read, one at a time. `count` is told how many images are written, and of how many.
    The folder appears when it is whole. Raises `DataError` with every bad row, unless `skip_bad_rows`; where
    there are too few rows, unless `take_fewer`; and where `out` is there already. `ConfigError`: as `load_public`.
    """
    options = options or Options()
    with made_beside(out) as draft:
        loaded = load_public(name, source, options)
        _allow(loaded.problems, options)
        records, drawn, images, unreadable = _with_images(loaded, options, draft, count or _uncounted)
        problems = [*loaded.problems, *unreadable]
        _require_rows(records, loaded, problems)
        write_labels(draft, records, drawn.splits, images)
        divided = _divided_groups(records, drawn.splits)
        grouped = any(record.group for record in records) and not divided
        write_config(draft, loaded.form, drawn.splits.values(), grouped, options.seed)
        notes = (*loaded.notes, *drawn.notes, *_about_groups(divided))
        left_out = tuple(problem.text for problem in problems)
        prepared = Prepared(out, loaded.form.title, _counts(loaded.form, records, drawn.splits), left_out, notes)
        rows = {
            "usable": len(loaded.records) - len(unreadable),
            "sampled": len(records),
            "left_out": sum(problem.rows for problem in problems),
        }
        files = {os.path.relpath(file, source): file_stamp(str(file), file.name) for file in loaded.files}
        about = {"format": FORMAT, "name": name, "title": prepared.title, **asdict(options), "counts": prepared.counts}
        write_card(draft, {**about, "rows": rows, "left_out": left_out, "notes": notes, "files": files})
    return prepared


def _with_images(
    loaded: Loaded, options: Options, draft: Path, count: Callable[[int, int], None]
) -> tuple[list[Record], Drawn, dict[str, list[str]], list[Problem]]:
    """Draw a sample and write its images; with `skip_bad_rows`, draw again without the rows whose images are broken."""
    usable = {record.id: record for record in loaded.records}
    images, written = ImageFolder(draft), dict[str, list[str]]()
    unreadable: list[Problem] = []
    while True:
        drawn = draw(loaded.form, list(usable.values()), options)
        chosen = [record for record in usable.values() if record.id in drawn.splits]
        problems = []
        for done, record in enumerate(chosen, start=1):
            if record.id not in written:
                try:
                    written[record.id] = images.write(record)
                except DataError as error:
                    problems.append(Problem(str(error)))
                    del usable[record.id]
            count(done, len(chosen))
        unreadable += problems
        _allow(problems, options)
        if not problems:
            images.keep({path for record in chosen for path in written[record.id]})
            return chosen, drawn, written, unreadable


def _allow(problems: Sequence[Problem], options: Options) -> None:
    if not problems or options.skip_bad_rows:
        return
    rows = sum(problem.rows for problem in problems)
    more = f"{rows} rows can't be used, the first: " if rows > 1 else ""
    shown = tuple(problem.text for problem in problems[:MAX_PROBLEMS])
    if len(problems) > MAX_PROBLEMS:
        shown = (*shown, f"and {len(problems) - MAX_PROBLEMS} more")
    raise DataError(f"{more}{problems[0].text}; --skip-bad-rows leaves such rows out and lists them", shown)


def _require_rows(records: Sequence[Record], loaded: Loaded, problems: Sequence[Problem]) -> None:
    if not records:
        first = f", the first: {problems[0].text}" if problems else ""
        raise DataError(f"{loaded.form.title}: no usable row was found ({len(problems)} problems{first})")


def _counts(form: Form, records: Sequence[Record], splits: Mapping[str, SplitName]) -> dict[SplitName, dict[str, int]]:
    found = Counter((splits[record.id], record.label) for record in records)
    return {split: {str(label): found[split, label] for label in form.task.values} for split in SPLITS}


def _divided_groups(records: Sequence[Record], splits: Mapping[str, SplitName]) -> int:
    places: dict[str, set[SplitName]] = {}
    for record in records:
        if record.group is not None:
            places.setdefault(record.group, set()).add(splits[record.id])
    return sum(len(found) > 1 for found in places.values())


def _about_groups(divided: int) -> tuple[str, ...]:
    if not divided:
        return ()
    return (f"{divided} texts are in several splits, as the source's own splits have them: config.yaml names no group",)


def _uncounted(done: int, total: int) -> None:
    pass
