"""Labelled samples to calibrate a judge on: neither search nor selection may have touched them."""

from pathlib import Path

from blpo.data.image_sources import stamp
from blpo.data.run_dataset import dataset_of
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import inputs_of, is_config, samples_of
from blpo.deployment.table_input import InputColumns
from blpo.runs.run_record import RunRecord
from state.errors import BlpoError, DataError
from state.sample import Sample, SplitName


def trust_samples(name: str, own: InputLabels, columns: InputColumns, run: Path | None) -> list[Sample]:
    """Return the labelled samples of an input; of a config the test split.

    `own` has the labels of the judge's task. `run` is the directory of the judge's run, if known. Raises `DataError`
    for an input without labels, and for a sample of the train or validation split of the run: such samples chose the
    prompt.
    """
    split: SplitName | None = "test" if is_config(Path(name)) else None
    labels = InputLabels(own.task, required=True, pair=columns.pair, name=own.name)
    inputs = inputs_of([name], columns, labels, split)
    samples = [sample for sample in samples_of(inputs) if sample.label is not None]
    if not samples:
        raise DataError(f"{name}: has no labels, and a calibration needs labels")
    searched = frozenset[object]() if run is None else _searched(run)
    for sample in samples:
        if searched and _content(sample) in searched:
            raise DataError(
                f"{name}: {sample.id} is of the train or validation split of the judge's run, which chose the prompt:"
                " its agreement flatters; give labelled samples that the search has not seen"
            )
    return samples


def _searched(run: Path) -> frozenset[object]:
    """Return the contents of a run's train and validation samples; none where the run's dataset is gone."""
    try:
        splits = dataset_of(RunRecord.read(run).settings).splits
        return frozenset(_content(sample) for name in ("train", "validation") for sample in splits[name])
    except BlpoError:
        return frozenset()


def _content(sample: Sample) -> object:
    """Return the stamps of the images and the texts; the id for an image that can't be read."""
    try:
        return (*map(stamp, sample.images), sample.text, sample.texts)
    except DataError:
        return sample.id
