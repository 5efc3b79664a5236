"""Warnings about labels that are usable, and perhaps not as meant."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from blpo.data.labels import is_missing_word
from blpo.data.message_text import display_text, listed
from blpo.data.similar_names import nearly_alike, read_alike
from state.settings import TaskSettings


def label_warnings(task: TaskSettings, values: Sequence[object]) -> Iterator[str]:
    """Yield warnings about the labels of the task, and about values that are read as a label that looks equal."""
    for spellings in similar_labels(task.labels):
        names = " and ".join(map(display_text, spellings))
        yield f"task.labels {names} look alike; if they mean one label, keep one: all its spellings are read"
    yield from nearly_similar(task.labels)
    missing = [display_text(label) for label in task.labels if is_missing_word(label)]
    if missing:
        yield (
            f"task.labels {', '.join(missing)} may stand for a missing label; if so, take {_them(missing)} out of "
            "task.labels, and set data.unlabelled: skip"
        )
    other_spellings = Counter(
        (value.strip(), label) for value in values if isinstance(value, str) for label in _only_similar(value, task)
    )
    readings = [
        f"{display_text(value)} as {display_text(label)} in {_rows(number)}"
        for (value, label), number in other_spellings.items()
    ]
    if readings:
        yield f"labels that look alike are read as one label: {listed(readings)}"


def skipped_rows(places: Sequence[str]) -> list[str]:
    """Return a warning about rows that are left out because they have no label."""
    are = "is" if len(places) == 1 else "are"
    return [f"{_rows(len(places))} without a label {are} left out ({listed(places)})"] if places else []


def similar_labels(labels: Sequence[str]) -> list[list[str]]:
    """Return lists of labels that look equal: case, spaces, Unicode."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        spellings[read_alike(label)].append(label)
    return [labels for labels in spellings.values() if len(labels) > 1]


def nearly_similar(labels: Sequence[str]) -> Iterator[str]:
    """Yield a warning about labels that differ in marks alone: quotes, a full stop, `_` for a space."""
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in {read_alike(label): label for label in labels}.values():
        spellings[nearly_alike(label)].append(label)
    for family in spellings.values():
        if len(family) > 1:
            names = " and ".join(map(display_text, family))
            yield f"labels {names} are nearly alike, and count as different labels; if not so, correct the rows"


def _only_similar(value: str, task: TaskSettings) -> list[str]:
    """Return the label that `value` is read as, if the label has another spelling."""
    if value.strip() in task.labels or value in task.labels:
        return []
    alike = [label for label in task.labels if read_alike(label) == read_alike(value)]
    return alike if len(alike) == 1 else []


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _them(items: Sequence[object]) -> str:
    return "it" if len(items) == 1 else "them"
