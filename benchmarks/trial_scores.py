"""Rank correlation of trial scores with the true gain, within a round, for runs of embedded models with scored trials.

The true gain of a trial is the metric of its judge prompt on the test split, less the metric of p_t. The embedded judge
is asked directly, so that nothing is charged. Validation's own correlation stands beside: no score of a trial can be
expected to do better than 100 unseen samples.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from math import isnan
from pathlib import Path
from statistics import fmean

from scipy.stats import spearmanr

from blpo.data.images import encode_image
from blpo.data.run_dataset import dataset_of
from blpo.metrics.agreement import agreement
from blpo.metrics.readings import reading
from blpo.models.embedded.perception import perceive_cached
from blpo.models.embedded.rubric_verdict import decide
from blpo.runs.run_record import RunRecord
from state.sample import Sample
from state.settings import Settings

_LEAST_TRIALS = 3


def correlations(runs: Sequence[Path]) -> str:
    """Return the mean rank correlations over rounds with the true gain: of the scores, and of validation."""
    pairs = [pair for run in runs for pair in _rounds(RunRecord.read(run))]
    if not pairs:
        return "no round with three scored trials that differ"
    scores, validation = (fmean(column) for column in zip(*pairs, strict=True))
    return f"{len(pairs)} rounds: score {scores:+.2f}, validation {validation:+.2f}"


def _rounds(run: RunRecord) -> Iterator[tuple[float, float]]:
    settings, dataset = run.settings, dataset_of(run.settings)
    on_test, on_validation = (partial(_metric, settings, dataset.splits[name]) for name in ("test", "validation"))
    for each in run.rounds:
        trials = [(trial.score, trial.judge_prompt) for trial in each.trials if trial.judge_prompt is not None]
        scores = [(score, prompt) for score, prompt in trials if score is not None]
        if len(scores) < _LEAST_TRIALS:
            continue
        truth = [on_test(prompt) for _, prompt in scores]
        pair = _rank(truth, [score for score, _ in scores]), _rank(truth, [on_validation(p) for _, p in scores])
        if not any(map(isnan, pair)):
            yield pair


def _rank(truth: Sequence[float], scores: Sequence[float]) -> float:
    """Return Spearman's correlation; NaN for values that are all equal."""
    if len(set(truth)) < 2 or len(set(scores)) < 2:
        return float("nan")
    return float(spearmanr(truth, scores).statistic)


def _metric(settings: Settings, samples: Sequence[Sample], judge_prompt: str) -> float:
    task = settings.task
    labels = range(task.min, task.max + 1) if task.kind == "ordinal" else task.labels
    answers = [decide(judge_prompt, labels, _values(settings, sample))[0] for sample in samples]
    humans = [sample.label for sample in samples if sample.label is not None]
    return reading(agreement(answers, humans, task), settings.search.metric) or 0.0


def _values(settings: Settings, sample: Sample) -> Mapping[str, float]:
    model = settings.models.of("judge")
    image = encode_image(sample.images[0], model.max_pixels, model.max_side)
    return perceive_cached(b64decode(image.base64))
