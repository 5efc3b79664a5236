"""Built-in sample as an ordinary dataset folder."""

import csv
from pathlib import Path

from blpo.data.builtin.drawn_images import DrawnImage
from blpo.data.builtin.recipes import CAUSES, Recipe, recipes
from state.errors import DataError

_README = """\
# The built-in sample

A PROGRAM MADE THESE LABELS. No person rated the images. The images serve for trials and tests of `blpo`.

- `images/`: 240 images of 256 x 256 pixels, drawn by `blpo/data/builtin/`: drawn scenes, and crops of two photographs
  that are packaged with scikit-learn and were changed here: `china.jpg` by danielbuechele
  (https://www.flickr.com/photos/danielbuechele/6061409035) and `flower.jpg`
  (https://www.flickr.com/photos/vultilion/6056698931), both under CC BY 2.0
  (https://creativecommons.org/licenses/by/2.0/).
- `labels.csv`: one row an image. `label` is a rating of naturalness from 1 (lowest) to 5 (highest).
- The rule: a rating starts at 5 and loses a point for every cause: blur, blockiness (JPEG), noise and clipping (blown
  highlights). `cause` names the causes. The columns of the causes give their strength: sigma in pixels, JPEG quality,
  sigma in grey levels of 255, and the share of pure white pixels. An empty cell means that the cause is absent.
- `content` is the kind of a scene, or the region of a photograph. The regions share no pixel. `group` names the region,
  so that all crops of a region are in one split. A scene has no group.
- `rater_shift`: about one rating in ten was moved by a point (-1 or 1), as human raters would.

To use it: `data.path` names this folder, `data.group` is `group`, and the task is ordinal from 1 to 5.
"""


def write_sample(folder: Path) -> None:
    """Write images/, labels.csv and README.md into a new or empty folder.

    Ids, labels and bytes are the same as in the built-in sample. Raises `DataError` if the folder is not empty or can't
    be written.
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
            writer.writerow(("id", "image", "label", "cause", *CAUSES, "rater_shift", "content", "group"))
            writer.writerows(map(_fields, recipes()))
    except OSError as error:
        raise DataError(f"{folder}: can't be written ({error.strerror})") from error


def _image(recipe: Recipe) -> str:
    return f"images/{recipe.id}.png"


def _fields(recipe: Recipe) -> tuple[str | float, ...]:
    strengths = (recipe.strengths.get(cause, "") for cause in CAUSES)
    origin = (recipe.content, recipe.region or "")
    return (recipe.id, _image(recipe), recipe.rating, recipe.cause, *strengths, recipe.rater_shift, *origin)
