"""Images with ratings or ranks, from a configuration, a labels file or a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blpo.config.settings_file import load_settings
from blpo.data.dataset import read_samples
from blpo.data.pairing.pairing_options import PairingOptions
from blpo.data.project_data import ColumnNames, data_at
from blpo.data.public.public_set import SourceProblem
from blpo.data.public.ranked_pairs import ScoredImage
from blpo.data.public.source_rows import text_group
from blpo.data.rows import Row
from blpo.data.tables import open_table
from state.errors import ConfigError, DataError
from state.settings import DataSettings, Settings, SplitColumn, TaskSettings

_WIDEST = 10**9
_SCALE = TaskSettings.model_construct(kind="ordinal", min=-_WIDEST, max=_WIDEST, round="none")
"""Scale of any number. `TaskSettings` itself refuses a scale that no judge could answer on."""

_CONFIGS = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Images with scores, and what could not be read."""

    images: tuple[ScoredImage, ...]
    problems: tuple[SourceProblem, ...]
    notes: tuple[str, ...]
    data: DataSettings
    file: Path | None
    """File of the labels; None for a dataset folder of another form."""


def scored_rows(source: Path, options: PairingOptions, overrides: Sequence[str] = ()) -> ScoredRows:
    """Read all images with their scores.

    Raises `DataError` for a table without the columns or without a group, and `ConfigError` for a faulty config.
    """
    settings = _settings(source, options, overrides)
    data = _columns(settings.data, source, options)
    rows = read_samples(data, _SCALE)
    if several := next((row for row in rows.usable if len(row.sample.images) > 1), None):
        raise DataError(f"{several.place}: has several images with one label; pairs are made of single images")
    sign = -1 if (options.best or settings.task.best) == "lowest" else 1
    images = tuple(_images(rows.usable, sign, data))
    problems = [SourceProblem(text.replace(f" from {-_WIDEST} to {_WIDEST}", "")) for text in rows.problems]
    path = Path(str(data.path))
    file = path / "labels.csv" if path.is_dir() else path
    notes = *rows.warnings, *_notes(images, len(rows.usable))
    return ScoredRows(images, tuple(problems), notes, data, file if file.is_file() else None)


def _settings(source: Path, options: PairingOptions, overrides: Sequence[str]) -> Settings:
    """Return the settings of a config, or settings with the proposed section `data` of a folder."""
    config = source / "config.yaml" if source.is_dir() else source
    if config.is_file() and config.suffix.lower() in _CONFIGS:
        return load_settings(config, overrides)
    section = data_at(Path.cwd(), source, ColumnNames(label=options.label)).section
    return load_settings({"data": dict(section)}, overrides)


def _columns(data: DataSettings, source: Path, options: PairingOptions) -> DataSettings:
    """Return the section `data` with the columns of the options, for all rows of the table."""
    if data.path is None:
        raise ConfigError(f"{source}: names no data.path; pairs need a folder or a labels file")
    if data.pair is not None:
        raise ConfigError(f"{source}: the rows are pairs already ({' and '.join(data.pair)})")
    if options.group is not None and options.group not in open_table(data.path).columns:
        raise DataError(f"{data.path}: has no column {options.group!r} (--group)")
    columns = {"label": options.label or data.label, "group": options.group or data.group}
    return data.model_copy(update={**columns, "threshold": None, "limit": None, "corrections": None})


def _images(rows: Sequence[Row], sign: int, data: DataSettings) -> Iterator[ScoredImage]:
    """Yield the image of every row with a group. The text of a group is None where its images have different texts."""
    texts: dict[str, set[str | None]] = {}
    for row in rows:
        texts.setdefault(_unit(row, data), set()).add(text_group(row.sample.text))
    for row in rows:
        sample, unit = row.sample, _unit(row, data)
        score = float(sample.label or 0) if sample.rating is None else sample.rating
        yield ScoredImage(
            unit,
            sample.id,
            sample.images[0],
            sign * score,
            row.place,
            sample.text if len(texts[unit]) == 1 else None,
            unit,
            row.split if isinstance(data.split, SplitColumn) else None,
            sided={"image_id": sample.id, "rating": score},
            ratings={rating.rater: sign * float(rating.value) for rating in sample.ratings},
        )


def _unit(row: Row, data: DataSettings) -> str:
    """Return the group of a row. Raises `DataError` for a table without groups and texts, and for an empty cell."""
    unit = row.sample.group if data.group is not None else text_group(row.sample.text)
    if unit is None and data.group is not None:
        raise DataError(f"{row.place}: the group is missing (column {data.group})")
    if unit is None:
        raise DataError(f"{row.place}: has no group and no text; name the column of the prompt with --group")
    return unit


def _notes(images: Sequence[ScoredImage], rows: int) -> Iterator[str]:
    sizes: dict[str, int] = {}
    for image in images:
        sizes[image.unit] = sizes.get(image.unit, 0) + 1
    alone = sum(size == 1 for size in sizes.values())
    yield f"{rows} images in {len(sizes)} groups" + (f", {alone} of them with a single image" if alone else "")
    raters = {rater for image in images for rater in image.ratings}
    if raters:
        yield f"ratings of {len(raters)} people: every person who rated both images of a pair has a preference"
