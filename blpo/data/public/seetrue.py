"""SeeTRUE: agreement of images with texts (Yarom et al. 2023).

Download: `SeeTRUE.csv` with `image, text, label, original_dataset_id, dataset_source` (6,930 rows, 602 texts) and
`images.zip` (5.4 GB), unpacked or not. Label 1 means that image and text match. Texts repeat, so the rows of a text are
a group.
"""

from pathlib import Path

from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.mt_rl_judge import published_counts
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, Record, SetDescription
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_records, required_integer, required_text, text_group
from blpo.data.tables import open_table
from state.settings import TaskSettings

_COLUMNS = ("image", "text", "label", "original_dataset_id", "dataset_source")
_LABELS = ("mismatch", "match")
"""Labels for 0 and 1 in the source."""

_DESCRIPTION = SetDescription(
    "SeeTRUE",
    TaskSettings(kind="categorical", labels=_LABELS, positive="match"),
    "Look at the image and read the text. Decide whether the image shows what the text says: match or mismatch.",
    dict.fromkeys(_LABELS, 100),
    published_counts("SeeTRUE", _LABELS),
)


def load_seetrue(source: Path, options: Options) -> PublicSet:
    """Load images and texts, with the label match or mismatch."""
    inapplicable = {"--form": options.form, "--criterion": options.criterion, "--scale": options.scale}
    refuse_options({**inapplicable, "--subset": options.subsets}, "SeeTRUE")
    file = only_file(source, "SeeTRUE.csv", "the table of labels")
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)

    def read_row(row: SourceRow, _: int, place: str) -> Record:
        name, text = required_text(row, "image"), required_text(row, "text")
        label = _LABELS[required_integer(row, "label", 0, 1)]
        extra = {column: row[column] for column in _COLUMNS[3:]}
        return Record(name, (locator.locate(name, place),), label, place, label, text, text_group(text), extra=extra)

    records, problems = read_records(open_table(str(file)), _COLUMNS, read_row)
    return PublicSet(_DESCRIPTION, tuple(records), tuple(problems), (file, *zips))
