"""Drawn sets: images with known cues and labels by known rules, to choose among rules of the search.

    python -m benchmarks.drawn_sets [NAME ...]

draws the sets into the user's cache in a few seconds each, and prints the configurations. A set is an ordinary dataset
folder of 400 images: 100 for train, 100 for validation and 200 for test. `search.seed` draws the splits. A rule reads
strengths of cues (`benchmarks/drawn_images.py`), each from 0 to 1.

    set          cues of the label                                           cues in the caption    labels redrawn
    colour       colour, warmth                                              all                    10 %
    tone         contrast, brightness                                        all                    10 %
    sharpness    blur                                                        none                   10 %
    compression  blocks, noise                                               none                   10 %
    composition  symmetry, light from above                                  none                   10 %
    taste        colour, contrast, brightness, blur, light, tint, all weak   half                   none
    interaction  noise in dark images                                        brightness only        none
    rare         blur: 18 % of the images are poor                           none                   none
    raters       tint, contrast                                              contrast only          30 %
    kinds        three classes: blur, green tint, neither                    none                   10 %
    grades       ratings 1 to 5: colour, contrast, blur, noise               half                   a fifth moves by 1
    control      none: labels are random                                     -                      all

A redrawn label is a random label, which may be the former label.
"""

import csv
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from zlib import crc32

import numpy as np
import numpy.typing as npt
from numpy.random import Generator, default_rng

from benchmarks.drawn_images import CUES, VERSION, draw_image
from blpo.storage.user_cache import user_cache
from blpo.storage.whole_files import put_in_place
from state.errors import DataError, StoreError

SIZE = 400
CONFIG = "config.yaml"
_SHARES = {"train": 100, "validation": 100, "test": 200}

Strengths = Mapping[str, npt.NDArray[np.float64]]
"""Strength of every cue in all images."""


@dataclass(frozen=True, slots=True)
class DrawnSet:
    """Rule of a set. The images with the lowest scores get the first label, and so on."""

    cues: tuple[str, ...]
    """Cues of the label."""
    score: Callable[[Strengths, Generator], npt.NDArray[np.float64]]
    labels: tuple[str, ...] = ("poor", "good")
    """All labels, lowest score first; numbers for ratings."""
    shares: tuple[float, ...] = (0.5, 0.5)
    """Shares of the labels."""
    redrawn: float = 0.0
    """Share of the labels that are drawn again from all labels; for ratings, share that moves by a point."""

    @property
    def is_ordinal(self) -> bool:
        """True for ratings."""
        return self.labels[0].isdigit()


def _sum(**weights: float) -> Callable[[Strengths, Generator], npt.NDArray[np.float64]]:
    return lambda cues, _: sum((weight * cues[name] for name, weight in weights.items()), np.zeros(SIZE))


def _taste(cues: Strengths, rng: Generator) -> npt.NDArray[np.float64]:
    weights = {"colour": 1, "contrast": 1, "brightness": 1, "blur": -1, "light": 1, "tint": -1}
    return _sum(**weights)(cues, rng) + rng.normal(0, 0.4, SIZE)


def _kinds(cues: Strengths, _: Generator) -> npt.NDArray[np.float64]:
    """Return scores in three bands: blurred images, green images, and images that are neither."""
    strongest = np.maximum(cues["blur"], cues["tint"])
    neither = strongest <= np.quantile(strongest, 1 / 3)
    return np.where(neither, 2 + strongest, np.where(cues["blur"] >= cues["tint"], -strongest, strongest))


DRAWN_SETS: Mapping[str, DrawnSet] = {
    "colour": DrawnSet(("colour", "warmth"), _sum(colour=1, warmth=1), redrawn=0.1),
    "tone": DrawnSet(("contrast", "brightness"), _sum(contrast=1, brightness=-1), redrawn=0.1),
    "sharpness": DrawnSet(("blur",), _sum(blur=-1), redrawn=0.1),
    "compression": DrawnSet(("blocks", "noise"), _sum(blocks=-1, noise=-1), redrawn=0.1),
    "composition": DrawnSet(("symmetry", "light"), _sum(symmetry=1, light=1), redrawn=0.1),
    "taste": DrawnSet(("colour", "contrast", "brightness", "blur", "light", "tint"), _taste),
    "interaction": DrawnSet(
        ("noise", "brightness"), lambda cues, _: -np.minimum(cues["noise"], 1 - cues["brightness"]), shares=(0.35, 0.65)
    ),
    "rare": DrawnSet(("blur",), _sum(blur=-1), shares=(0.18, 0.82)),
    "raters": DrawnSet(("tint", "contrast"), _sum(tint=-1, contrast=1), redrawn=0.3),
    "kinds": DrawnSet(("blur", "tint"), _kinds, ("first", "second", "third"), (1 / 3, 1 / 3, 1 / 3), redrawn=0.1),
    "grades": DrawnSet(
        ("colour", "contrast", "blur", "noise"),
        _sum(colour=1, contrast=1, blur=-1, noise=-1),
        ("1", "2", "3", "4", "5"),
        (0.2, 0.2, 0.2, 0.2, 0.2),
        redrawn=0.2,
    ),
    "control": DrawnSet((), lambda _, rng: rng.random(SIZE)),
}


def drawn_config(name: str, folder: Path | None = None) -> Path:
    """Return the configuration of a set, and draw a missing set into `folder` (None: the user's cache).

    Raises `DataError` for an unknown name or a folder that can't be written.
    """
    if name not in DRAWN_SETS:
        raise DataError(f"no drawn set is called {name}; there are {', '.join(DRAWN_SETS)}")
    base = folder or user_cache("drawn-sets")
    if base is None:
        raise DataError("the system knows no home folder for the drawn sets; set XDG_CACHE_HOME")
    place = base / f"{name}-{VERSION}"
    if not (place / CONFIG).exists():
        try:
            _draw(name, place)
        except (OSError, StoreError) as error:
            if not (place / CONFIG).exists():  # another process may have drawn the set meanwhile
                raise DataError(f"{place} can't be written: {error}") from error
    return place / CONFIG


def labels_and_cues(name: str) -> tuple[list[str], Strengths]:
    """Return the labels of all images of a set, and the strengths of all cues."""
    recipe, rng = DRAWN_SETS[name], default_rng((VERSION, crc32(name.encode())))
    cues = dict(zip(CUES, rng.random((len(CUES), SIZE)), strict=True))
    ranks = recipe.score(cues, rng).argsort().argsort() / SIZE
    places = np.searchsorted(np.cumsum(recipe.shares)[:-1], ranks, side="right")
    changes, last = rng.random(SIZE) < recipe.redrawn, len(recipe.labels) - 1
    if recipe.is_ordinal:
        other = np.clip(places + rng.choice((-1, 1), SIZE), 0, last)
    else:
        other = rng.integers(0, last + 1, SIZE)
    return [recipe.labels[place] for place in np.where(changes, other, places)], cues


def image_of(name: str, number: int, cues: Strengths) -> bytes:
    """Return an image of a set as a PNG. `cues` are the strengths of `labels_and_cues`."""
    strengths = {cue: float(values[number]) for cue, values in cues.items()}
    return draw_image(strengths, default_rng((VERSION, crc32(name.encode()), number)))


def _draw(name: str, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=".draft-", dir=place.parent))
    try:
        (draft / "images").mkdir()
        labels, cues = labels_and_cues(name)
        with open(draft / "labels.csv", "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("id", "image", "label", *CUES))
            for number, label in enumerate(labels):
                image = f"images/{number:03}.png"
                (draft / image).write_bytes(image_of(name, number, cues))
                writer.writerow((f"{number:03}", image, label, *(f"{cues[cue][number]:.3f}" for cue in cues)))
        (draft / CONFIG).write_text(_config(DRAWN_SETS[name]), encoding="utf-8")
        put_in_place(draft, place, durable=False)
    finally:
        rmtree(draft, ignore_errors=True)


def _config(recipe: DrawnSet) -> str:
    labels = ", ".join(recipe.labels)
    task = f"kind: categorical, labels: [{labels}]"
    if len(recipe.labels) == 2:
        task += f", positive: {recipe.labels[1]}"
    prompt = f"Look at the image and decide whether it is {' or '.join(recipe.labels)}."
    if recipe.is_ordinal:
        task = f"kind: ordinal, min: {recipe.labels[0]}, max: {recipe.labels[-1]}"
        prompt = f"Look at the image and rate it, from {recipe.labels[0]} (worst) to {recipe.labels[-1]} (best)."
    shares = ", ".join(f"{split}: {count}" for split, count in _SHARES.items())
    return f"task: {{{task}}}\ndata: {{path: ., split: {{{shares}}}}}\nprompts: {{judge: '{prompt}'}}\n"


def main() -> int:
    """Draw the named sets, or all sets."""
    try:
        for name in sys.argv[1:] or DRAWN_SETS:
            print(drawn_config(name))
    except DataError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
