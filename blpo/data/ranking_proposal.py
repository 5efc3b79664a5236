"""Proposal of a task of rankings for a table with ranks of images in lists."""

from collections import Counter
from collections.abc import Sequence

from blpo.data.label_proposal import ProposedLabels, as_numbers
from blpo.data.labels import as_text, is_empty
from state.ranking import MOST_IMAGES
from state.settings import TaskSettings

RANK_NAMES = ("rank", "ranks", "ranking", "place")
"""Columns of ranks by their names. Ratings in lists may be labels of single images, so they are not proposed."""


def ranked_lists(column: str, labels: Sequence[object], groups: Sequence[object]) -> int:
    """Return the number of lists, if `labels` are ranks by the name of the column; else 0.

    `groups[i]` is the list of `labels[i]`. A list has at most as many images as a ranking.
    """
    sizes = Counter(as_text(group) for group in groups if not is_empty(group))
    numbers = as_numbers([label for label in labels if not is_empty(label)])
    is_ranked = column.casefold() in RANK_NAMES and bool(numbers)
    return len(sizes) if is_ranked and sizes and 1 < max(sizes.values()) <= MOST_IMAGES else 0


def propose_ranking(lists: int) -> ProposedLabels:
    """Propose a ranking of `lists` lists by ranks."""
    words = f"ranks of images in {lists} list{'' if lists == 1 else 's'}"
    return ProposedLabels(TaskSettings(kind="ranking", best="lowest"), False, words)
