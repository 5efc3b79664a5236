"""Folders of images for a judge that labels several images together: each folder is one sample."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from blpo.data.image_folders import in_order
from blpo.deployment.image_inputs import FolderInput
from state.sample import Sample


@dataclass(frozen=True, slots=True)
class ItemFoldersInput:
    """A sample for each folder with images, in the order of `FolderInput`; images in a folder stand in order.

    The id is the path of the folder. A folder that can't be searched is a sample that fails.
    """

    images: FolderInput
    may_be_labelled = False

    def count(self) -> int:
        """Walk the folder once."""
        return sum(1 for _ in self.samples())

    def samples(self) -> Iterator[Sample]:
        """Yield a sample for each folder; raises `DataError` without any image."""
        for folder, members in groupby(self.images.samples(), _folder):
            yield _as_one(folder, list(members))


def _folder(sample: Sample) -> str:
    """Return the folder of the sample's image; the sample's id for an image without a path."""
    path = getattr(sample.images[0], "path", None)
    return sample.id if path is None else str(Path(path).parent)


def _as_one(folder: str, members: Sequence[Sample]) -> Sample:
    by_name = {Path(sample.id).name: sample.images[0] for sample in members}
    return Sample(folder, tuple(by_name[name] for name in in_order(by_name)), None)
