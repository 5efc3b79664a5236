"""AGIQA-3K: quality of AI-generated images, and their alignment with the prompt (Li et al. 2023).

Download: `data.csv` with `name, prompt, adj1, adj2, style, mos_quality, std_quality, mos_align, std_align` (2,982
images of 300 prompts), and the images, in a folder or a zip archive beside the table. The scores are means of people,
normalised to 0 to 5. The set has no splits; images of one prompt are a group.
"""

from pathlib import Path

from blpo.data.labels import as_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.mean_scores import chosen_criteria, class_of, mean_score, score_description
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, Record, SetCriterion
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_records, required_text, text_group
from blpo.data.tables import open_table

LOW, HIGH = 0, 5
_CRITERIA = (
    SetCriterion("quality", "mos_quality", "how good the image looks, whatever its text"),
    SetCriterion("alignment", "mos_align", "how well the image matches its text"),
)
_DEVIATIONS = ("std_quality", "std_align")
_WORDS = ("adj1", "adj2", "style")
"""Words of the prompt, empty for some images."""


def load_agiqa3k(source: Path, options: Options) -> PublicSet:
    """Load the mean scores of both criteria, or of `--criterion`."""
    inapplicable = {"--form": options.form, "--scale": options.scale, "--subset": options.subsets}
    refuse_options({**inapplicable, "--ties": options.ties}, "AGIQA-3K")
    criteria = chosen_criteria(options.criterion, _CRITERIA, "AGIQA-3K")
    file, zips = only_file(source, "*.csv", "the table of scores"), zip_archives(source)
    locator = ImageLocator(source, zips)

    def read_row(row: SourceRow, _: int, place: str) -> Record:
        name, prompt = required_text(row, "name"), required_text(row, "prompt")
        scores = {each.column: mean_score(row[each.column], each.column, LOW, HIGH) for each in _CRITERIA}
        label = class_of(scores, criteria)
        further = {column: as_text(row[column]) for column in (*_DEVIATIONS, *_WORDS)}
        image = locator.locate(_path(source, name), place)
        return Record(name, (image,), label, place, str(label), prompt, text_group(prompt), extra={**scores, **further})

    columns = ["name", "prompt", *(each.column for each in _CRITERIA), *_DEVIATIONS, *_WORDS]
    records, problems = read_records(open_table(str(file)), columns, read_row)
    description = score_description("AGIQA-3K", criteria, LOW, HIGH)
    return PublicSet(description, tuple(records), tuple(problems), (file, *zips))


def _path(source: Path, name: str) -> str:
    """Return the path of an image: unpacked into the folder or into its `images/`, or in an archive."""
    return f"images/{name}" if (source / "images").is_dir() else name
