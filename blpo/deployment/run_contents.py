"""Samples of a run's dataset, known again by their images and texts, whatever their ids."""

from collections.abc import Sequence
from pathlib import Path

from blpo.data.dataset import SPLITS
from blpo.data.image_sources import stamp
from blpo.data.run_dataset import dataset_of
from blpo.runs.run_record import RunRecord
from state.errors import BlpoError, DataError
from state.sample import Sample, SplitName

Content = tuple[object, ...]
"""Stamps of the images, and the texts."""


def contents_of_run(run: Path | None, splits: Sequence[SplitName] = SPLITS) -> frozenset[Content]:
    """Return the contents of the samples in splits of a run; those of train include the examples of the judge.

    With all splits also those of the calibration.
    Empty without a run, and where the run or its dataset is gone.
    """
    if run is None:
        return frozenset()
    try:
        dataset = dataset_of(RunRecord.read(run).settings)
        examples = dataset.examples if "train" in splits else ()
        calibration = dataset.calibration if set(splits) == set(SPLITS) else ()
        samples = (sample for name in splits for sample in dataset.splits[name])
        return frozenset(map(content_of, (*samples, *examples, *calibration)))
    except BlpoError:
        return frozenset()


def content_of(sample: Sample) -> Content:
    """Return the content of a sample; the id for an image that can't be read."""
    try:
        return (*map(stamp, sample.images), *texts_of(sample))
    except DataError:
        return (sample.id,)


def texts_of(sample: Sample) -> Content:
    """Return the texts of a sample."""
    return (sample.text, sample.texts)
