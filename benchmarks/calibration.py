"""Error rates of the paired test and of its interval, by simulation.

    python -m benchmarks.calibration [--draws 2000] [--settings 2] [--metric accuracy]

Every draw is a test split whose samples come in groups: a share of the samples of a group is right or wrong together
under a prompt. Without a true difference, the benchmark counts rejections at the 5 % level, of the product's test and
of a brute-force test that flips the sign of whole groups on the same draws. With and without a difference, it counts
the intervals that hold the truth. Bounds: at most 6 % rejections, within one point of the sign flips (accuracy), at
least 2.5 % from 50 groups on; 92 to 98 % of the intervals hold the truth.
"""

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from blpo.metrics.confusion import Floats
from blpo.metrics.label_codes import LabelCodes
from blpo.metrics.significance import compare_prompts
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict

MOST_REJECTIONS = 0.06
LEAST_REJECTIONS = 0.025
"""Bound for 50 groups or more: a test of fewer groups has few possible p-values."""
MOST_DISTANCE = 0.01
"""Largest difference to the rejections of the sign flips."""
COVERAGE = (0.92, 0.98)
FLIPS = 2000


@dataclass(frozen=True, slots=True)
class Setting:
    """A kind of test split."""

    groups: int
    size: int
    """Samples of a group."""
    shared: float
    """Share of samples that are right or wrong with their group."""
    first: float = 0.7
    """Probability of a right verdict under the first prompt."""
    second: float = 0.7
    labels: int = 2
    refused: float = 0.0
    """Share of wrong verdicts that are refusals."""

    def __str__(self) -> str:
        return (
            f"{self.groups} x {self.size}, shared {self.shared:g}, {self.labels} labels,"
            f" {self.first:g} -> {self.second:g}" + (f", {self.refused:.0%} of errors refused" if self.refused else "")
        )

    @property
    def task(self) -> TaskSettings:
        """Ratings from 1."""
        return TaskSettings(kind="ordinal", min=1, max=self.labels)

    def truth(self, metric: str) -> float:
        """Return the difference of the metric in an endless test split without refusals."""
        codes = LabelCodes.of(self.task.values, self.task)
        return float(np.subtract(*(codes.values(self._table(p), metric) for p in (self.second, self.first))))

    def _table(self, right: float) -> Floats:
        others = np.full((self.labels, self.labels), (1 - right) / (self.labels - 1))
        np.fill_diagonal(others, right)
        return others


SETTINGS = (
    Setting(100, 1, 1.0),
    Setting(20, 5, 0.5),
    Setting(20, 5, 1.0),
    Setting(13, 5, 0.5),
    Setting(50, 4, 0.5),
    Setting(70, 1, 1.0, labels=5, refused=0.3),
    Setting(100, 1, 1.0, second=0.85),
    Setting(20, 5, 0.5, first=0.6, second=0.8),
    Setting(13, 5, 0.5, first=0.6, second=0.75, labels=5),
)


@dataclass(frozen=True, slots=True)
class Draw:
    """A test split, judged under two prompts."""

    groups: list[str]
    human: list[Label]
    first: list[Verdict]
    second: list[Verdict]


def draw(setting: Setting, seed: int) -> Draw:
    """Draw a test split. Same setting and seed, same split."""
    generator = random.Random(seed)
    result = Draw([], [], [], [])
    for group in range(setting.groups):
        human = generator.randint(1, setting.labels)
        chances = (setting.first, setting.second)
        common = [generator.random() < chance for chance in chances]
        for _ in range(setting.size):
            result.groups.append(f"g{group}")
            result.human.append(human)
            for verdicts, chance, shared in zip((result.first, result.second), chances, common, strict=True):
                right = shared if generator.random() < setting.shared else generator.random() < chance
                verdicts.append(_verdict(human, right, setting, generator))
    return result


def _verdict(human: int, right: bool, setting: Setting, generator: random.Random) -> Verdict:
    if right:
        return Verdict("", "ok", human)
    if generator.random() < setting.refused:
        return Verdict("", "refused", None)
    return Verdict("", "ok", generator.choice([label for label in range(1, setting.labels + 1) if label != human]))


def sign_flips(split: Draw, seed: int) -> float:
    """Return the p-value of the difference in accuracy if the signs of whole groups are flipped at random."""
    gains: dict[str, int] = {}
    for group, human, first, second in zip(split.groups, split.human, split.first, split.second, strict=True):
        gains[group] = gains.get(group, 0) + (second.label == human) - (first.label == human)
    values = np.array(list(gains.values()))
    signs = np.random.default_rng(seed).choice([-1, 1], (FLIPS, len(values)))
    extreme = int((np.abs(signs @ values) >= abs(values.sum())).sum())
    return (1 + extreme) / (1 + FLIPS)


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates over the draws of a setting."""

    rejected: float
    by_sign_flips: float
    covered: float
    """Share of intervals that hold the truth."""

    def problems(self, setting: Setting, metric: str) -> Iterator[str]:
        """Yield the bounds that are not kept."""
        if not COVERAGE[0] <= self.covered <= COVERAGE[1]:
            yield f"{self.covered:.1%} of the intervals hold the truth"
        if setting.first != setting.second:
            return
        if self.rejected > MOST_REJECTIONS:
            yield f"{self.rejected:.1%} rejections"
        if setting.groups >= 50 and self.rejected < LEAST_REJECTIONS:
            yield f"only {self.rejected:.1%} rejections"
        if metric == "accuracy" and abs(self.rejected - self.by_sign_flips) > MOST_DISTANCE:
            yield f"{self.rejected:.1%} rejections, and {self.by_sign_flips:.1%} by sign flips"


def rates(setting: Setting, metric: str, draws: int) -> Rates:
    """Simulate `draws` comparisons."""
    truth, rejected, flipped, covered = setting.truth(metric), 0, 0, 0
    for seed in range(draws):
        split = draw(setting, seed)
        p_value, (low, high) = compare_prompts(
            split.first, split.second, split.human, setting.task, metric, seed, split.groups
        )
        rejected += p_value < 0.05
        flipped += metric == "accuracy" and sign_flips(split, seed) < 0.05
        covered += low <= truth <= high
    return Rates(rejected / draws, flipped / draws, covered / draws)


def main() -> None:
    """Print the rates of every setting; exit with 1 if a bound is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--settings", type=int, nargs="*", default=range(len(SETTINGS)), help="numbers from 0")
    parser.add_argument("--metric", default="accuracy")
    options = parser.parse_args()
    problems: list[str] = []
    for number in options.settings:
        setting = SETTINGS[number]
        result = rates(setting, options.metric, options.draws)
        print(
            f"{setting}: rejected {result.rejected:.1%}, by sign flips {result.by_sign_flips:.1%},"
            f" interval holds the truth {result.covered:.1%}",
            flush=True,
        )
        problems += result.problems(setting, options.metric)
    raise SystemExit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
