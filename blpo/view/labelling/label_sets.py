"""Samples of runs that were opened last: a dataset is not read again for every image."""

from pathlib import Path

from blpo.runs.run_record import RunRecord
from blpo.view.calls import Coming
from blpo.view.labelling.label_set import LabelSet, run_set
from blpo.view.report_shelf import file_times
from blpo.view.shelf import Shelf

_MOST_SETS = 3
_FILES = ("config.yaml", "run.json", "result.json")


class LabelSets:
    """Label sets by run, kept until config or result of the run change."""

    def __init__(self) -> None:
        self._sets: Shelf[tuple[RunRecord, LabelSet]] = Shelf(_MOST_SETS)

    def of_run(self, path: Path, address: str, patience: float | None = None) -> tuple[RunRecord, LabelSet]:
        """Return a run with its samples; raises as `run_set`, and `Coming` after `patience` seconds."""

        def opened() -> tuple[RunRecord, LabelSet]:
            record = RunRecord.read(path)
            return record, run_set(record, address)

        label_set = self._sets.get((path, file_times(path, _FILES)), opened, patience)
        if label_set is None:
            raise Coming("The samples are being read. The page shows them as soon as they are ready.")
        return label_set
