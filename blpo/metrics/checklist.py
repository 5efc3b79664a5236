"""Checklist: the weighted share of criteria with the positive label, of an item by people and by the judge."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from state.criteria_metrics import AggregateResult, AggregateValues
from state.sample import Label, Sample
from state.settings import Settings
from state.verdict import Verdict


def aggregate_result(
    samples: Sequence[Sample], before: Sequence[Verdict], after: Sequence[Verdict], settings: Settings
) -> AggregateResult:
    """Return the agreement of the judge's shares with people's under two prompts.

    The sequences list the same samples in the same order. An item counts if all its criteria are answered under both
    prompts, so that all numbers are over the same items.
    """
    human = shares(samples, [sample.label for sample in samples], settings)
    old, new = (shares(samples, [verdict.label for verdict in verdicts], settings) for verdicts in (before, after))
    items = [item for item in human if item in old and item in new]
    people = [human[item] for item in items]
    return AggregateResult(
        n=len(items),
        initial=share_agreement(people, [old[item] for item in items]),
        best=share_agreement(people, [new[item] for item in items]),
    )


def shares(samples: Sequence[Sample], labels: Sequence[Label | None], settings: Settings) -> dict[str, float]:
    """Return the share in [0, 1] by item; an item without a label for each criterion is left out."""
    weights = {criterion.name: criterion.weight for criterion in settings.criteria}
    positive = {criterion.name: criterion.positive for criterion in settings.criteria}
    by_item: defaultdict[str, dict[str, Label]] = defaultdict(dict)
    for sample, label in zip(samples, labels, strict=True):
        if label is not None:
            by_item[sample.item][sample.task] = label
    total = sum(weights.values())
    return {
        item: sum(weights[name] for name, label in answers.items() if label == positive[name]) / total
        for item, answers in by_item.items()
        if len(answers) == len(weights)
    }


def share_agreement(people: Sequence[float], judge: Sequence[float]) -> AggregateValues:
    """Return the mean absolute error, and Spearman's correlation (None for a constant) of shares of the same items."""
    from scipy.stats import spearmanr  # takes half a second to import

    if not people:
        return AggregateValues(mae=None, spearman=None)
    error = float(np.mean(np.abs(np.subtract(people, judge))))
    varies = len(set(people)) > 1 and len(set(judge)) > 1
    return AggregateValues(mae=error, spearman=float(spearmanr(people, judge).statistic) if varies else None)
