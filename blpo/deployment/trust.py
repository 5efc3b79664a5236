"""Calibrated confidence of verdicts, and verdicts whose agreement with people is guaranteed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from typing_extensions import TypedDict

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.confidence_map import MapChoice, choose_map
from blpo.metrics.guarantee import TrustThreshold, fewest_samples, trust_threshold
from blpo.runs.wording import counted
from state.errors import ConfigError, DataError
from state.sample import Sample


@dataclass(frozen=True, slots=True)
class TrustTarget:
    """Wanted agreement of trusted verdicts with people; raises `ConfigError` for a share out of range."""

    agreement: float
    delta: float = 0.05
    """Probability, over the labelled samples, that the agreement is missed."""

    def __post_init__(self) -> None:
        for name, value in (("--target-agreement", self.agreement), ("--delta", self.delta)):
            if not 0 < value < 1:
                raise ConfigError(f"{name} {value:g}: must be above 0 and below 1")

    @property
    def fewest(self) -> int:
        """Labelled samples, one a group, that show the agreement if no verdict is wrong."""
        return fewest_samples(self.agreement, self.delta)


@dataclass(frozen=True, slots=True)
class Trust:
    """What labelled samples tell about a judge's confidences. Made by `learn`."""

    source: str
    """Name of the labelled samples."""
    samples: int
    """Labelled samples with a confidence."""
    choice: MapChoice
    target: TrustTarget | None
    threshold: TrustThreshold | None
    """None without a target."""
    versions: frozenset[str]
    """Versions of the model that answered about the labelled samples; empty if the server told none."""

    def mark(self, item: JudgedSample) -> JudgedSample:
        """Return the sample with the calibrated confidence, and with `trusted` if there is a target.

        An answer of another version of the model is never trusted.
        """
        value = item.confidence
        trusted = None if self.threshold is None else self._is_trusted(item, self.threshold)
        calibrated = None if value is None else float(self.choice.map([value])[0])
        return replace(item, confidence=calibrated, trusted=trusted)

    def _is_trusted(self, item: JudgedSample, threshold: TrustThreshold) -> bool:
        version = "" if item.judge is None else item.judge.version
        is_known = not version or not self.versions or version in self.versions
        return is_known and item.confidence is not None and item.confidence >= threshold.confidence

    @property
    def fields(self) -> dict[str, object]:
        """All that decides about a line, as plain JSON."""
        return {
            "source": self.source,
            "samples": self.samples,
            "map": asdict(self.choice.map),
            "target": None if self.target is None else asdict(self.target),
            "threshold": None if self.threshold is None else asdict(self.threshold),
            "versions": sorted(self.versions),
        }


class Guarantee(TypedDict):
    """A target, and the verdicts that reach it on the labelled samples of the calibration."""

    target_agreement: float
    threshold: float | None
    """Confidence, as the model tells it; None: no threshold reaches the target."""
    coverage: float
    """Share of the labelled samples, one a group, of at least this confidence."""
    agreement_bound: float | None
    fewest: int
    """Labelled samples that the target needs without an error."""


def guarantees(items: Sequence[JudgedSample], targets: Iterable[float], delta: float) -> list[Guarantee]:
    """Return what labelled samples guarantee at several targets, each at its own probability `delta` of a miss."""
    samples = one_of_each_group(with_confidence(items))
    confidences, right = [item.confidence or 0.0 for item in samples], list(map(is_right, samples))
    rows = [(target, trust_threshold(confidences, right, target, delta)) for target in targets]
    return [
        Guarantee(
            target_agreement=target,
            threshold=None if threshold is None else threshold.confidence,
            coverage=0.0 if threshold is None else threshold.trusted / threshold.samples,
            agreement_bound=None if threshold is None else threshold.agreement_bound,
            fewest=fewest_samples(target, delta),
        )
        for target, threshold in rows
    ]


def is_right(item: JudgedSample) -> bool:
    """Return True if the verdict is the human label."""
    return item.verdict.label == item.sample.label


def with_confidence(items: Iterable[JudgedSample]) -> list[JudgedSample]:
    """Return the labelled samples whose verdict has a confidence."""
    return [item for item in items if item.sample.label is not None and item.confidence is not None]


def learn(items: Sequence[JudgedSample], source: str, target: TrustTarget | None) -> Trust:
    """Calibrate on labelled samples that neither search nor selection touched.

    The confidences of `items` are as the model tells them. Raises `DataError` if the samples are too few for the
    target, or if no threshold reaches the target.
    """
    samples = with_confidence(items)
    if not samples:
        raise DataError(f"{source}: no labelled sample has a verdict with a confidence")
    confidences, right = [item.confidence or 0.0 for item in samples], [is_right(item) for item in samples]
    choice = choose_map(confidences, right, [item.sample.group for item in samples])
    threshold = None if target is None else _threshold(samples, source, target)
    versions = frozenset(item.judge.version for item in samples if item.judge is not None and item.judge.version)
    return Trust(source, len(samples), choice, target, threshold, versions)


def one_of_each_group(items: Iterable[JudgedSample]) -> list[JudgedSample]:
    """Return one sample of each group, drawn by the ids alone; a sample without a group counts itself."""
    order = sorted(items, key=lambda item: sha256(item.sample.id.encode("utf-8", "surrogatepass")).digest())
    return list({unit_of(item.sample): item for item in order}.values())


def unit_of(sample: Sample) -> tuple[str, str]:
    """Return the group of a sample; without a group the sample itself."""
    return ("id", sample.id) if sample.group is None else ("group", sample.group)


def require_enough(units: int, source: str, target: TrustTarget) -> None:
    """Raise `DataError` if the labelled samples, one a group, are too few for the target even without an error."""
    if units < target.fewest:
        raise DataError(
            f"{source}: has {counted(units, 'labelled sample')}, one a group, and {_wanted(target)} needs"
            f" {target.fewest} without a wrong verdict; label more samples, or lower --target-agreement"
        )


def _wanted(target: TrustTarget) -> str:
    return f"an agreement of {target.agreement:g} at delta {target.delta:g}"


def _threshold(items: Sequence[JudgedSample], source: str, target: TrustTarget) -> TrustThreshold:
    independent = one_of_each_group(items)
    require_enough(len(independent), source, target)
    confidences = [item.confidence or 0.0 for item in independent]
    threshold = trust_threshold(confidences, list(map(is_right, independent)), target.agreement, target.delta)
    if threshold is None:
        raise DataError(
            f"{source}: no confidence shows {_wanted(target)} on {len(independent)} labelled samples: too many of the"
            " surest verdicts are wrong, or the samples are too few; lower --target-agreement, or label more samples"
        )
    return threshold
