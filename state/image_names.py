"""Names of several images that have one label, such as frames of a video, screenshots or pages.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

from functools import cache

MOST_IMAGES = 16
"""Largest number of images in a sample with one label."""


def image_names(count: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name for each of `count` images: `names`, or Image 1, Image 2 and so on if `names` is empty.

    A single image without `names` has no name. Raises `ValueError` for another number of `names`, and for more than
    `MOST_IMAGES` images.
    """
    require_few(count)
    if names and len(names) != count:
        raise ValueError(f"has {count} image{'s' if count != 1 else ''}, and data.image_names names {len(names)}")
    return names or (numbered(count) if count > 1 else ())


def require_few(count: int) -> None:
    """Raise `ValueError` for more than `MOST_IMAGES` images."""
    if count > MOST_IMAGES:
        raise ValueError(f"has {count} images, and a sample has at most {MOST_IMAGES}; choose {MOST_IMAGES} of them")


@cache
def numbered(count: int) -> tuple[str, ...]:
    """Return Image 1, Image 2 and so on."""
    return tuple(f"Image {number}" for number in range(1, count + 1))
