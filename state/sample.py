"""What is judged: samples, their images and their labels."""

from dataclasses import dataclass
from typing import Literal, Protocol

Label = int | str
"""A human label or an answered verdict: an int for ordinal tasks, a str for categorical ones."""

SplitName = Literal["train", "validation", "test"]


class ImageSource(Protocol):
    """Where the bytes of one image come from: a file, or a cell of a table."""

    @property
    def name(self) -> str:
        """The file or the row, as an error message should name it."""
        ...

    def read(self) -> bytes:
        """Return the encoded bytes as stored; raises `DataError` where they can't be read."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled item: x (an image, or two, and optionally a text) with its human label y."""

    id: str
    """Stable across runs and machines; unique within a dataset."""
    images: tuple[ImageSource, ...]
    label: Label | None
    """None where nobody labelled it (judging new images)."""
    text: str | None = None
    """The text the image was made from or is checked against; shown to the judge."""
    group: str | None = None
    """Samples of one group never fall into different splits."""


class DataUrl(str):
    """A `data:` URL of base64: its characters stand for themselves in JSON."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, init=False)
class EncodedImage:
    """An image as it is sent: decoded, rotated, converted to RGB, scaled down, encoded once."""

    sha256: str
    """Hex digest of the encoded bytes; stands for the image in a request's key."""
    media_type: str
    """`image/jpeg`, `image/png` or `image/webp`."""
    data_url: DataUrl
    """The image as a `data:` URL; kept, because making it for each call costs more than sending it."""

    def __init__(self, sha256: str, media_type: str, base64: str) -> None:
        object.__setattr__(self, "sha256", sha256)
        object.__setattr__(self, "media_type", media_type)
        object.__setattr__(self, "data_url", DataUrl(f"data:{media_type};base64,{base64}"))

    @property
    def base64(self) -> str:
        """The encoded bytes in base64."""
        return self.data_url.partition(",")[2]
