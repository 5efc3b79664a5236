"""Pairs that belong together when splits are drawn: pairs that share an image or a text.

Otherwise the image of a test pair could be in train pairs too, and the judge prompt could learn the image.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from blpo.data.image_identity import Images
from blpo.data.rows import Row


def linked_pairs(rows: Sequence[Row], images: Sequence[Images]) -> list[list[int]]:
    """Return the indexes of rows that share an image or a text; rows with a group of their own are left out.

    `images` has the identities of all images of every row. A text of all rows is an instruction, and links nothing.
    Rows of different splits of the table are not linked: such splits stay.
    """
    has_one_text = len({row.sample.text for row in rows}) == 1
    sharers: dict[Hashable, list[int]] = defaultdict(list)
    for index, (row, identities) in enumerate(zip(rows, images, strict=True)):
        if row.sample.group is not None:
            continue
        for identity in identities:
            sharers[row.split, "image", identity].append(index)
        if row.sample.text and not has_one_text:
            sharers[row.split, "text", row.sample.text].append(index)
    return [indexes for indexes in sharers.values() if len(indexes) > 1]
