"""SeeTRUE: does an image match its text? (Yarom et al. 2023).

As downloaded: `SeeTRUE.csv` with `image, text, label, original_dataset_id, dataset_source` (6,930 rows, 602 texts) and
`images.zip` (5.4 GB), unpacked or not. A label of 1 says that they match. Texts repeat, so rows are grouped by text.
"""

from pathlib import Path

from blpo.data.public.image_places import ImagePlaces
from blpo.data.public.options import Options, refuse
from blpo.data.public.reading import Row, read_records, text_group, wanted_integer, wanted_text
from blpo.data.public.record import Form, Loaded, Record
from blpo.data.public.source_files import archives, one_file
from blpo.data.tables import open_table
from state.settings import TaskSettings

COLUMNS = ("image", "text", "label", "original_dataset_id", "dataset_source")
LABELS = ("mismatch", "match")
"""By the source's 0 and 1."""

FORM = Form(
    "SeeTRUE",
    TaskSettings(kind="categorical", labels=LABELS, positive="match"),
    "Look at the image and read the text. Decide whether the image shows what the text says: match or mismatch.",
    dict.fromkeys(LABELS, 100),
    {"train": 5544, "validation": 693, "test": 693},
)


def load_seetrue(source: Path, options: Options) -> Loaded:
    """Load images, texts and whether they match."""
    given = {"--form": options.form, "--criterion": options.criterion, "--scale": options.scale}
    refuse({**given, "--subset": options.subsets}, "SeeTRUE")
    file = one_file(source, "SeeTRUE.csv", "the table of labels")
    zips = archives(source)
    places = ImagePlaces(source, zips)

    def read(row: Row, _: int, place: str) -> Record:
        name, text = wanted_text(row, "image"), wanted_text(row, "text")
        label = LABELS[wanted_integer(row, "label", 0, 1)]
        extra = {column: row[column] for column in COLUMNS[3:]}
        return Record(name, (places.find(name, place),), label, place, label, text, text_group(text), extra=extra)

    records, problems = read_records(open_table(str(file)), COLUMNS, read)
    return Loaded(FORM, tuple(records), tuple(problems), (file, *zips))
