"""EvalMuse-40K: how well generated images match their prompts, as a whole and element by element (Han et al. 2024).

Download: `train_list.json` with `prompt_id, prompt, type, img_path, total_score, element_score` and further columns,
and the images as `images.zip` (the joined parts) or unpacked. `total_score` lists the ratings of people, 1 to 5.
`element_score` has for each element of the prompt the answers 0 and 1 of people; some versions hold it as a text of
JSON. The labels of the test part are not public. Images of one prompt are a group.
"""

import json
from pathlib import Path
from statistics import fmean

from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.mean_scores import class_of, score_description
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, Record, SetCriterion
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_json_table, read_records, required_text, text_group

LOW, HIGH = 1, 5
_COLUMN = "mean_score"
_CRITERIA = (SetCriterion("alignment", _COLUMN, "how well the image matches its text"),)
_COLUMNS = ("prompt_id", "prompt", "type", "img_path", "total_score", "element_score")


def load_evalmuse(source: Path, options: Options) -> PublicSet:
    """Load the ratings of all people, and their mean."""
    inapplicable = {"--form": options.form, "--scale": options.scale, "--subset": options.subsets}
    refuse_options({**inapplicable, "--criterion": options.criterion, "--ties": options.ties}, "EvalMuse")
    file, zips = only_file(source, "train_list.json", "the table of ratings"), zip_archives(source)
    locator = ImageLocator(source, zips)

    def read_row(row: SourceRow, _: int, place: str) -> Record:
        path, prompt = required_text(row, "img_path"), required_text(row, "prompt")
        ratings = _ratings(row["total_score"])
        mean = round(fmean(ratings), 4)
        label = class_of({_COLUMN: mean}, _CRITERIA)
        image = locator.locate(f"images/{path}" if (source / "images" / path).is_file() else path, place)
        return Record(
            path,
            (image,),
            label,
            place,
            str(label),
            prompt,
            text_group(prompt),
            extra={
                _COLUMN: mean,
                "prompt_id": row["prompt_id"],
                "type": row["type"],
                "elements": json.dumps(_elements(row["element_score"]), ensure_ascii=False),
            },
            ratings={f"rater_{number}": rating for number, rating in enumerate(ratings, start=1)},
        )

    records, problems = read_records(read_json_table(file), _COLUMNS, read_row)
    description = score_description("EvalMuse", _CRITERIA, LOW, HIGH)
    return PublicSet(description, tuple(records), tuple(problems), (file, *zips))


def _ratings(value: object) -> list[int]:
    if not isinstance(value, list) or not value or not all(type(each) is int and LOW <= each <= HIGH for each in value):
        raise ValueError(f"total_score {display_text(value)} is no list of integers from {LOW} to {HIGH}")
    return value


def _elements(value: object) -> dict[str, float]:
    """Return the share of people who found an element in the image, by element."""
    try:
        answers = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        answers = None
    if not isinstance(answers, dict):
        raise ValueError(f"element_score {display_text(value)} is no object with a list for each element")
    for element, each in answers.items():
        if not isinstance(each, list) or not each or not all(type(one) is int and one in (0, 1) for one in each):
            raise ValueError(f"element_score of {display_text(element)} is no list of 0 and 1")
    return {element: round(fmean(each), 4) for element, each in answers.items()}
