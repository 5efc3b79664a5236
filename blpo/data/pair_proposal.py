"""Proposal of a pairwise task for the labels of a table with two columns of images."""

from collections.abc import Sequence

from blpo.data.label_proposal import ProposedLabels
from blpo.data.labels import is_empty, is_missing_word, label_reader
from state.settings import TaskSettings

NOT_A_PREFERENCE = (
    "every row has two images; if the label says which one is better, write a or b in its place, and give --labels a,b"
)


def propose_pair(values: Sequence[object], pair: tuple[str, str]) -> ProposedLabels | None:
    """Propose a pairwise task if every label names one of the two images or a tie; else return None.

    `pair` are the two columns; words for missing values are left out.
    """
    reader = label_reader(TaskSettings(kind="pairwise", ties=True), None, (), pair)
    try:
        labels = {reader(value) for value in values if not is_empty(value) and not is_missing_word(value)}
    except ValueError:
        return None
    if not labels & {"a", "b"}:
        return None
    ties = "tie" in labels
    return ProposedLabels(
        TaskSettings(kind="pairwise", ties=ties), False, f"the better of two images{' or tie' * ties}"
    )
