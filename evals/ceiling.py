"""The ceiling for the embedded models: a supervised classifier on the very attributes that they measure.

Logistic regression on standardised attributes, fitted on the labels of train and validation together, scored on the
test split: the splits are those of a run with the same configuration and seed. The penalty is chosen by grouped
cross-validation within train and validation. A rubric in words, learned from a few dozen shown cases, can hardly do
better; how much of the way from chance to this number it covers is what a run of the embedded models shows.

    python -m evals.ceiling examples/avt-appeal-median.yaml [CONFIG...]
"""

import argparse
import sys
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import log
from statistics import fmean

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from blpo.config.settings_file import load_settings
from blpo.data.dataset import load_dataset
from blpo.data.images import encode_image
from blpo.metrics.agreement import agreement
from blpo.models.embedded.perception import perceive_cached
from blpo.models.embedded.vocabulary import ATTRIBUTES
from state.errors import BlpoError
from state.result import Agreement
from state.sample import Label, Sample
from state.settings import ModelSettings, Settings

SEEDS = (0, 1, 2, 3, 4)
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Values of C tried, the strongest penalty first."""
FOLDS = 5

_UNHEARD_OF = 0.001
"""Probability of a label that no sample of a fold has."""

Table = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the classifier reaches on one test split."""

    seed: int
    penalty: float
    """The value of C that was chosen."""
    fitted: int
    """Samples of train and validation."""
    test: Agreement


def ceiling(settings: Settings, seed: int) -> Ceiling:
    """Fit on train and validation, score on test; raises `DataError` where the dataset can't be used."""
    splits = load_dataset(settings.data, settings.task, seed).splits
    known, unseen = (*splits["train"], *splits["validation"]), splits["test"]
    seen = partial(_attributes, settings.models.of("judge"))
    values, labels = np.array([seen(sample) for sample in known]), _labels(known)
    penalty = _penalty(values, labels, [sample.group or sample.id for sample in known])
    shares = _shares(values, labels, np.array([seen(sample) for sample in unseen]), penalty)
    predicted = [max(each, key=each.__getitem__) for each in shares]
    return Ceiling(seed, penalty, len(known), agreement(predicted, _labels(unseen), settings.task))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each configuration; the exit code is that of the command line tool."""
    parser = argparse.ArgumentParser(prog="python -m evals.ceiling", description="The ceiling for the embedded models.")
    parser.add_argument("config", nargs="+", help="a run's configuration file")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="SEED")
    given = parser.parse_args(arguments)
    try:
        for config in given.config:
            settings = load_settings(config)
            _show(config, [ceiling(settings, seed) for seed in given.seeds])
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _attributes(model: ModelSettings, sample: Sample) -> list[float]:
    """What the judge would measure, in the images as they are sent to it."""
    sent = (encode_image(source, model.max_pixels, model.max_side) for source in sample.images)
    measured = [perceive_cached(b64decode(image.base64)) for image in sent]
    return [values[attribute.name] for values in measured for attribute in ATTRIBUTES]


def _labels(samples: Sequence[Sample]) -> list[Label]:
    return [sample.label for sample in samples if sample.label is not None]


def _penalty(values: Table, labels: Sequence[Label], groups: Sequence[str]) -> float:
    """The value of C under which held-out labels are likeliest; the stronger penalty on a tie.

    With a hundred labels, likelihood depends less on chance than macro-F1 does.
    """
    folds = GroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=0)
    parts = [(fit.tolist(), held_out.tolist()) for fit, held_out in folds.split(values, groups=groups)]

    def likelihood(penalty: float) -> float:
        total = 0.0
        for fit, held_out in parts:
            shares = _shares(values[fit], [labels[i] for i in fit], values[held_out], penalty)
            total += sum(log(each.get(labels[i], 0) + _UNHEARD_OF) for i, each in zip(held_out, shares, strict=True))
        return total

    return max(PENALTIES, key=likelihood)


def _shares(values: Table, labels: Sequence[Label], unseen: Table, penalty: float) -> list[dict[Label, float]]:
    """The probability of each label, for each row of `unseen`."""
    kinds = sorted(set(labels), key=str)
    if len(kinds) == 1:
        return [{kinds[0]: 1.0}] * len(unseen)
    model: Pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2000))
    model.fit(values, [kinds.index(label) for label in labels])
    return [dict(zip(kinds, map(float, row), strict=True)) for row in model.predict_proba(unseen)]


def _show(config: str, ceilings: Sequence[Ceiling]) -> None:
    print(f"{config}\n  seed  fitted on       C  macro-F1  accuracy  majority")
    for each in ceilings:
        test = each.test
        print(
            f"  {each.seed:4}  {each.fitted:9}  {each.penalty:6}  {test['macro_f1']:8.3f}  {test['accuracy']:8.3f}"
            f"  {test['majority_baseline']:8.3f}"
        )
    print(f"  mean  {'':9}  {'':6}  {fmean(each.test['macro_f1'] for each in ceilings):8.3f}")


if __name__ == "__main__":
    sys.exit(main())
