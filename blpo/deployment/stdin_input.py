"""JSON lines on stdin as samples."""

import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from blpo.data.column_proposal import PAIR_COLUMNS, PAIR_TEXT_COLUMNS
from blpo.data.image_sources import FileImage
from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.deployment.input_labels import InputLabels, UnusableImage
from state.image_names import MOST_IMAGES as MOST_NAMED_IMAGES
from state.ranking import MOST_IMAGES, is_ranking_of
from state.sample import ContextName, ImageSource, Sample
from state.settings import FurtherColumn


@dataclass(frozen=True, slots=True)
class StdinInput:
    """A JSON object per line: `image` (a path), or `image_a` and `image_b`, or `images` (paths).

    `images` are the images of a ranking, or several images with one label.

    `id`, `text`, `label` and `group` are optional. For a judge of pairs, `image`, `text_a` and `text_b` are a pair too;
    `question` is the text of both. `reference`, `before` (paths) and `reference_text` are required if the judge of the
    run saw such columns. The label of a ranking is a text such as `2>1=3`, by the places in `images`.
    """

    labels: InputLabels
    further: tuple[FurtherColumn, ...] = ()
    """Keys beside images and text that the judge sees."""
    may_be_labelled = True

    def count(self) -> None:
        """Return None: the number of lines is unknown."""

    def samples(self) -> Iterator[Sample]:
        """Yield a sample per line, without blank lines; a line without an image fails when judged."""
        for number, text in enumerate(_lines(), start=1):
            if text.strip():
                yield self._sample(text, f"stdin:{number}")

    def _sample(self, text: str, place: str) -> Sample:
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            return Sample(place, (UnusableImage(place, f"is not a JSON object ({display_text(text.strip())})"),), None)
        if self.labels.task.kind == "ranking":
            return self._list(row, place)
        names = PAIR_COLUMNS if set(PAIR_COLUMNS) <= set(row) else ("image",)
        listed = row.get("images") if self.labels.task.kind != "pairwise" and "image" not in row else None
        images = _images(listed, place) if isinstance(listed, list) else tuple(_image(row, n, place) for n in names)
        name = as_text(row.get("id")) or (row["image"] if names == ("image",) and "image" in row else None)
        identity = name if isinstance(name, str) and name else place
        label = self.labels.read(row.get("label"), place)
        rating = self.labels.rating(row.get("label"), label)
        texts = _two_texts(row) if self.labels.task.kind == "pairwise" and names == ("image",) else None
        about = as_text(row.get("text" if texts is None else "question"))
        sample = Sample(identity, images, label, about, as_text(row.get("group")), rating, texts=texts)
        return self._compared(sample, row, place)

    def _list(self, row: Mapping[str, object], place: str) -> Sample:
        paths, name = row.get("images"), as_text(row.get("id")) or place
        if not isinstance(paths, list) or not 2 <= len(paths) <= MOST_IMAGES:
            problem = f'has no "images" with the paths of 2 to {MOST_IMAGES} images'
            return Sample(name, (UnusableImage(place, problem),), None)
        images = _images(paths, place)
        label = self.labels.read(row.get("label"), place)
        whole = label if is_ranking_of(label, len(images)) else None
        sample = Sample(name, images, whole, as_text(row.get("text")), as_text(row.get("group")))
        return self._compared(sample, row, place)

    def _compared(self, sample: Sample, row: Mapping[str, object], place: str) -> Sample:
        """Return the sample with what the judge compares with."""
        names: tuple[ContextName, ...] = get_args(ContextName)
        context = tuple((name, _image(row, name, place)) for name in names if name in self.further)
        reference = as_text(row.get("reference_text")) if "reference_text" in self.further else None
        return replace(sample, context=context, reference_text=reference)


def _two_texts(row: Mapping[str, object]) -> tuple[str, str] | None:
    first, second = (as_text(row.get(name)) for name in PAIR_TEXT_COLUMNS)
    return None if first is None or second is None else (first, second)


def _images(paths: Sequence[object], place: str) -> tuple[ImageSource, ...]:
    """Return the images of a list; too many images, and none, are one image that fails."""
    if not 1 <= len(paths) <= MOST_NAMED_IMAGES:
        return (UnusableImage(place, f'has no "images" with the paths of 1 to {MOST_NAMED_IMAGES} images'),)
    return tuple(_image({"images": path}, "images", place) for path in paths)


def _image(row: Mapping[str, object], name: str, place: str) -> ImageSource:
    path = row.get(name)
    if not isinstance(path, str) or not path.strip():
        return UnusableImage(place, f'has no "{name}" with the path of an image')
    return FileImage(path, f"{place}: {display_text(path)}")


def _lines() -> Iterator[str]:
    """Yield lines of stdin through a buffer of our own: the interpreter's can't be closed while a thread reads."""
    try:
        descriptor = os.dup(sys.stdin.fileno())
    except (AttributeError, io.UnsupportedOperation):
        yield from sys.stdin or ()
        return
    with open(descriptor, encoding="utf-8-sig", errors="replace") as stream:
        yield from stream
