"""Origin of a run: a fork of another run, labels that people corrected."""

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12


class Fork(TypedDict):
    """Origin of a fork: the round of a run."""

    run: str
    """Directory of the other run at the time of the fork."""
    thread_id: str
    round: int
    """First own round; earlier rounds belong to the other run."""
    changed: list[str]
    """Differences: names of new prompts, and settings as `key=value`."""


class CorrectedLabels(TypedDict):
    """Version of a dataset with labels that people corrected after a look at a judge's verdicts."""

    file: str
    sha256: str
    train: int
    """Number of corrected labels in the train split."""
    validation: int
    test: int
    """Number of corrected labels in the test split. Above 0, the test split is no longer untouched."""


class Lineage(TypedDict, total=False):
    """Origin of a run and of the labels."""

    fork: Fork
    labels: CorrectedLabels
