"""Guaranteed agreement: the confidence from which verdicts agree with people at least as often as wanted.

Fixed-sequence testing as in Jung, Brahman and Choi 2024, "Trust or Escalate" (arXiv 2407.18370), section 3. The
hypothesis at a threshold is: among new samples of at least this confidence, the agreement is below the target. The
thresholds are tested from the highest to the lowest, each at level delta by the exact binomial bound on the share of
wrong verdicts, until one is not rejected; the last rejected threshold is taken. The sequence is fixed by the number of
samples and by the confidences, never by the labels. So with probability 1 - delta over the labelled samples the
agreement reaches the target. The samples must be like the new ones, independent, and without a part in the choice of
prompt and model.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

_STEPS = 20
"""Thresholds: at a coverage of 5 %, 10 % ... of the labelled samples."""
_FIRST = 5
"""Step of the first threshold: more samples than the fewest make the first test likely to pass."""


@dataclass(frozen=True, slots=True)
class TrustThreshold:
    """Lowest confidence with guaranteed agreement."""

    confidence: float
    """Verdicts of at least this confidence are trusted."""
    samples: int
    """Labelled samples, one a group."""
    trusted: int
    """Labelled samples of at least this confidence."""
    wrong: int
    """Wrong verdicts among `trusted`."""
    agreement_bound: float
    """Lower bound of the agreement, at confidence 1 - delta; at least the target."""


def fewest_samples(target: float, delta: float) -> int:
    """Return the number of samples that shows the target without a wrong verdict: 29 for 0.9 and 0.05."""
    return math.ceil(math.log(delta) / math.log(target))


def agreement_bound(samples: int, wrong: int, delta: float) -> float:
    """Return the exact lower bound of the agreement (Clopper and Pearson), at confidence 1 - delta."""
    return 0.0 if wrong >= samples else float(betaincinv(samples - wrong, wrong + 1, delta))


def trust_threshold(
    confidences: Sequence[float], right: Sequence[bool], target: float, delta: float
) -> TrustThreshold | None:
    """Return the lowest threshold of the sequence that passes; None if the first does not pass.

    One sample a group. `target` and `delta` lie in (0, 1). None too for fewer samples than `fewest_samples`.
    """
    values, truths = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=bool)
    passed: TrustThreshold | None = None
    for rank in _ranks(len(values), fewest_samples(target, delta)):
        threshold = float(np.sort(values)[-rank])
        trusted = values >= threshold
        count, wrong = int(trusted.sum()), int((~truths[trusted]).sum())
        bound = agreement_bound(count, wrong, delta)
        if bound < target - 1e-12:
            return passed
        passed = TrustThreshold(threshold, len(values), count, wrong, bound)
    return passed


def _ranks(samples: int, fewest: int) -> list[int]:
    """Return the numbers of most confident samples at which the sequence tests, rising."""
    if samples < fewest:
        return []
    ranks = [-(-samples * step // _STEPS) for step in range(_FIRST, _STEPS + 1)]
    first = max(fewest, ranks[0])
    return [first, *(rank for rank in ranks if rank > first)]
