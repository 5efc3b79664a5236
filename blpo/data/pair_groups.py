"""Pairs that belong together when splits are drawn: pairs that share an image or a text.

Samples of several images with one label belong together if they share an image. Otherwise the image of a test pair
could be in train pairs too, and the judge prompt could learn the image.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

from blpo.data.image_identity import Images
from blpo.data.message_text import listed
from blpo.data.rows import Row
from state.sample import SplitName


def linked_rows(rows: Sequence[Row], images: Sequence[Images], *, by_text: bool) -> list[list[int]]:
    """Return the indexes of rows that share an image, or `by_text` a text; rows with an own group are left out.

    `images` has the identities of all images of every row. A text of all rows is an instruction, and links nothing; nor
    does an image of all rows, such as one reference.
    Rows of different splits of the table are not linked: such splits stay.
    """
    sharers: dict[Hashable, list[int]] = defaultdict(list)
    for index, thing in _things(rows, images, by_text):
        if rows[index].sample.group is None:
            sharers[rows[index].split, thing].append(index)
    return [indexes for indexes in sharers.values() if len(indexes) > 1]


def pair_warnings(rows: Sequence[Row], images: Sequence[Images]) -> Iterator[str]:
    """Yield warnings about pairs of an image with itself, and about images and texts as `divided_warnings`."""
    places = [row.place for row, own in zip(rows, images, strict=True) if len(row.sample.images) == 2 and len(own) == 1]
    if places:
        pairs = "1 pair shows" if len(places) == 1 else f"{len(places)} pairs show"
        yield f"{pairs} the same image twice ({listed(places)}); no answer about such a pair is right"
    yield from divided_warnings(rows, images, by_text=True)


def divided_warnings(rows: Sequence[Row], images: Sequence[Images], *, by_text: bool) -> Iterator[str]:
    """Yield a warning about images of pairs or of samples, and `by_text` texts, in several splits of the table."""
    splits: dict[Hashable, set[SplitName | None]] = defaultdict(set)
    for index, thing in _things(rows, images, by_text):
        splits[thing].add(rows[index].split)
    divided = sum(len(of_thing) > 1 for of_thing in splits.values())
    if divided:
        one, several = ("image or text of pairs", "images or texts of pairs") if by_text else ("image", "images")
        things = f"1 {one} is" if divided == 1 else f"{divided} {several} are"
        yield f"{things} in several splits of the table, so the test flatters; leave out data.split.column"


def _things(rows: Sequence[Row], images: Sequence[Images], by_text: bool) -> Iterator[tuple[int, Hashable]]:
    """Yield images, `by_text` also texts, of all rows with the row's index, less a text or an image of all rows."""
    has_one_text = len({row.sample.text for row in rows}) == 1
    common: Images = frozenset.intersection(*images) if images else frozenset()
    for index, (row, identities) in enumerate(zip(rows, images, strict=True)):
        yield from ((index, ("image", identity)) for identity in identities - common)
        if by_text and row.sample.text and not has_one_text:
            yield index, ("text", row.sample.text)
