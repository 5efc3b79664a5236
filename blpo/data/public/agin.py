"""AGIN: naturalness of AI-generated images, rated by people (Chen et al. 2023).

As downloaded: images, in a folder or a zip archive, and a CSV with `filename, MOS_nat, MOS_tech, MOS_rat`. It has no
splits, and the scale of its mean opinion scores is not documented: it must be given, and is cut into five classes of
equal width, the lowest score in class 1 and the highest in class 5.
"""

from pathlib import Path

from blpo.data.labels import as_number
from blpo.data.message_text import display_text
from blpo.data.public.image_places import ImagePlaces
from blpo.data.public.options import Options, chosen, refuse
from blpo.data.public.reading import Row, read_records, wanted_text
from blpo.data.public.record import Form, Loaded, Record
from blpo.data.public.source_files import archives, one_file
from blpo.data.tables import open_table
from state.errors import ConfigError
from state.settings import TaskSettings

CRITERIA = {
    "naturalness": ("MOS_nat", "how natural it looks as a whole"),
    "technical": ("MOS_tech", "how natural it looks technically: sharpness, noise, light, colours, artefacts"),
    "rationality": ("MOS_rat", "how rational what it shows is: whether things exist, fit together and make sense"),
}
"""Column of the mean opinion score, and what was rated."""

CLASSES = 5


def load_agin(source: Path, options: Options) -> Loaded:
    """Load the ratings by one criterion as classes 1 to 5."""
    refuse({"--form": options.form, "--subset": options.subsets}, "AGIN")
    criterion = chosen("--criterion", options.criterion, tuple(CRITERIA), "AGIN")
    low, high = _scale(options)
    column, asked = CRITERIA[criterion]
    file = one_file(source, "*.csv", "the table of mean opinion scores")
    zips = archives(source)
    places = ImagePlaces(source, zips)

    def read(row: Row, _: int, place: str) -> Record:
        name = wanted_text(row, "filename")
        label = score_class(row[column], column, low, high)
        scores = {column.lower(): row[column] for column, _ in CRITERIA.values()}
        return Record(name, (places.find(name, place),), label, place, str(label), extra=scores)

    records, problems = read_records(open_table(str(file)), ["filename", *(c for c, _ in CRITERIA.values())], read)
    prompt = f"Look at the image, which a program may have generated. Rate {asked}, from 1 (lowest) to 5 (highest)."
    balanced = {str(label): 20 for label in range(1, CLASSES + 1)}
    form = Form(
        f"AGIN {criterion}",
        TaskSettings(min=1, max=CLASSES),
        prompt,
        balanced,
        {"train": 4839, "validation": 605, "test": 605},
    )
    return Loaded(
        form,
        tuple(records),
        tuple(problems),
        (file, *zips),
        (f"{column} from {low:g} to {high:g} was cut into five classes of equal width",),
    )


def score_class(score: object, column: str, low: float, high: float) -> int:
    """The class, 1 to 5, of a mean opinion score in [low, high]; raises `ValueError` for any other."""
    held = as_number(score)
    if held is None or not low <= held <= high:
        raise ValueError(f"{column} {display_text(score)} is not a number from {low:g} to {high:g} (--scale)")
    return min(CLASSES, 1 + int((held - low) / (high - low) * CLASSES))


def _scale(options: Options) -> tuple[float, float]:
    if options.scale is None:
        raise ConfigError(
            "--scale LOW HIGH is missing: the lowest and highest score that AGIN's MOS can have; its "
            "authors do not document it"
        )
    low, high = options.scale
    if not low < high or max(abs(low), abs(high)) > 1e9:
        raise ConfigError(f"--scale {low:g} {high:g}: the lowest score must be below the highest")
    return low, high
