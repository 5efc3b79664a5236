"""Images in folders."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from blpo.data.heif_images import HEIF_ADVICE, HEIF_SUFFIXES, has_heif_decoder
from blpo.data.image_sources import IMAGE_SUFFIXES
from blpo.data.message_text import listed

_OTHER_SUFFIXES = frozenset(
    "." + end
    for end in (
        *(
            "svg",
            "psd",
            "xcf",
            "ai",
            "eps",
            "pdf",
            "jxl",
            "jxr",
            "ico",
            "tga",
            "exr",
            "hdr",
            "dds",
            "dcm",
            "webm",
            "mp4",
        ),
        *("mov", "dng", "cr2", "cr3", "nef", "arw", "orf", "raf", "rw2", "heic", "heif"),
    )
)
"""Suffixes of pictures that are not read."""


_SIDECAR_SUFFIXES = (".txt", ".json", ".xml", ".caption")


def image_suffixes() -> frozenset[str]:
    """Return the suffixes that a search of a folder looks for; HEIC only with a decoder."""
    return IMAGE_SUFFIXES | HEIF_SUFFIXES if has_heif_decoder() else IMAGE_SUFFIXES


def images_below(folder: Path) -> list[str]:
    """Return paths of images from the folder, in order, without hidden files and images of runs."""
    suffixes = image_suffixes()
    return [path for path in files_below(folder) if Path(path).suffix.lower() in suffixes]


def left_out_below(folder: Path) -> list[str]:
    """Return warnings about pictures in the folder that are not read."""
    return left_out_warnings(files_below(folder))


def left_out_warnings(files: Iterable[str]) -> list[str]:
    """Return warnings about pictures among the files that are not read: HEIC without a decoder, and other formats."""
    suffixes = image_suffixes()
    unread = [file for file in files if Path(file).suffix.lower() not in suffixes]
    heif = [file for file in unread if Path(file).suffix.lower() in HEIF_SUFFIXES]
    others = [file for file in unread if Path(file).suffix.lower() in _OTHER_SUFFIXES - HEIF_SUFFIXES]
    warnings = [f"{_are_left_out(heif)}. {HEIF_ADVICE}"] if heif else []
    return warnings + (
        [f"{_are_left_out(others)}; save them as PNG or JPEG if they belong to the data"] if others else []
    )


def sidecar_warnings(folder: Path, images: Sequence[str]) -> list[str]:
    """Return a warning about files with the names of images, such as 001.txt for 001.png, if most images have one."""
    stems = {PurePosixPath(image).stem for image in images}
    files = [PurePosixPath(file) for file in files_below(folder)]
    sidecars = [str(file) for file in files if file.suffix.lower() in _SIDECAR_SUFFIXES and file.stem in stems]
    if len(sidecars) * 2 < len(images):
        return []
    return [
        f"{len(sidecars)} files with the names of images are not read ({listed(sidecars)}); if they hold labels, write "
        "the labels into labels.csv"
    ]


def _are_left_out(files: list[str]) -> str:
    several = "1 file is" if len(files) == 1 else f"{len(files)} files are"
    return f"{several} left out ({listed(files)})"


def files_below(folder: Path) -> Iterator[str]:
    """Yield paths of files from the folder, in order, without hidden files and files of runs."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "runs")
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(place, name).relative_to(folder).as_posix()
