"""Pairs that belong together when splits are drawn: pairs that share an image or a text.

Otherwise the image of a test pair could be in train pairs too, and the judge prompt could learn the image.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from blpo.data.image_identity import Images
from blpo.data.message_text import listed
from blpo.data.rows import Row
from state.sample import SplitName


def linked_pairs(rows: Sequence[Row], images: Sequence[Images]) -> list[list[int]]:
    """Return the indexes of rows that share an image or a text; rows with a group of their own are left out.

    `images` has the identities of all images of every row. A text of all rows is an instruction, and links nothing; nor
    does an image of all rows, such as one reference.
    Rows of different splits of the table are not linked: such splits stay.
    """
    sharers: dict[Hashable, list[int]] = defaultdict(list)
    for index, thing in _things(rows, images):
        if rows[index].sample.group is None:
            sharers[rows[index].split, thing].append(index)
    return [indexes for indexes in sharers.values() if len(indexes) > 1]


def pair_warnings(rows: Sequence[Row], images: Sequence[Images]) -> Iterator[str]:
    """Yield warnings about pairs of an image with itself, and about images and texts in several splits of the table."""
    places = [row.place for row, own in zip(rows, images, strict=True) if len(row.sample.images) == 2 and len(own) == 1]
    if places:
        pairs = "1 pair shows" if len(places) == 1 else f"{len(places)} pairs show"
        yield f"{pairs} the same image twice ({listed(places)}); no answer about such a pair is right"
    splits: dict[Hashable, set[SplitName | None]] = defaultdict(set)
    for index, thing in _things(rows, images):
        splits[thing].add(rows[index].split)
    divided = sum(len(of_thing) > 1 for of_thing in splits.values())
    if divided:
        things = "1 image or text of pairs is" if divided == 1 else f"{divided} images or texts of pairs are"
        yield f"{things} in several splits of the table, so the test flatters; leave out data.split.column"


def _things(rows: Sequence[Row], images: Sequence[Images]) -> Iterator[tuple[int, Hashable]]:
    """Yield the images and texts of all rows with the row's index; leaves out a text or an image of all rows."""
    has_one_text = len({row.sample.text for row in rows}) == 1
    common: Images = frozenset.intersection(*images) if images else frozenset()
    for index, (row, identities) in enumerate(zip(rows, images, strict=True)):
        yield from ((index, ("image", identity)) for identity in identities - common)
        if row.sample.text and not has_one_text:
            yield index, ("text", row.sample.text)
