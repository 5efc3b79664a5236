"""Learning of the embedded models: the judge before and after a run, beside a supervised ceiling.

    python -m benchmarks.learning [CONFIG ...] [--seeds 0 1 2 3 4] [--frozen]

A line gives means over seeds of macro-F1 on the test split for a config (default: the built-in sample): under p_0,
under the selected prompt, of a run with frozen q (`--frozen`), and of the ceiling, a logistic regression on the
perceived attributes with the same splits. `covered` is the share of the way from chance (1/k for k classes) to the
ceiling.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path
from statistics import mean

import blpo
from blpo.config.settings_file import load_settings
from evals.attribute_classifier import ceiling


async def macro_f1(config: str | None, seed: int, overrides: list[str]) -> tuple[float, float, float]:
    """Return (macro-F1 under p_0, macro-F1 under the selected prompt, p-value) on the test split."""
    with tempfile.TemporaryDirectory(prefix="blpo-learning-") as folder:
        settings = [f"run.dir={folder}/run", f"search.seed={seed}", *overrides]
        test = (await blpo.optimize(config, overrides=settings)).result["test"]
    assert test is not None, "no budget is set, so the test split is always judged"
    return test["initial"]["macro_f1"] or 0.0, test["best"]["macro_f1"] or 0.0, test["p_value"]


async def row(config: str | None, seeds: list[int], frozen: bool, overrides: list[str]) -> None:
    """Print the line of a config."""
    settings = load_settings(config, overrides)
    runs = [await macro_f1(config, seed, overrides) for seed in seeds]
    tops = [ceiling(settings, seed).test["macro_f1"] or 0.0 for seed in seeds]
    chance = 1 / len(settings.task.values)
    initial, best, top = mean(r[0] for r in runs), mean(r[1] for r in runs), mean(tops)
    line = f"{Path(config).stem if config else 'sample':24} {initial:.3f} -> {best:.3f}  ceiling {top:.3f}"
    line += f"  covered {(best - chance) / (top - chance):4.0%}" if top > chance else "  nothing to learn"
    line += "  p " + " ".join(f"{r[2]:.4f}" for r in runs)
    if frozen:
        still = [await macro_f1(config, seed, [*overrides, "search.inner_steps=0"]) for seed in seeds]
        line += f"  frozen q {mean(r[1] for r in still):.3f}"
    print(line, flush=True)


def main() -> int:
    """Print the lines of all configs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=[None], metavar="CONFIG")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--frozen", action="store_true", help="also run with q frozen to q_0")
    parser.add_argument("--set", action="append", default=[], dest="overrides", help="for all runs")
    options = parser.parse_args()
    for config in options.configs:
        asyncio.run(row(config, options.seeds, options.frozen, options.overrides))
    return 0


if __name__ == "__main__":
    sys.exit(main())
