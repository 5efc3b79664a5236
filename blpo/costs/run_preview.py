"""Preview of a run: samples, labels, models and judge calls, with warnings; nothing is sent."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from blpo.costs.dataset_sizes import DatasetSizes
from blpo.costs.rater_facts import rater_facts
from blpo.data.dataset import Dataset
from blpo.data.dataset_warnings import dataset_warnings, label_counts
from blpo.data.run_dataset import lines_by_task, of_task
from blpo.metrics.detectable import LEAST_GROUPS, detectable_difference
from blpo.metrics.resampling import own_groups
from blpo.metrics.significance import FEW_SAMPLES
from blpo.models.server_address import lacks_version, version_hint
from state.sample import SplitName
from state.settings import ModelsSettings, Settings


@dataclass(frozen=True, slots=True)
class TaskPreview:
    """Numbers of one task."""

    samples: Mapping[SplitName, int]
    labels: Mapping[str, Mapping[SplitName, int]]
    """Samples by label and split."""
    test_groups: int
    """Groups in the test split: the independent observations of the test."""
    detectable: float | None
    """Difference in accuracy that the test finds in about half of all cases; None if the test can show nothing, and
    for rankings, which have no accuracy."""
    calibration: int = 0
    """Samples of `data.split.calibration`, in no split."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words of ratings, by rating."""

    @classmethod
    def of(cls, settings: Settings, dataset: Dataset) -> "TaskPreview":
        """Count the samples and labels of a single task."""
        groups = _test_groups(dataset)
        return cls(
            samples={name: len(samples) for name, samples in dataset.splits.items()},
            labels=label_counts(settings.task, dataset),
            test_groups=len(set(own_groups(groups))),
            detectable=None if settings.task.kind == "ranking" else detectable_difference(groups),
            calibration=len(dataset.calibration),
            words={str(rating): word for rating, word in settings.task.scale},
        )


@dataclass(frozen=True, slots=True)
class RunPreview:
    """Numbers of a run that are known before the run."""

    tasks: Mapping[str, TaskPreview]
    """Numbers by task; of a single task under the name ""."""
    models: Mapping[str, str]
    """Model names by role."""
    calls_a_prompt: int
    """Judge calls that judge one prompt on train and validation."""
    test_calls: int
    """Largest number of judge calls of the test."""
    facts: tuple[str, ...]
    """Lines about lists, raters, slices and a panel."""
    warnings: tuple[str, ...]


def preview(settings: Settings, dataset: Dataset) -> RunPreview:
    """Count samples, labels and judge calls of a run with these settings."""
    sizes = DatasetSizes.of(settings, dataset)
    calls, test_calls = sizes.labelled, 2 * sizes.requests["test"]
    parts = {name: of_task(dataset, name) for name in settings.task_names or ("",)}
    labels = [entry.data.label for entry in settings.entries if settings.criteria and entry.data.label]
    facts = {name: _facts(settings.of_task(name), part, labels) for name, part in parts.items()}
    warnings = [
        *dataset_warnings(settings, dataset),
        *_limit_warnings(settings.limits.calls, calls, test_calls),
        *lines_by_task({name: list(_test_warnings(_test_groups(part))) for name, part in parts.items()}, settings),
        *_address_warnings(settings),
    ]
    return RunPreview(
        tasks={name: TaskPreview.of(settings.of_task(name), part) for name, part in parts.items()},
        models={role: settings.models.of(role).name for role in settings.models.roles},
        calls_a_prompt=calls,
        test_calls=test_calls,
        facts=(*lines_by_task(facts, settings), *_panel_facts(settings.models)),
        warnings=tuple(warnings),
    )


def _test_groups(dataset: Dataset) -> list[str | None]:
    return [sample.group for sample in dataset.splits["test"]]


def _facts(settings: Settings, dataset: Dataset, labels: Sequence[str]) -> list[str]:
    own = (*_pair_facts(settings, dataset), *_list_facts(settings, dataset))
    return [*own, *rater_facts(settings, dataset, labels)]


def _panel_facts(models: ModelsSettings) -> Iterator[str]:
    """Yield the rule of a panel, for several judges."""
    if (panel := models.panel) is not None:
        answers = f"{panel.needed(models.answers)} of {models.answers} answers"
        yield f"panel: {panel.rule} of {len(models.judges)} judges; a verdict needs {answers}"


def _pair_facts(settings: Settings, dataset: Dataset) -> Iterator[str]:
    """Yield the number of groups of pairs, for a task of pairs."""
    if settings.task.kind == "pairwise":
        groups = own_groups([sample.group for sample in dataset.by_id.values()])
        shared = "data.group" if settings.data.group else "pairs that share an image or a text are one group"
        yield f"pairs: {len(groups)} in {len(set(groups))} groups ({shared})"


def _list_facts(settings: Settings, dataset: Dataset) -> Iterator[str]:
    """Yield the numbers of lists, or of samples with several named images, by size."""
    samples = dataset.by_id.values()
    if settings.task.kind == "ranking" or any(sample.image_names for sample in samples):
        sizes = Counter(len(sample.images) for sample in samples)
        things = "lists" if settings.task.kind == "ranking" else "images in order"
        counts = (f"{sizes[size]} of {size} image{'s' if size > 1 else ''}" for size in sorted(sizes))
        yield f"{things}: {', '.join(counts)}"


def _test_warnings(groups: Sequence[str | None]) -> Iterator[str]:
    samples, number = len(groups), len(set(own_groups(groups)))
    noun = "samples" if number == samples else "groups"
    if number < LEAST_GROUPS:
        yield f"so few test {noun} ({number}) can show nothing: the test needs at least {LEAST_GROUPS}; label more"
    elif number < FEW_SAMPLES:
        yield f"so few test {noun} ({number}) can hardly show a difference; label more"


def _address_warnings(settings: Settings) -> Iterator[str]:
    for role in settings.models.roles:
        address = settings.models.of(role).base_url
        if address and lacks_version(address):
            yield f"models.{role}.base_url has no path; {version_hint(address)}"


def _limit_warnings(limit: int | None, calls: int, test_calls: int) -> Iterator[str]:
    if limit is None or limit >= calls + test_calls:
        return
    if limit < test_calls:
        yield f"limits.calls ({limit}) can't pay for the test; it may need {test_calls} calls"
    else:
        rest = limit - test_calls
        yield f"limits.calls ({limit}) leaves {rest} calls beside the test; judging one prompt needs {calls}"
