"""Samples with images and labels."""

from dataclasses import dataclass, replace
from typing import Literal, Protocol, Self

Label = int | str
"""Human label or answered verdict: an int for ordinal tasks, a str for other tasks."""

SplitName = Literal["train", "validation", "test"]


class ImageSource(Protocol):
    """Source of the bytes of an image: a file, or a cell of a table."""

    @property
    def name(self) -> str:
        """Name of the file or the row for error messages."""
        ...

    def read(self) -> bytes:
        """Return the encoded bytes as stored; raises `DataError` for bytes that can't be read."""
        ...


ContextName = Literal["reference", "before"]
"""Meaning of an image that is not judged: `reference` to compare with, or `before` the edit that is judged."""


@dataclass(frozen=True, slots=True)
class Rating:
    """Rating of a sample by one person."""

    rater: str
    value: Label | float
    """A label of the task; a float for a rating with a fraction."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled item: x (images and optionally a text) with the human label y."""

    id: str
    """Stable across runs and machines; unique within a dataset."""
    images: tuple[ImageSource, ...]
    """One image; for a pair of images (a, b); several images in order, such as frames of a video."""
    label: Label | None
    """None for new images without a label."""
    text: str | None = None
    """Text that the image was made from or is checked against; the judge sees the text."""
    group: str | None = None
    """Samples of one group are in one split."""
    rating: float | None = None
    """Rating with its fraction, such as the mean of raters; `label` is the nearest rating. None unless `task.round` is
    none."""

    ratings: tuple[Rating, ...] = ()
    """Ratings of several people, at most one a rater; `label` is made from the ratings. Empty for a single label."""
    slices: tuple[tuple[str, str], ...] = ()
    """Columns of `data.slices` with the sample's values."""
    texts: tuple[str, str] | None = None
    """Pair of texts (a, b) about one image, such as two answers; None for other samples."""
    context: tuple[tuple[ContextName, ImageSource], ...] = ()
    """Further images that explain the sample, and are not judged."""
    reference_text: str | None = None
    """Text to compare with, such as a good answer; the text itself is not judged."""
    image_names: tuple[str, ...] = ()
    """Name of each image in messages, for several images with one label (`state.image_names`); empty for one image, a
    pair, a ranking, and two columns of images without names."""
    task: str = ""
    """Name of the sample's task in a run with several tasks; the id then begins with the name and a slash."""

    @property
    def item(self) -> str:
        """Id without the task: samples of one image under several criteria have one item."""
        return self.id.removeprefix(f"{self.task}/") if self.task else self.id

    @property
    def all_images(self) -> tuple[ImageSource, ...]:
        """The images of the sample, then the images of its context."""
        return (*self.images, *(source for _, source in self.context))

    def without_reference(self) -> Self:
        """Return the sample without its reference image and reference text."""
        context = tuple((name, source) for name, source in self.context if name != "reference")
        return replace(self, context=context, reference_text=None)

    @property
    def target(self) -> Label | float | None:
        """Y for the loss: the rating with its fraction, else the label."""
        return self.label if self.rating is None else self.rating


@dataclass(frozen=True, slots=True)
class Example:
    """Labelled sample that is shown to the judge before the judged item."""

    sample: Sample
    description: str | None = None
    """Description in place of the image; None: it is made when it is needed."""


class DataUrl(str):
    """A `data:` URL of base64; no character needs an escape in JSON."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, init=False)
class EncodedImage:
    """Image in the form sent to a model: decoded, rotated, converted to RGB, scaled down, encoded once."""

    sha256: str
    """Hex digest of the encoded bytes; replaces the image in a request's key."""
    media_type: str
    """`image/jpeg`, `image/png` or `image/webp`."""
    data_url: DataUrl
    """The image as a `data:` URL. Cached, because the encoding costs more than the sending."""

    def __init__(self, sha256: str, media_type: str, base64: str) -> None:
        object.__setattr__(self, "sha256", sha256)
        object.__setattr__(self, "media_type", media_type)
        object.__setattr__(self, "data_url", DataUrl(f"data:{media_type};base64,{base64}"))

    @property
    def base64(self) -> str:
        """Encoded bytes in base64."""
        return self.data_url.partition(",")[2]
