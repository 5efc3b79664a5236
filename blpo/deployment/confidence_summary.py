"""Confidence in the summary of a judged set: source, calibration, quality on labelled samples, trusted verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired

from typing_extensions import TypedDict

from blpo.deployment.trust import Trust, is_right, with_confidence
from blpo.deployment.verdict_lines import JudgedSample, image_of
from blpo.metrics.confidence import bins, confidence_quality, expected_rating, rating_quality
from state.sample import Sample
from state.settings import TaskSettings


class TrustRecord(TypedDict):
    """Guaranteed agreement of the trusted verdicts."""

    target_agreement: float
    delta: float
    threshold: float
    """Confidence, as the model tells it, from which a verdict is trusted."""
    labelled: int
    """Labelled samples behind the threshold, one a group."""
    labelled_trusted: int
    labelled_wrong: int
    """Wrong verdicts among `labelled_trusted`."""
    agreement_bound: float
    """Lower bound of the agreement, at confidence 1 - delta."""
    trusted: int
    """Judged samples with a trusted verdict."""
    coverage: float | None
    """Share of the judged samples; None without a sample."""
    test_used_up: NotRequired[bool]
    """True if the labelled samples are of the test split of the judge's run."""


class ConfidenceRecord(TypedDict):
    """Confidences of a judged set."""

    source: str
    """logprobs, repeats or words."""
    samples: int
    """Samples with a confidence."""
    calibrated_on: str | None
    calibration: str | None
    """none, platt or isotonic: chosen by cross-validation. None without a calibration."""
    calibration_samples: NotRequired[int]
    quality: dict[str, Any] | None
    """`blpo.metrics.confidence.ConfidenceQuality` over the labelled samples of the inputs that did not
    calibrate; None without any."""
    bins: list[dict[str, Any]]
    """Reliability: `blpo.metrics.confidence.Bin` of the same samples."""
    ratings: NotRequired[dict[str, dict[str, float | None]]]
    """For ratings with probabilities: MAE and Spearman of the `label` and of the `expected` rating."""


class ConfidenceCounts:
    """Confidences of a judged set, for the summary. Memory grows with the labelled samples alone.

    Samples of the calibration don't count for the quality: on them any calibration looks good.
    """

    def __init__(self, task: TaskSettings, calibration: Iterable[Sample]) -> None:
        self._task = task
        self._calibration = {_place(sample) for sample in calibration}
        self.labelled: list[JudgedSample] = []
        """Labelled samples that did not calibrate, also those without a confidence."""
        self.judged = 0
        self.known = 0
        self.trusted = 0

    def add(self, item: JudgedSample) -> None:
        """Count one sample."""
        self.judged += 1
        self.known += item.confidence is not None
        self.trusted += item.trusted is True
        if item.sample.label is not None and _place(item.sample) not in self._calibration:
            self.labelled.append(item)

    def record(self, source: str, trust: Trust | None) -> ConfidenceRecord:
        """Return source, calibration and quality."""
        items = with_confidence(self.labelled)
        confidences, right = [item.confidence or 0.0 for item in items], list(map(is_right, items))
        quality = confidence_quality(confidences, right)
        content = ConfidenceRecord(
            source=source,
            samples=self.known,
            calibrated_on=None if trust is None else trust.source,
            calibration=None if trust is None else trust.choice.map.method,
            quality=None if quality is None else asdict(quality),
            bins=[asdict(each) for each in bins(confidences, right)] if confidences else [],
        )
        if trust is not None:
            content["calibration_samples"] = trust.samples
        if ratings := rating_figures(items, self._task):
            content["ratings"] = ratings
        return content

    def trust_record(self, trust: Trust) -> TrustRecord | None:
        """Return the guarantee and the coverage; None without a target."""
        if trust.target is None or trust.threshold is None:
            return None
        return TrustRecord(
            target_agreement=trust.target.agreement,
            delta=trust.target.delta,
            threshold=trust.threshold.confidence,
            labelled=trust.threshold.samples,
            labelled_trusted=trust.threshold.trusted,
            labelled_wrong=trust.threshold.wrong,
            agreement_bound=trust.threshold.agreement_bound,
            trusted=self.trusted,
            coverage=self.trusted / self.judged if self.judged else None,
        )


def _place(sample: Sample) -> tuple[str, ...]:
    images = image_of(sample)
    return (sample.id, images) if isinstance(images, str) else (sample.id, *images)


def rating_figures(items: Sequence[JudgedSample], task: TaskSettings) -> dict[str, dict[str, float | None]]:
    """Return MAE and Spearman of labels and of expected ratings; empty for other tasks, and without probabilities."""
    rated = [item for item in items if item.verdict.scores] if task.kind == "ordinal" else []
    people = [float(item.sample.label if item.sample.rating is None else item.sample.rating) for item in rated]  # type: ignore[arg-type] # ordinal labels are integers
    numbers: Mapping[str, list[float]] = {
        "label": [float(item.verdict.label or 0) for item in rated],
        "expected": [expected_rating(dict(item.verdict.scores)) for item in rated],
    }
    qualities = {name: rating_quality(values, people) for name, values in numbers.items()}
    return {name: {"mae": each.mae, "spearman": each.spearman} for name, each in qualities.items() if each is not None}
