"""Rank correlation of trial scores with the true gain, within a round of scored trials of embedded models.

The true gain of a trial is the metric of its judge prompt on the test split, less the metric of p_t. Validation's own
correlation stands beside: no score on fewer samples can be expected to do better. The rounds are those of
`benchmarks/direct_rounds.py`.
"""

from collections.abc import Iterator, Sequence
from math import isnan
from statistics import fmean

from scipy.stats import spearmanr

from benchmarks.direct_rounds import DirectSearch
from benchmarks.sample_values import SampleValues
from blpo.data.run_dataset import dataset_of
from state.settings import Settings

ROUNDS = 4
_Ranks = tuple[float, float]


def correlations(name: str, runs: Sequence[Settings]) -> str:
    """Return a line with the mean rank correlations over rounds with the true gain: of the scores, and of validation.

    `runs` are settings of searches on a set that differ in the seed. Rounds with equal values throughout are left out.
    """
    pairs = [pair for settings in runs for pair in _rounds(settings) if not any(map(isnan, pair))]
    if not pairs:
        return f"{name:13} no round with trials that differ"
    score, validation = (fmean(column) for column in zip(*pairs, strict=True))
    share = f"{score / validation:5.0%}" if validation > 0 else "    -"
    return f"{name:13}{len(pairs):4} rounds: score {score:+.2f}, validation {validation:+.2f}, share {share}"


def _rounds(settings: Settings) -> Iterator[_Ranks]:
    dataset, values = dataset_of(settings), SampleValues(settings)
    for trials in DirectSearch(settings, dataset, values).rounds(ROUNDS):
        on_test, on_validation = (
            [values.metric(trial.judge_prompt, dataset.splits[split]) for trial in trials]
            for split in ("test", "validation")
        )
        yield _rank(on_test, [trial.score.difference for trial in trials]), _rank(on_test, on_validation)


def _rank(truth: Sequence[float], scores: Sequence[float]) -> float:
    """Return Spearman's correlation; NaN for values that are all equal."""
    if len(set(truth)) < 2 or len(set(scores)) < 2:
        return float("nan")
    return float(spearmanr(truth, scores).statistic)
