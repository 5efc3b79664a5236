"""Proposal of criteria from several columns of labels, for a person to confirm."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.data.label_proposal import ProposedLabels, good_label, propose_labels
from blpo.data.message_text import listed
from state.errors import DataError

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9 _-]+")
_MOST_CHARACTERS = 40
_KEYS = ("label", "reason")


@dataclass(frozen=True, slots=True)
class ProposedCriteria:
    """Criteria with their labels."""

    entries: tuple[Mapping[str, object], ...]
    """Entries of the section `criteria`."""
    is_cut: bool
    """True if the numbers of all criteria are cut at their medians."""
    in_words: tuple[str, ...]
    """A line about each column."""


def propose_criteria(columns: Mapping[str, Sequence[object]], table: str) -> ProposedCriteria:
    """Propose a criterion for each column of labels.

    Raises `DataError` for columns without usable labels, and if some of the columns alone are to be cut in two.
    """
    labels = {name: propose_labels(values, f"{table}: column {name!r}") for name, values in columns.items()}
    cut = [name for name, own in labels.items() if own.is_cut]
    if cut and len(cut) < len(labels):
        raise DataError(
            f"{table}: {listed(cut)} would be cut at the median, and the other criteria not; data.threshold holds for"
            " all criteria, so write ratings into the columns, or leave these out"
        )
    words = [f"{table}: column {name!r} holds {own.in_words}" for name, own in labels.items()]
    return ProposedCriteria(
        tuple(_entry(name, own) for name, own in labels.items()), bool(cut), (*words, *_warnings(table, labels))
    )


def _warnings(table: str, labels: Mapping[str, ProposedLabels]) -> list[str]:
    return [f"warning: {table}: {name}: {warning}" for name, own in labels.items() for warning in own.warnings]


def _entry(column: str, labels: ProposedLabels) -> dict[str, object]:
    task = labels.task
    positive = good_label(task.labels)
    own: dict[str, object] = {"kind": task.kind, "min": task.min, "max": task.max}
    if task.kind == "categorical":
        own = {"kind": task.kind, "labels": list(task.labels), **({"positive": positive} if positive else {})}
    name = criterion_name(column)
    return {"name": name, **({"label": column} if name != column else {}), **own}


def criterion_name(column: str) -> str:
    """Return a name for the criterion of a column: of letters, digits, blanks, - and _."""
    name = _NOT_IN_NAMES.sub("_", column).strip(" _-")[:_MOST_CHARACTERS].strip() or "criterion"
    return f"{name}_criterion" if name.casefold() in _KEYS else name
