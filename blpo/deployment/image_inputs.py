"""Images as inputs: a file, a folder, or the samples of a dataset."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from blpo.data.image_listing import image_suffixes
from blpo.data.image_sources import file_sample
from blpo.deployment.input_labels import UnusableImage
from state.errors import DataError
from state.sample import Sample


@dataclass(frozen=True, slots=True)
class FileInput:
    """One image."""

    path: Path
    may_be_labelled = False

    def count(self) -> int:
        """Return 1."""
        return 1

    def samples(self) -> Iterator[Sample]:
        """Yield the image."""
        yield file_sample(self.path)


@dataclass(frozen=True, slots=True)
class FolderInput:
    """All images below a folder, by name, folder by folder."""

    folder: Path
    may_be_labelled = False

    def count(self) -> int:
        """Walk the folder once."""
        return sum(1 for _ in self._images([]))

    def samples(self) -> Iterator[Sample]:
        """Yield the images, then a failing sample per folder that can't be searched."""
        unreadable: list[OSError] = []
        empty = True
        for path in self._images(unreadable):
            empty = False
            yield file_sample(path)
        for error in unreadable:
            name = str(error.filename)
            yield Sample(name, (UnusableImage(name, f"can't be read ({error.strerror})"),), None)
        if empty and not unreadable:
            raise DataError(f"{self.folder}: holds no image ({', '.join(sorted(image_suffixes()))}) and no labels file")

    def _images(self, unreadable: list[OSError]) -> Iterator[Path]:
        suffixes = image_suffixes()
        for path, folders, files in os.walk(self.folder, onerror=unreadable.append):
            folders.sort()
            for name in sorted(files):
                if Path(name).suffix.lower() in suffixes and not name.startswith("."):
                    yield Path(path, name)


@dataclass(frozen=True, slots=True)
class SamplesInput:
    """Samples of a config's dataset."""

    dataset: Sequence[Sample]
    may_be_labelled = True

    def count(self) -> int:
        """Return the number of samples."""
        return len(self.dataset)

    def samples(self) -> Iterator[Sample]:
        """Yield all samples in the order of the table."""
        return iter(self.dataset)
