"""Calibration of the test over seeds: rejections without a difference, coverage of the interval, and power.

A draw makes a dataset, two methods without a difference (or with one), and their verdicts under several seeds. The
methods differ on single samples, and every run of a method is better or worse by chance (the run noise).

    python -m benchmarks.seed_tests --draws 2000
    python -m benchmarks.seed_tests --seeds 10 --noise 0.05 --splits fixed --test 43 --effect 0.08
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from blpo.metrics.seed_comparison import PairedAnswer, SeedsComparison, compare_seeds
from state.settings import TaskSettings

TASK = TaskSettings(kind="categorical", labels=("no", "yes"))
LEVEL = 0.05
EASE = 0.8, 1.0
"""Mean and standard deviation of a sample's ease, in log-odds of a right verdict."""
TASTE = 1.0
"""Standard deviation of a method's own ease of a sample."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    seeds: int
    noise: float
    """Standard deviation of a run's share of right verdicts."""
    splits: str
    """fixed: all seeds have the same test samples; redraw: every seed draws its own from twice as many."""
    test: int
    """Test samples of a seed."""
    group: int
    """Samples of a group. A group shares its ease and its test split."""
    effect: float
    """Difference of the two methods in the share of right verdicts."""


def draw(setting: Setting, generator: np.random.Generator) -> SeedsComparison:
    """Draw a dataset and the runs of two methods, and compare the methods."""
    groups = setting.test // setting.group * (2 if setting.splits == "redraw" else 1)
    ease = generator.normal(*EASE, groups) + generator.normal(0, TASTE, (2, groups))
    labels = generator.integers(0, 2, (groups, setting.group))
    runs = generator.normal(0, setting.noise, (2, setting.seeds))
    seeds = []
    for seed in range(setting.seeds):
        members = generator.permutation(groups)[: setting.test // setting.group]
        share = 1 / (1 + np.exp(-ease[:, members])) + runs[:, seed, None] + [[0.0], [setting.effect]]
        right = generator.random((2, len(members), setting.group)) < share[:, :, None]
        rows = []
        for place, group in enumerate(members.tolist()):
            name = None if setting.group == 1 else str(group)
            for member in range(setting.group):
                human = int(labels[group, member])
                first, second = (TASK.labels[human if right[m, place, member] else 1 - human] for m in (0, 1))
                rows.append(PairedAnswer(f"{group}/{member}", TASK.labels[human], first, second, name))
        seeds.append(rows)
    return compare_seeds(seeds, TASK, "macro_f1")


def rejections(setting: Setting, draws: int, seed: int = 0) -> tuple[float, float]:
    """Return the share of draws with p <= .05, and the share of intervals that hold the mean of all draws."""
    generator = np.random.default_rng(seed)
    results = [draw(setting, generator) for _ in range(draws)]
    truth = 0.0 if setting.effect == 0 else float(np.mean([result.difference for result in results]))
    covers = [result.interval[0] <= truth <= result.interval[1] for result in results]
    return float(np.mean([result.p_value <= LEVEL for result in results])), float(np.mean(covers))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row for each setting."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seed_tests", description="Calibration over seeds.")
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 10, 20])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.05])
    parser.add_argument("--splits", nargs="+", choices=["fixed", "redraw"], default=["fixed", "redraw"])
    parser.add_argument("--test", type=int, nargs="+", default=[42, 120])
    parser.add_argument("--group", type=int, nargs="+", default=[1])
    parser.add_argument("--effect", type=float, nargs="+", default=[0.0, 0.08])
    options = parser.parse_args(arguments)
    print("  test  group  splits  seeds  noise  effect  p <= .05  interval holds the mean")
    for test, group, splits, seeds, noise, effect in product(
        options.test, options.group, options.splits, options.seeds, options.noise, options.effect
    ):
        setting = Setting(seeds, noise, splits, test, group, effect)
        rejected, share = rejections(setting, options.draws)
        print(
            f"  {test:4}  {group:5}  {splits:6}  {seeds:5}  {noise:5.2f}  {effect:6.2f}  {rejected:8.3f}  {share:8.3f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
