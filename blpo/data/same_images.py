"""Rows with the same images are one group when splits are drawn, and so are pairs with a common image or text.

Samples of several images with one label are one group if they share an image.

Otherwise an image of the test split could be in the train split too: three annotators of an image are three rows.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from blpo.data.image_identity import Images, image_identities
from blpo.data.joined_groups import indexes_by_value, joined_groups
from blpo.data.message_text import listed
from blpo.data.pair_groups import divided_warnings, linked_rows, pair_warnings
from blpo.data.rows import Row


def join_same_images(rows: Sequence[Row], *, are_pairs: bool = False) -> tuple[Sequence[Row], list[str]]:
    """Return the rows, with one group for rows of the same images and for their groups; and warnings.

    `are_pairs`: rows without a group that share an image or a text are one group too. A joined group has the first name
    of its groups, else the first of its ids. Other rows stay as they are.
    """
    samples = [row.sample for row in rows]
    images = image_identities(samples, with_context=are_pairs)  # many images may have one reference
    are_linked = are_pairs or have_several_images(rows)
    warnings = [*_warnings(rows, images, are_pairs=are_pairs, are_linked=are_linked)]
    # Splits of the table stay: the rows of an image in two splits are no group.
    places = [(row.split, image) for row, image in zip(rows, images, strict=True)]
    repeated = [*_repeated(places), *(linked_rows(rows, images, by_text=are_pairs) if are_linked else ())]
    if not repeated:
        return rows, warnings
    groups = indexes_by_value(
        [index if row.sample.group is None else row.sample.group for index, row in enumerate(rows)]
    )
    names = _names_of_joined(rows, repeated, joined_groups(len(rows), [*repeated, *groups]))
    joined = [
        replace(row, sample=replace(row.sample, group=names.get(index, row.sample.group)))
        for index, row in enumerate(rows)
    ]
    return joined, warnings


def have_several_images(rows: Sequence[Row]) -> bool:
    """Return True if a sample has several images with one label."""
    return any(row.sample.image_names for row in rows)


def _repeated(values: Sequence[Hashable]) -> list[list[int]]:
    return [members for members in indexes_by_value(values) if len(members) > 1]


def _names_of_joined(
    rows: Sequence[Row], repeated: Sequence[Sequence[int]], components: Sequence[Sequence[int]]
) -> dict[int, str]:
    """Return the group's name by index, for all members of a component with repeated images."""
    affected = {members[0] for members in repeated}
    names: dict[int, str] = {}
    for members in components:
        if affected.isdisjoint(members):
            continue
        samples = [rows[index].sample for index in members]
        groups = [sample.group for sample in samples if sample.group is not None]
        name = min(groups) if groups else f"image of {min(sample.id for sample in samples)}"
        names |= dict.fromkeys(members, name)
    return names


def _warnings(rows: Sequence[Row], images: Sequence[Images], *, are_pairs: bool, are_linked: bool) -> Iterator[str]:
    if are_pairs:
        yield from pair_warnings(rows, images)
    elif are_linked:
        yield from divided_warnings(rows, images, by_text=False)
    else:
        yield from _repetition_warnings(rows, images)
        yield from _loose_pair_warnings(rows, images)


def _repetition_warnings(rows: Sequence[Row], images: Sequence[Images]) -> Iterator[str]:
    repeated = _repeated(images)
    if repeated:
        yield (
            f"{_counted(repeated)} in several rows ({_places(rows, repeated)}); rows of one image stay in one split; "
            "name data.group if further rows belong together"
        )
    divided = [members for members in repeated if len({rows[index].split for index in members}) > 1]
    if divided:
        yield (
            f"{_counted(divided)} in several splits of the table ({_places(rows, divided)}), so the test flatters; "
            "give the rows of an image one split, or leave out data.split.column"
        )


def _counted(repeated: Sequence[object]) -> str:
    return "1 image is" if len(repeated) == 1 else f"{len(repeated)} images are"


def _places(rows: Sequence[Row], repeated: Sequence[Sequence[int]]) -> str:
    return listed([" = ".join(rows[index].place for index in members[:3]) for members in repeated])


def _loose_pair_warnings(rows: Sequence[Row], images: Sequence[Images]) -> Iterator[str]:
    """Yield a warning about an image that is in different pairs, without a group that holds the pairs together."""
    homes: dict[Hashable, set[frozenset[Hashable]]] = defaultdict(set)
    for row, pair in zip(rows, images, strict=True):
        for image in pair if len(pair) > 1 and row.sample.group is None else ():
            homes[image].add(pair)
    shared = sum(len(pairs) > 1 for pairs in homes.values())
    if shared:
        several = "1 image is" if shared == 1 else f"{shared} images are"
        yield f"{several} in several pairs, and the pairs may be in different splits; name data.group"
