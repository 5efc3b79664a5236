"""Lineage of a run's labels: corrections by people who had seen a judge's verdicts."""

from hashlib import sha256
from pathlib import Path

from blpo.data.corrections import read_corrections
from blpo.data.dataset import SPLITS, Dataset
from state.run_lineage import CorrectedLabels, Lineage
from state.settings import Settings


def lineage_of(settings: Settings, dataset: Dataset) -> Lineage | None:
    """Return the lineage of a run on the dataset; None for labels without corrections."""
    if settings.data.corrections is None:
        return None
    file = Path(settings.data.corrections)
    changes = {c.id for c in read_corrections(file, settings.task) if c.changes}
    train, validation, test = (sum(sample.id in changes for sample in dataset.splits[name]) for name in SPLITS)
    digest = sha256(file.read_bytes()).hexdigest()
    return Lineage(labels=CorrectedLabels(file=str(file), sha256=digest, train=train, validation=validation, test=test))
