"""The ceiling for the embedded models: a supervised classifier on the attributes that the embedded judge measures.

The classifier is logistic regression on standardised attributes. It is fitted on the labels of train and validation
together, and scored on the test split; a run with the same configuration and seed has the same splits. Grouped
cross-validation within train and validation chooses the penalty. A rubric in words, learned from a few dozen cases,
can hardly do better. A run of the embedded models shows how far a rubric comes from chance to the ceiling.

A pair of images is classified by the differences of the attributes, image a less image b. Every pair is fitted in both
orders, so that the classifier leans to no side.

    python -m evals.attribute_classifier examples/avt-appeal-median.yaml [CONFIG...]
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
from state.errors import BlpoError, DataError
from state.metrics import Agreement
from state.sample import Label, Sample
from state.settings import ModelSettings, Settings

SEEDS = (0, 1, 2, 3, 4)
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Candidates for C, the strongest penalty first."""
FOLDS = 5

_UNSEEN = 0.001
"""Added to each probability: a label may be missing from a fold."""

_Attributes = npt.NDArray[np.float64]
"""One row a sample, one column an attribute of an image."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Result of the classifier on one test split."""

    seed: int
    penalty: float
    """The chosen value of C."""
    fitted: int
    """Number of samples of train and validation."""
    test: Agreement


def ceiling(settings: Settings, seed: int) -> Ceiling:
    """Fit on train and validation, and score on test; raises `DataError` for an unusable dataset."""
    splits = load_dataset(settings.data, settings.task, seed).splits
    fitted, test = (*splits["train"], *splits["validation"]), splits["test"]
    pairs = settings.task.kind == "pairwise"
    measure = partial(_differences if pairs else _attributes, settings.models.of("judge"))
    values, labels = np.array([measure(sample) for sample in fitted]), _labels(fitted)
    groups = [sample.group or sample.id for sample in fitted]
    if pairs:
        values, labels, groups = np.concatenate([values, -values]), [*labels, *map(_swapped, labels)], groups * 2
    penalty = _penalty(values, labels, groups)
    shares = _probabilities(values, labels, np.array([measure(sample) for sample in test]), penalty)
    predictions = [max(each, key=each.__getitem__) for each in shares]
    return Ceiling(seed, penalty, len(fitted), agreement(predictions, _labels(test), settings.task))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each configuration; return the exit code, as the command line tool does."""
    parser = argparse.ArgumentParser(
        prog="python -m evals.attribute_classifier", description="The ceiling for the embedded models."
    )
    parser.add_argument("config", nargs="+", help="a run's configuration file")
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="SEED")
    options = parser.parse_args(arguments)
    try:
        for config in options.config:
            settings = load_settings(config)
            _show(config, [ceiling(settings, seed) for seed in options.seeds])
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _attributes(model: ModelSettings, sample: Sample) -> list[float]:
    """Measure the images as they are sent to the judge."""
    images = (encode_image(source, model.max_pixels, model.max_side) for source in sample.images)
    measurements = [perceive_cached(b64decode(image.base64)) for image in images]
    return [values[attribute.name] for values in measurements for attribute in ATTRIBUTES]


def _differences(model: ModelSettings, sample: Sample) -> list[float]:
    """Return the attributes of image a less those of image b."""
    if len(sample.images) != 2:
        raise DataError(f"{sample.id}: the classifier compares two images, and not two texts about one image")
    values = np.array(_attributes(model, sample)).reshape(2, -1)
    return [float(difference) for difference in values[0] - values[1]]


def _swapped(label: Label) -> Label:
    return {"a": "b", "b": "a"}.get(str(label), label)


def _labels(samples: Sequence[Sample]) -> list[Label]:
    return [sample.label for sample in samples if sample.label is not None]


def _penalty(values: _Attributes, labels: Sequence[Label], groups: Sequence[str]) -> float:
    """Return the value of C that gives held-out labels the highest likelihood; the stronger penalty on a tie.

    With a hundred labels, likelihood depends less on chance than macro-F1 does.
    """
    folds = GroupKFold(min(FOLDS, len(set(groups))), shuffle=True, random_state=0)
    parts = [(fit.tolist(), held_out.tolist()) for fit, held_out in folds.split(values, groups=groups)]

    def likelihood(penalty: float) -> float:
        total = 0.0
        for fit, held_out in parts:
            shares = _probabilities(values[fit], [labels[i] for i in fit], values[held_out], penalty)
            total += sum(log(each.get(labels[i], 0) + _UNSEEN) for i, each in zip(held_out, shares, strict=True))
        return total

    return max(PENALTIES, key=likelihood)


def _probabilities(
    values: _Attributes, labels: Sequence[Label], test: _Attributes, penalty: float
) -> list[dict[Label, float]]:
    """Fit, and return the probabilities of the labels for each row of `test`."""
    kinds = sorted(set(labels), key=str)
    if len(kinds) == 1:
        return [{kinds[0]: 1.0}] * len(test)
    model: Pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2000))
    model.fit(values, [kinds.index(label) for label in labels])
    return [dict(zip(kinds, map(float, row), strict=True)) for row in model.predict_proba(test)]


def _show(config: str, ceilings: Sequence[Ceiling]) -> None:
    print(f"{config}\n  seed  fitted on       C  macro-F1  accuracy  majority")
    for each in ceilings:
        test = each.test
        print(
            f"  {each.seed:4}  {each.fitted:9}  {each.penalty:6}  {test['macro_f1']:8.3f}  {test['accuracy']:8.3f}"
            f"  {test['majority_baseline']:8.3f}"
        )
    print(f"  mean  {'':9}  {'':6}  {fmean(each.test['macro_f1'] or 0.0 for each in ceilings):8.3f}")


if __name__ == "__main__":
    sys.exit(main())
