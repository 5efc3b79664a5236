"""Images as inputs: a file, a folder, or the samples of a dataset."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from blpo.data.image_listing import image_suffixes
from blpo.data.image_sources import file_sample
from blpo.data.similar_names import read_alike
from blpo.deployment.input_labels import InputLabels, UnusableImage
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
    """All images below a folder, by name, folder by folder.

    The name of an image's folder is its label if all folders with images have names of labels. Names of ratings may be
    mere numbers of folders, and are no labels.
    """

    folder: Path
    labels: InputLabels | None = None

    @property
    def may_be_labelled(self) -> bool:
        """True if the names of the folders are the labels."""
        return self._label_reader() is not None

    def count(self) -> int:
        """Walk the folder once."""
        return sum(1 for _ in self._images([]))

    def samples(self) -> Iterator[Sample]:
        """Yield the images, then a failing sample per folder that can't be searched."""
        unreadable: list[OSError] = []
        empty = True
        label_of = self._label_reader()
        for path in self._images(unreadable):
            empty = False
            yield replace(file_sample(path), label=label_of(path) if label_of else None)
        for error in unreadable:
            name = str(error.filename)
            yield Sample(name, (UnusableImage(name, f"can't be read ({error.strerror})"),), None)
        if empty and not unreadable:
            raise DataError(f"{self.folder}: holds no image ({', '.join(sorted(image_suffixes()))}) and no labels file")

    def _label_reader(self) -> Callable[[Path], str | None] | None:
        """Return the reader of an image's label; None if a folder with images has another name."""
        task = self.labels.task if self.labels else None
        if task is None or task.kind != "categorical":
            return None
        labels = {read_alike(label): label for label in task.labels}
        names = set()
        for path in self._images([]):
            name = read_alike(path.parent.name)
            if name not in labels:
                return None
            names.add(name)
        return (lambda path: labels.get(read_alike(path.parent.name))) if len(names) > 1 else None

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
