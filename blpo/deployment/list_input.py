"""Lists of images for a judge of rankings: the rows of a table with one group, or the images of one folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from blpo.data.ranked_lists import comparison_of, list_label, list_order
from blpo.deployment.input_labels import UnusableImage
from state.errors import DataError
from state.ranking import MOST_IMAGES
from state.sample import Sample
from state.settings import TaskSettings


class SingleImages(Protocol):
    """Input with one image a sample."""

    @property
    def may_be_labelled(self) -> bool:
        """True if the images have ranks or ratings, as far as is known."""

    def samples(self) -> Iterator[Sample]:
        """Yield the images in order."""


@dataclass(frozen=True, slots=True)
class ListInput:
    """Lists of an input. A list is a sample with all images, in the order of `blpo.data.ranked_lists`."""

    source: SingleImages
    """Images with the list's name as the group. An image without a group is in the list of its folder."""
    task: TaskSettings

    @property
    def may_be_labelled(self) -> bool:
        """True if the images have ranks or ratings, as far as is known."""
        return self.source.may_be_labelled

    def count(self) -> int:
        """Return the number of lists."""
        return len(self._lists())

    def samples(self) -> Iterator[Sample]:
        """Yield a sample for every list, in the order of first images.

        A list that can't be ranked, as with nine images, is a sample too: reading the sample fails.
        """
        for name, members in self._lists().items():
            problem = _problem(members)
            yield Sample(name, (UnusableImage(name, problem),), None) if problem else _as_list(name, members, self.task)

    def _lists(self) -> dict[str, list[Sample]]:
        lists: dict[str, list[Sample]] = {}
        for sample in self.source.samples():
            lists.setdefault(sample.group or _folder(sample), []).append(sample)
        return lists


def _folder(sample: Sample) -> str:
    """Return the folder of the sample's image; the sample's id for an image without a path."""
    path = getattr(sample.images[0], "path", None)
    return sample.id if path is None else str(Path(path).parent)


def _problem(members: Sequence[Sample]) -> str | None:
    """Return the reason why the images are no list to rank; None for a good list."""
    if len(members) < 2:
        return "has one image, and a ranking needs two"
    if len(members) > MOST_IMAGES:
        return f"has {len(members)} images, and a ranking has at most {MOST_IMAGES}; divide the list"
    texts = {sample.text for sample in members}
    if len(texts) > 1:
        return "has different texts; give a list one text"
    try:
        references = set(map(comparison_of, members))
    except DataError as error:
        return f"has a reference that can't be read: {error}"
    return "has different references; give a list one reference" if len(references) > 1 else None


def _as_list(name: str, members: Sequence[Sample], task: TaskSettings) -> Sample:
    members = sorted(members, key=lambda sample: list_order(name, sample.id))
    ratings = [sample.rating for sample in members if sample.rating is not None]
    is_ordered = len(ratings) == len(members) and len(set(ratings)) > 1
    images = tuple(image for sample in members for image in sample.images)
    label = list_label(ratings, task) if is_ordered else None
    return replace(members[0], id=name, images=images, label=label, group=None, rating=None)
