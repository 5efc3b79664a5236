"""The built-in sample as an ordinary dataset folder."""

import csv
from pathlib import Path

from blpo.data.sample import CAUSES, DrawnImage, Recipe, recipes
from state.errors import DataError

_README = """\
# The built-in sample

A PROGRAM MADE THESE LABELS. No person rated the images; they serve to try `blpo` out and to test it.

- `images/`: 240 images of 256 x 256 pixels, drawn by `data/sample.py`: drawn scenes, and crops of two photographs that
  are packaged with scikit-learn and were changed here: `china.jpg` by danielbuechele
  (https://www.flickr.com/photos/danielbuechele/6061409035) and `flower.jpg`
  (https://www.flickr.com/photos/vultilion/6056698931), both under CC BY 2.0
  (https://creativecommons.org/licenses/by/2.0/).
- `labels.csv`: one row an image. `label` is a rating of naturalness from 1 (lowest) to 5 (highest).
- The rule: an image starts at 5 and loses one point for each cause that is there: blur, blockiness (JPEG), noise and
  clipping (blown highlights). `cause` names them. Their columns give the strength, empty where the cause is not there:
  sigma in pixels, JPEG quality, sigma in grey levels of 255, and the share of pixels that are pure white.
- `rater_shift`: about one rating in ten was moved by one point (-1 or 1), as human raters would.

To use it: `data.path` names this folder, and the task is ordinal from 1 to 5.
"""


def write_sample(folder: Path) -> None:
    """Write images/, labels.csv and README.md into a new or empty folder; ids, labels and bytes are the built-in ones.

    Raises `DataError` where the folder holds something or can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(f"{folder}: is not empty; name a new folder for the sample")
        (folder / "images").mkdir()
        (folder / "README.md").write_text(_README, encoding="utf-8")
        for recipe in recipes():
            (folder / _image(recipe)).write_bytes(DrawnImage(recipe.number).read())
        with open(folder / "labels.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("id", "image", "label", "cause", *CAUSES, "rater_shift", "content"))
            writer.writerows(map(_fields, recipes()))
    except OSError as error:
        raise DataError(f"{folder}: can't be written ({error.strerror})") from error


def _image(recipe: Recipe) -> str:
    return f"images/{recipe.id}.png"


def _fields(recipe: Recipe) -> tuple[str | float, ...]:
    strengths = (recipe.strengths.get(cause, "") for cause in CAUSES)
    return (recipe.id, _image(recipe), recipe.rating, recipe.cause, *strengths, recipe.rater_shift, recipe.content)
