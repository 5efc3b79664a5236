"""Simulation of guaranteed agreement: how often does the true agreement miss the target?

    python -m benchmarks.guaranteed_agreement [--draws 1000] [--target 0.9] [--delta 0.05]

A draw makes ten prompts of a judge, each with its own accuracy and its own over-sure confidences, and labelled samples.
The best prompt on validation is selected. The threshold comes from samples of its own (`calibration`), or from the
validation samples that chose the prompt (`validation`, which `blpo judge` refuses). A violation is a threshold above
which the selected prompt's true agreement is below the target. The guarantee: at most delta of the draws.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import beta

from blpo.metrics.guarantee import trust_threshold

PROMPTS = 10
VALIDATION = 60


@dataclass(frozen=True, slots=True)
class SimulatedPrompt:
    """Prompt whose confidence c follows Beta(a, 1), and whose agreement at c is sigmoid(slope logit(c) + intercept)."""

    a: float
    slope: float
    intercept: float

    def agreement_at(self, confidence: float) -> float:
        """Return the probability that a verdict of this confidence is right."""
        return float(expit(self.slope * logit(min(max(confidence, 1e-9), 1 - 1e-9)) + self.intercept))

    def agreement_above(self, threshold: float) -> float:
        """Return the true agreement of all verdicts of at least this confidence."""
        mass = beta.sf(threshold, self.a, 1)
        if mass < 1e-12:
            return self.agreement_at(1.0)
        area, _ = quad(lambda c: self.agreement_at(c) * beta.pdf(c, self.a, 1), threshold, 1, limit=200)
        return float(area / mass)

    def draw(self, generator: np.random.Generator, samples: int) -> tuple[list[float], list[bool]]:
        """Return confidences and truths of new samples."""
        confidences = generator.beta(self.a, 1, samples)
        chances = expit(self.slope * logit(np.clip(confidences, 1e-9, 1 - 1e-9)) + self.intercept)
        return list(confidences), list(generator.uniform(size=samples) < chances)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of all draws."""

    draws: int
    violations: int
    thresholds: int
    """Draws with a threshold."""
    coverage: float
    """Mean share of new samples above the threshold; 0 where there is none."""

    @property
    def rate(self) -> float:
        """Share of violations."""
        return self.violations / self.draws


def simulate(
    draws: int,
    samples: int,
    target: float,
    delta: float,
    *,
    around: float | None = None,
    on_validation: bool = False,
    seed: int = 0,
) -> Outcome:
    """Return the outcome of `draws` draws with `samples` labelled samples for the threshold.

    The prompts agree with people about as often as `around`; None: as the target.
    """
    generator = np.random.default_rng(seed)
    violations, coverages = 0, list[float]()
    for _ in range(draws):
        prompts = _prompts(generator, around or target)
        validation = [prompt.draw(generator, samples if on_validation else VALIDATION) for prompt in prompts]
        best = int(np.argmax([np.mean(right) for _, right in validation]))
        labelled = validation[best] if on_validation else prompts[best].draw(generator, samples)
        threshold = trust_threshold(*labelled, target, delta)
        if threshold is not None:
            violations += prompts[best].agreement_above(threshold.confidence) < target
            coverages.append(float(beta.sf(threshold.confidence, prompts[best].a, 1)))
    return Outcome(draws, violations, len(coverages), sum(coverages) / draws)


def flat_violations(draws: int, samples: int, target: float, delta: float, seed: int = 0) -> float:
    """Return the share of violations of the worst judge: an agreement just below the target at every confidence."""
    generator = np.random.default_rng(seed)
    confidences = list(generator.uniform(size=samples))
    truths = generator.uniform(size=(draws, samples)) < target - 1e-9
    return float(np.mean([trust_threshold(confidences, list(row), target, delta) is not None for row in truths]))


def _prompts(generator: np.random.Generator, around: float) -> Sequence[SimulatedPrompt]:
    """Return ten prompts, over-sure and similar, so that errors of the choice would show."""
    slope = generator.uniform(0.0, 0.5)
    middle = logit(around) - 2 * slope - generator.uniform(0.0, 0.3)
    return [SimulatedPrompt(generator.uniform(2, 6), slope, middle + generator.normal(0, 0.1)) for _ in range(PROMPTS)]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--target", type=float, default=0.9)
    parser.add_argument("--delta", type=float, default=0.05)
    options = parser.parse_args()
    limit = options.delta + 3 * math.sqrt(options.delta * (1 - options.delta) / options.draws)
    print(f"violations may reach {limit:.3f} (delta + 3 standard errors)")
    print("labels       samples  violations  thresholds  coverage")
    for on_validation in (False, True):
        for samples in (30, 100, 300):
            outcome = simulate(options.draws, samples, options.target, options.delta, on_validation=on_validation)
            name = "validation" if on_validation else "calibration"
            print(f"{name:11} {samples:8} {outcome.rate:11.3f} {outcome.thresholds:11} {outcome.coverage:9.3f}")
    for target in (0.7, 0.8, 0.9, 0.95):
        outcome = simulate(options.draws, 300, target, options.delta, around=0.9)
        print(f"target {target:4} {300:8} {outcome.rate:11.3f} {outcome.thresholds:11} {outcome.coverage:9.3f}")
    for samples in (30, 100, 300):
        rate = flat_violations(options.draws, samples, options.target, options.delta)
        print(f"{'worst judge':11} {samples:8} {rate:11.3f}")


if __name__ == "__main__":
    main()
