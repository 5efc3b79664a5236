"""Pictures in a dataset's folder that are in no row."""

import os
from collections.abc import Iterator
from pathlib import Path

from blpo.data.dataset import Dataset
from blpo.data.image_listing import files_below, image_suffixes, left_out_warnings
from blpo.data.image_sources import FileImage
from blpo.data.message_text import listed


def left_out_files(path: str | None, dataset: Dataset) -> Iterator[str]:
    """Yield warnings about pictures in the folder of the labels file that are in no row of the dataset.

    A dataset with images in cells has no such pictures.
    """
    names = {
        image.path for sample in dataset.by_id.values() for image in sample.all_images if isinstance(image, FileImage)
    }
    if path is None or not names or path.startswith("hub:"):
        return
    folder = Path(path) if os.path.isdir(path) else Path(path).parent
    root = os.path.realpath(folder)
    rest = [file for file in files_below(folder) if os.path.join(root, file) not in names]
    yield from left_out_warnings(rest)
    suffixes = image_suffixes()
    unnamed = [file for file in rest if Path(file).suffix.lower() in suffixes]
    if unnamed:
        several = "1 image of the folder is" if len(unnamed) == 1 else f"{len(unnamed)} images of the folder are"
        yield f"{several} in no row that is used ({listed(unnamed)})"
