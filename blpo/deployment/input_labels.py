"""Human labels of inputs, and stand-ins for unreadable images."""

from dataclasses import dataclass
from typing import NoReturn

from blpo.data.column_proposal import PAIR_COLUMNS
from blpo.data.labels import is_empty, label_reader, rating_reader
from state.errors import DataError
from state.sample import Label
from state.settings import TaskSettings


@dataclass(frozen=True, slots=True)
class UnusableImage:
    """Stand-in for an unreadable image: only the one sample fails."""

    name: str
    problem: str

    def read(self) -> NoReturn:
        """Raise `DataError`."""
        raise DataError(f"{self.name}: {self.problem}")


class InputLabels:
    """Reader of human labels in the form of the judge's task.

    `pair` are the columns of a pair: their names are labels too. Labels are optional. A value that is no label of the
    task is counted and ignored, or refused if `required`. `name` is the task's name for a judge of several tasks.
    """

    def __init__(
        self, task: TaskSettings, *, required: bool, pair: tuple[str, str] = PAIR_COLUMNS, name: str = ""
    ) -> None:
        self.task = task
        self.name = name
        self.ignored = 0
        """Values that are no label of the task."""
        self.first_ignored = ""
        """Problem of the first ignored value."""
        self._required = required
        self._read = label_reader(task, None, (), pair)
        self._rating = rating_reader(task)

    def read(self, value: object, place: str) -> Label | None:
        """Return the label of one row, None for an empty value; raises `DataError` for a bad value if required."""
        if is_empty(value):
            return None
        try:
            return self._read(value)
        except ValueError as error:
            self._ignore(error, place)
            return None

    def rank(self, value: object, place: str) -> float | None:
        """Return the rank or rating of an image in a list, None for an empty value; raises `DataError` as `read`."""
        if is_empty(value):
            return None
        try:
            return self._rating(value)
        except ValueError as error:
            self._ignore(error, place)
            return None

    def _ignore(self, error: ValueError, place: str) -> None:
        """Count a value that is no label of the task; raises `DataError` if labels are required."""
        if self._required:
            raise DataError(f"{place}: {error}; correct it, or leave it empty") from None
        self.ignored += 1
        self.first_ignored = self.first_ignored or f"{place}: {error}"

    def rating(self, value: object, label: Label | None) -> float | None:
        """Return the rating with its fraction behind a label; None unless `task.round` is none."""
        return None if label is None else self._rating(value)
