"""Labelled samples to calibrate a judge on: neither search nor selection may have touched them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from blpo.config.settings_file import load_settings
from blpo.data.dataset import load_dataset
from blpo.data.run_dataset import dataset_of, task_samples
from blpo.deployment.input_labels import InputLabels
from blpo.deployment.inputs import inputs_of, is_config, samples_of
from blpo.deployment.run_contents import Content, content_of, contents_of_run
from blpo.deployment.table_input import InputColumns
from state.errors import DataError
from state.sample import Sample, SplitName
from state.settings import Settings


def trust_samples(name: str, own: InputLabels, columns: InputColumns, run: Path | None) -> list[Sample]:
    """Return the labelled samples of an input; of a config, or a run, its calibration split, else its test split.

    `own` has the labels of the judge's task. `run` is the directory of the judge's run, if known. Raises `DataError`
    for an input without labels, and for a sample of the train or validation split of the run: such samples chose the
    prompt.
    """
    file = Path(name) / "config.yaml" if (Path(name) / "run.json").is_file() else Path(name)
    if is_config(file) and (calibration_samples := _calibration_split(file, own)):
        return calibration_samples
    split: SplitName | None = "test" if is_config(file) else None
    labels = InputLabels(own.task, required=True, pair=columns.pair, name=own.name)
    inputs = inputs_of([str(file)], columns, labels, split)
    samples = [sample for sample in samples_of(inputs) if sample.label is not None]
    if not samples:
        raise DataError(f"{name}: has no labels, and a calibration needs labels")
    searched = contents_of_run(run, ("train", "validation"))
    for sample in samples:
        if searched and content_of(sample) in searched:
            raise DataError(
                f"{name}: {sample.id} is of the train or validation split of the judge's run, which chose the prompt:"
                " its agreement flatters; give labelled samples that the search has not seen"
            )
    return samples


def own_calibration(run: Path, task: str = "") -> str | None:
    """Return the name of a run as labelled samples of a task; None for a run without a calibration split."""
    file = run / "config.yaml"
    settings = load_settings(file) if file.is_file() else None
    return None if settings is None or not _sets_aside(settings, task) else str(run)


def _sets_aside(settings: Settings, task: str) -> bool:
    """Return True if the config has this task, and a calibration split for the task."""
    if task not in (settings.task_names or ("",)):
        return False
    return getattr(settings.of_task(task).data.split, "calibration", None) is not None


def _calibration_split(config: Path, own: InputLabels) -> list[Sample]:
    settings = load_settings(config)
    if not _sets_aside(settings, own.name):
        return []
    if not own.name:
        return list(load_dataset(settings.data, own.task, settings.search.seed).calibration)
    samples = task_samples(dataset_of(settings).calibration, own.name)
    return [replace(sample, id=sample.item, task="") for sample in samples]


def are_of_test(samples: Sequence[Sample], run: Path | None) -> bool:
    """Return True if a sample is of the test split of the run."""
    tested = contents_of_run(run, ("test",)) if samples else frozenset[Content]()
    return bool(tested) and any(content_of(sample) in tested for sample in samples)
