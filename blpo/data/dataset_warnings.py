"""Warnings about a dataset that is usable, and perhaps not as meant: labels, rows, splits and files."""

from collections import Counter
from collections.abc import Iterator, Mapping

from blpo.data.dataset import Dataset
from blpo.data.left_out_files import left_out_files
from blpo.data.message_text import display_text, in_task, listed
from blpo.data.run_dataset import of_task
from state.sample import SplitName
from state.settings import Settings, TaskSettings

_MOSTLY = 0.7
"""Share of one label that favours a judge with a lean to a position."""


def dataset_warnings(settings: Settings, dataset: Dataset) -> list[str]:
    """Return a line for every warning. Reads no image; lists the files of the dataset's folder once."""
    warnings = list(dataset.warnings)
    for name in settings.task_names or ("",):
        task, own = settings.of_task(name).task, of_task(dataset, name)
        lines = [*_label_warnings(task, label_counts(task, own)), *_order_warnings(task, own)]
        warnings += [in_task(name, line) for line in lines]
    paths = dict.fromkeys(settings.of_task(name).data.path for name in settings.task_names or ("",))
    return [*warnings, *(line for path in paths for line in left_out_files(path, dataset))]


def _order_warnings(task: TaskSettings, dataset: Dataset) -> Iterator[str]:
    """Yield a warning about pairs with mostly one label that are always shown in one order."""
    if task.kind != "pairwise" or task.order != "one":
        return
    counts = Counter(sample.label for sample in dataset.by_id.values())
    label, number = counts.most_common(1)[0]
    if label in ("a", "b") and number >= _MOSTLY * counts.total():
        place = "first" if label == "a" else "second"
        yield (
            f"{number / counts.total():.0%} of the labels are {label}, and task.order: one always shows a first, so a"
            f" judge that always says {place} looks right; set task.order: both or random"
        )


def label_counts(task: TaskSettings, dataset: Dataset) -> dict[str, dict[SplitName, int]]:
    """Return the number of samples by label and split."""
    counts = {name: Counter(sample.label for sample in samples) for name, samples in dataset.splits.items()}
    return {str(label): {name: counts[name][label] for name in counts} for label in task.values}


def _label_warnings(task: TaskSettings, labels: Mapping[str, Mapping[SplitName, int]]) -> Iterator[str]:
    """Yield warnings about categories without any sample, and about labels that are missing in a split."""
    unused = [label for label, counts in labels.items() if not any(counts.values())]
    if unused and task.kind == "categorical":
        yield f"no sample has the label {listed(unused)}; take the label out of task.labels, or label more"
    missing = [
        f"{display_text(label)} in {' and '.join(name for name, number in counts.items() if not number)}"
        for label, counts in labels.items()
        if label not in unused and not all(counts.values())
    ]
    if missing:
        yield f"labels without a sample in a split: {listed(missing, 5)}; label more of these classes"
