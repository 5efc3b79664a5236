"""AGIN: naturalness of AI-generated images, rated by people (Chen et al. 2023).

Download: images, in a folder or a zip archive, and a CSV with `filename, MOS_nat, MOS_tech, MOS_rat`. The set has no
splits. The scale of the mean opinion scores is not documented, so the user gives the scale. The scale is cut into five
classes of equal width, with the lowest score in class 1 and the highest in class 5.
"""

from pathlib import Path

from blpo.data.labels import as_number
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet, Record, SetDescription
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_records, required_text
from blpo.data.tables import open_table
from state.errors import ConfigError
from state.settings import TaskSettings

_CRITERIA = {
    "naturalness": ("MOS_nat", "how natural it looks as a whole"),
    "technical": ("MOS_tech", "how natural it looks technically: sharpness, noise, light, colours, artefacts"),
    "rationality": ("MOS_rat", "how rational what it shows is: whether things exist, fit together and make sense"),
}
"""Column of the mean opinion score, and the question to the raters."""

CLASSES = 5


def load_agin(source: Path, options: Options) -> PublicSet:
    """Load the ratings of a criterion as classes 1 to 5."""
    refuse_options({"--form": options.form, "--subset": options.subsets}, "AGIN")
    criterion = require_choice("--criterion", options.criterion, tuple(_CRITERIA), "AGIN")
    low, high = _scale(options)
    column, _ = _CRITERIA[criterion]
    file = only_file(source, "*.csv", "the table of mean opinion scores")
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)

    def read_row(row: SourceRow, _: int, place: str) -> Record:
        name = required_text(row, "filename")
        label = score_class(row[column], column, low, high)
        scores = {column.lower(): row[column] for column, _ in _CRITERIA.values()}
        return Record(name, (locator.locate(name, place),), label, place, str(label), extra=scores)

    columns = ["filename", *(column for column, _ in _CRITERIA.values())]
    records, problems = read_records(open_table(str(file)), columns, read_row)
    return PublicSet(
        _description(criterion),
        tuple(records),
        tuple(problems),
        (file, *zips),
        (f"{column} from {low:g} to {high:g} was cut into five classes of equal width",),
    )


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
        {"train": 4839, "validation": 605, "test": 605},
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
