"""Preview of a run: samples, labels, models and judge calls, with warnings; nothing is sent."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from blpo.data.dataset import Dataset
from blpo.data.message_text import display_text, listed
from blpo.metrics.significance import FEW_SAMPLES
from blpo.models.messages import ROLES
from blpo.models.server_address import lacks_version, version_hint
from state.sample import SplitName
from state.settings import Settings


@dataclass(frozen=True, slots=True)
class RunPreview:
    """Numbers of a run that are known before the run."""

    samples: Mapping[SplitName, int]
    labels: Mapping[str, Mapping[SplitName, int]]
    """Samples by label and split."""
    models: Mapping[str, str]
    """Model names by role."""
    calls_a_prompt: int
    """Judge calls that judge one prompt on train and validation."""
    test_calls: int
    """Largest number of judge calls of the test."""
    warnings: tuple[str, ...]


def preview(settings: Settings, dataset: Dataset) -> RunPreview:
    """Count samples, labels and judge calls of a run with these settings."""
    sizes = {name: len(samples) for name, samples in dataset.splits.items()}
    calls, test_calls = sizes["train"] + sizes["validation"], 2 * sizes["test"]
    labels = _labels(settings, dataset)
    warnings = [
        *dataset.warnings,
        *_label_warnings(settings, labels),
        *_limit_warnings(settings.limits.calls, calls, test_calls),
        *_test_warnings(sizes["test"]),
        *_address_warnings(settings),
    ]
    return RunPreview(
        samples=sizes,
        labels=labels,
        models={role: settings.models.of(role).name for role in ROLES},
        calls_a_prompt=calls,
        test_calls=test_calls,
        warnings=tuple(warnings),
    )


def _labels(settings: Settings, dataset: Dataset) -> dict[str, dict[SplitName, int]]:
    counts = {name: Counter(sample.label for sample in samples) for name, samples in dataset.splits.items()}
    return {str(label): {name: counts[name][label] for name in counts} for label in settings.task.values}


def _label_warnings(settings: Settings, labels: Mapping[str, Mapping[SplitName, int]]) -> Iterator[str]:
    """Yield warnings about categories without any sample, and about labels that are missing in a split."""
    unused = [label for label, counts in labels.items() if not any(counts.values())]
    if unused and settings.task.kind == "categorical":
        yield f"no sample has the label {listed(unused)}; take the label out of task.labels, or label more"
    missing = [
        f"{display_text(label)} in {' and '.join(name for name, number in counts.items() if not number)}"
        for label, counts in labels.items()
        if label not in unused and not all(counts.values())
    ]
    if missing:
        yield f"labels without a sample in a split: {listed(missing, 5)}; label more of these classes"


def _test_warnings(test: int) -> Iterator[str]:
    if test < FEW_SAMPLES:
        yield f"so few test samples ({test}) can hardly show a difference; label more"


def _address_warnings(settings: Settings) -> Iterator[str]:
    for role in ROLES:
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
