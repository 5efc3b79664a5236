"""Section `data`."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from state.image_names import MOST_IMAGES
from state.settings.rater_settings import RaterSettings
from state.settings.section import Section

FurtherColumn = Literal["reference", "before", "reference_text"]
"""Settings that name a column beside images and text."""

_LONGEST_NAME = 60
_OTHER_IMAGES = ("reference image", "image before the edit")


class SplitShares(Section):
    """Shares of the dataset, normalised to a sum of 1."""

    train: float = Field(default=0.4, gt=0)
    validation: float = Field(default=0.3, gt=0)
    test: float = Field(default=0.3, gt=0)
    calibration: float | None = Field(default=None, gt=0)
    """Share that a run does not touch: it calibrates the judge's confidences afterwards. null: none."""
    seed: int | None = None
    """Seed of the draw; null: search.seed."""


class SplitColumn(Section):
    """Column with the row's split: train, validation (or val, valid, dev, eval) or test."""

    column: str
    validation_share: float = Field(default=0.4, gt=0, lt=1)
    """Share of the train rows used for validation if the column names no validation row."""
    seed: int | None = None
    """Seed of the draw of validation rows; null: search.seed."""


class DataSettings(Section):
    """Place of the samples."""

    path: str | None = None
    """Folder with images and labels.csv (.jsonl, .parquet), a labels file, a dataset folder written by
    `datasets.save_to_disk`, or `hub:OWNER/NAME`. null: the built-in sample."""
    image: str | Annotated[tuple[str, ...], Field(min_length=2, max_length=MOST_IMAGES)] = "image"
    """Column of the image; two columns, of a and of b, for pairs of images; two to 16 columns for samples of several
    images in order. A cell of a single column may also hold several images: a list, or a folder."""
    image_names: Annotated[tuple[str, ...], Field(max_length=MOST_IMAGES)] | None = None
    """Names of the images of a sample, such as [front, side], for several images with one label. []: Image 1, Image 2
    and so on. null: the same, but two columns of images have no names."""
    label: str = "label"
    """Column of the label."""
    text: str | tuple[str, str] | None = None
    """Column of the text; null: the column `text`, if it exists. Two columns, of a and of b, for pairs of texts about
    one image."""
    question: str | None = None
    """Column of the text that belongs to both texts of a pair, such as the question that they answer."""
    reference: str | None = None
    """Column of an image to compare with, such as the original; the image itself is not judged."""
    reference_text: str | None = None
    """Column of a text to compare with, such as a good answer; the text itself is not judged."""
    before: str | None = None
    """Column of the image before the edit, for pairs of edits; the image itself is not judged."""
    id: str | None = None
    """Column of the id; null: the column `id`, if it exists, else the image's path."""
    group: str | None = None
    """Column of the group; rows of a group stay in one split."""
    raters: RaterSettings | None = None
    """Ratings of several people, in place of one label: {by: COLUMN}, {columns: [A, B]} or {file: FILE}."""
    slices: Annotated[tuple[str, ...], Field(max_length=4)] = ()
    """Columns, at most four. The test's metrics are also listed for the samples of each of their values."""
    unlabelled: Literal["refuse", "skip"] = "refuse"
    """Rows without a label, or with a word such as NA that is no label of the task. refuse: each row is a problem;
    skip: the rows are left out, and `blpo check` says how many."""
    threshold: float | Literal["median"] | None = None
    """Cut of a numeric label into two: up to the threshold the task's first label, above it the second."""
    split: SplitShares | SplitColumn = SplitShares()
    limit: Annotated[int, Field(ge=1)] | None = None
    """Largest number of samples, drawn by label from the seed; null: all."""
    corrections: str | None = None
    """File of corrected labels by id (`blpo disagreements --correct` writes such files); the splits stay."""

    @field_validator("image_names")
    @classmethod
    def _usable_names(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Refuse names that a message can't show on a line of their own, and equal names."""
        for name in names or ():
            if not name.isprintable() or name != name.strip() or not 0 < len(name) <= _LONGEST_NAME:
                raise ValueError(f"{name!r} is no name of an image; write a short text on one line")
            if name.casefold() in _OTHER_IMAGES:
                raise ValueError(f"{name!r} is the name of an image to compare with; give another name")
        if len({name.casefold() for name in names or ()}) < len(names or ()):
            raise ValueError("two images have one name; give every image its own name")
        return names

    @property
    def pair(self) -> tuple[str, str] | None:
        """The two columns of a pair: of images, else of texts; None for samples of one image or of several images."""
        pairs = (columns for columns in (self.image, self.text) if isinstance(columns, tuple) and len(columns) == 2)
        return next(((columns[0], columns[1]) for columns in pairs), None)

    @property
    def columns_of_images(self) -> tuple[str, ...]:
        """Columns of the images that are judged."""
        return (self.image,) if isinstance(self.image, str) else self.image

    @property
    def names_images(self) -> bool:
        """True if a sample of several images with one label shows their names. Only two columns can be without."""
        return self.image_names is not None or len(self.columns_of_images) != 2

    @property
    def has_several_images(self) -> bool:
        """True if the settings tell that samples have several named images. A list in a cell can tell more."""
        return self.names_images and (self.image_names is not None or len(self.columns_of_images) > 2)
