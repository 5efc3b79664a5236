"""Samples of runs that were opened last: a dataset is not read again for every image."""

from pathlib import Path
from threading import Lock

from blpo.runs.run_record import RunRecord
from blpo.view.labelling.label_set import LabelSet, run_set

_MOST_SETS = 3
_Kept = tuple[tuple[int, ...], RunRecord, LabelSet]


class LabelSets:
    """Label sets by run, kept until config or result of the run change."""

    def __init__(self) -> None:
        self._sets: dict[Path, _Kept] = {}
        self._lock = Lock()

    def of_run(self, path: Path, address: str) -> tuple[RunRecord, LabelSet]:
        """Return a run with its samples; raises as `run_set`."""
        stamp = tuple(
            (path / name).stat().st_mtime_ns
            for name in ("config.yaml", "run.json", "result.json")
            if (path / name).exists()
        )
        with self._lock:  # two pages of one run wait for one reading
            kept = self._sets.pop(path, None)
            if kept is None or kept[0] != stamp:
                record = RunRecord.read(path)
                kept = stamp, record, run_set(record, address)
            self._sets[path] = kept
            while len(self._sets) > _MOST_SETS:
                self._sets.pop(next(iter(self._sets)))
        return kept[1], kept[2]
