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
from blpo.data.rows import Row
from blpo.data.tables import open_table
from state.errors import ConfigError, DataError
from state.settings import DataSettings, SplitColumn, TaskSettings

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
    data = _data(source, options, overrides)
    rows = read_samples(data, _SCALE)
    images = tuple(_images(rows.usable, options, data))
    problems = [SourceProblem(text.replace(f" from {-_WIDEST} to {_WIDEST}", "")) for text in rows.problems]
    path = Path(str(data.path))
    file = path if path.is_file() else next((f for f in (path / "labels.csv",) if f.is_file()), None)
    return ScoredRows(images, tuple(problems), (*rows.warnings, *_notes(images, len(rows.usable))), data, file)


def _data(source: Path, options: PairingOptions, overrides: Sequence[str]) -> DataSettings:
    """Return the section `data` of the config, or the proposed section of a folder, with the columns of the options."""
    config = source / "config.yaml"
    source = config if config.is_file() else source
    if source.suffix.lower() in _CONFIGS:
        data = load_settings(source, overrides).data
    else:
        section = data_at(Path.cwd(), source, ColumnNames(label=options.label)).section
        data = load_settings({"data": dict(section)}, overrides).data
    if data.path is None:
        raise ConfigError(f"{source}: names no data.path; pairs need a folder or a labels file")
    if not isinstance(data.image, str):
        raise ConfigError(f"{source}: data.image names two columns, so the rows are pairs already")
    columns = {"label": options.label or data.label, "group": options.group or data.group}
    whole = {"threshold": None, "limit": None, "corrections": None}
    data = data.model_copy(update={**columns, **whole})
    if options.group is not None and options.group not in open_table(str(data.path)).columns:
        raise DataError(f"{data.path}: has no column {options.group!r} (--group)")
    return data


def _images(rows: Sequence[Row], options: PairingOptions, data: DataSettings) -> Iterator[ScoredImage]:
    """Yield the image of every row with a group. The text of a group is None where its images have different texts."""
    sign = 1 if options.best == "high" else -1
    texts: dict[str, set[str | None]] = {}
    for row in rows:
        texts.setdefault(_unit(row, data), set()).add(row.sample.text)
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
    unit = row.sample.group if data.group is not None else row.sample.text
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
