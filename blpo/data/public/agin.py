"""AGIN: naturalness of AI-generated images, rated by people (Chen et al. 2023).

Download: images, in a folder or a zip archive, and a CSV with `filename, MOS_nat, MOS_tech, MOS_rat`. The set has no
splits. The scale of the mean opinion scores is not documented, so the user gives the scale. The scale is cut into five
classes of equal width, with the lowest score in class 1 and the highest in class 5. The tasks of MT-RL-Judge cut the
scores once, at a threshold, and need no scale.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from blpo.data.labels import as_number
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.mt_rl_judge import label_by_threshold, published_counts, required_score
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet, Record, SetDescription
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_records, required_text
from blpo.data.tables import open_table
from state.errors import ConfigError
from state.sample import Label
from state.settings import TaskSettings

_YES_NO = {
    "naturalness": ("AGIN-Nat", ("unnatural", "natural"), "whether it looks natural as a whole"),
    "technical": ("AGIN-Tech", ("flawed", "sound"), "whether it looks technically sound: no blur, noise or artefacts"),
    "rationality": (
        "AGIN-Rat",
        ("irrational", "rational"),
        "whether what it shows exists, fits together and makes sense",
    ),
}
"""Task of MT-RL-Judge, labels of a defect and of a fine image, and the question."""

_CRITERIA = {
    "naturalness": ("MOS_nat", "how natural it looks as a whole"),
    "technical": ("MOS_tech", "how natural it looks technically: sharpness, noise, light, colours, artefacts"),
    "rationality": ("MOS_rat", "how rational what it shows is: whether things exist, fit together and make sense"),
}
"""Column of the mean opinion score, and the question to the raters."""

CLASSES = 5


def load_agin(source: Path, options: Options) -> PublicSet:
    """Load the ratings of a criterion as classes 1 to 5, or as yes/no labels for the sample `mt-rl-judge`."""
    refuse_options({"--form": options.form, "--subset": options.subsets}, "AGIN")
    criterion = require_choice("--criterion", options.criterion, tuple(_CRITERIA), "AGIN")
    if options.sample == "mt-rl-judge":
        return _yes_no(source, criterion, options)
    low, high = _scale(options)
    column, _ = _CRITERIA[criterion]
    note = f"{column} from {low:g} to {high:g} was cut into five classes of equal width"
    loaded = _ratings(source, lambda row: score_class(row[column], column, low, high), _description(criterion))
    return replace(loaded, notes=(note,))


def _yes_no(source: Path, criterion: str, options: Options) -> PublicSet:
    """Load the yes/no labels of a task of MT-RL-Judge."""
    refuse_options({"--scale": options.scale}, "AGIN's yes/no labels")
    column, _ = _CRITERIA[criterion]
    task, labels, question = _YES_NO[criterion]
    description = SetDescription(
        f"AGIN {criterion}, yes/no",
        TaskSettings(kind="categorical", labels=labels, positive=labels[1]),
        f"Look at the image, which a program may have generated. Decide {question}: {labels[1]} or {labels[0]}.",
        counts=published_counts(task, labels),
    )

    def label_before_the_cut(row: SourceRow) -> Label:
        required_score(row, column)
        return labels[0]

    loaded = _ratings(source, label_before_the_cut, description)
    scores = [required_score(record.extra, column.lower()) for record in loaded.records]
    cut = label_by_threshold(loaded.records, {column: scores}, description.counts)
    return loaded if cut is None else replace(loaded, records=cut.records, notes=(cut.note,))


def _ratings(source: Path, label_of: Callable[[SourceRow], Label], description: SetDescription) -> PublicSet:
    file = only_file(source, "*.csv", "the table of mean opinion scores")
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)

    def read_row(row: SourceRow, _: int, place: str) -> Record:
        name = required_text(row, "filename")
        label = label_of(row)
        scores = {column.lower(): row[column] for column, _ in _CRITERIA.values()}
        return Record(name, (locator.locate(name, place),), label, place, str(label), extra=scores)

    columns = ["filename", *(column for column, _ in _CRITERIA.values())]
    records, problems = read_records(open_table(str(file)), columns, read_row)
    return PublicSet(description, tuple(records), tuple(problems), (file, *zips))


def score_class(score: object, column: str, low: float, high: float) -> int:
    """Return the class, 1 to 5, of a mean opinion score in [low, high]. Raises `ValueError` for any other score."""
    number = as_number(score)
    if number is None or not low <= number <= high:
        raise ValueError(f"{column} {display_text(score)} is not a number from {low:g} to {high:g} (--scale)")
    return min(CLASSES, 1 + int((number - low) / (high - low) * CLASSES))


def _description(criterion: str) -> SetDescription:
    _, question = _CRITERIA[criterion]
    return SetDescription(
        f"AGIN {criterion}",
        TaskSettings(min=1, max=CLASSES),
        f"Look at the image, which a program may have generated. Rate {question}, from 1 (lowest) to 5 (highest).",
        {str(label): 20 for label in range(1, CLASSES + 1)},
    )


def _scale(options: Options) -> tuple[float, float]:
    if options.scale is None:
        raise ConfigError(
            "--scale LOW HIGH is missing: the lowest and highest possible score of AGIN's MOS; the "
            "authors do not document the scale"
        )
    low, high = options.scale
    if not low < high or max(abs(low), abs(high)) > 1e9:
        raise ConfigError(f"--scale {low:g} {high:g}: the lowest score must be below the highest")
    return low, high
