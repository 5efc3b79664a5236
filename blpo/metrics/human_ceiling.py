"""Human ceiling: how far one rater agrees with the other raters, and the judge with the same references.

A judge is compared with the aggregate of several people, and no single person agrees with the aggregate fully. So the
judge is set beside one rater. For every rater the reference is the aggregate of all other raters. The rater and the
judge are scored against this reference, on the samples of the rater. The ceiling is the mean over raters, and so is the
value of the judge.
"""

from collections.abc import Sequence

import numpy as np

from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from blpo.metrics.rater_scorer import RaterAnswer, RaterScorer, compares_means
from blpo.metrics.resampling import batch_sizes, expanded_tail, generator_of, own_groups
from blpo.metrics.undefined import Undefined
from state.rater_metrics import HumanCeiling
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict

LEAST_RATINGS = 10
"""A rater with fewer ratings on the test split gives no metric of one rater."""
_RESAMPLES = 1000


def human_ceiling(
    answers: Sequence[RaterAnswer],
    samples: Sequence[Sample],
    verdicts: tuple[Sequence[Verdict], Sequence[Verdict]],
    task: TaskSettings,
    metric: str,
    seed: int,
) -> HumanCeiling:
    """Return the ceiling and the judge's values under two prompts, over the samples without an error.

    `verdicts` are those of the first and of the selected prompt, for `samples`. Only raters with `LEAST_RATINGS`
    ratings count. With fewer than two such raters, all ratings together count as those of one rater (`pooled`). A rater
    for whom the metric of the rater or of the judge is undefined is left out of the mean. Intervals are percentile
    bootstraps over groups of samples and over raters; references stay as they are.
    """
    rows = [answer for answer in answers if all(side[answer.place].status != "error" for side in verdicts)]
    people = list(dict.fromkeys(answer.rater for answer in rows))
    units = _units(rows)
    ratings = [[rating.value for rating in sample.ratings] for sample in samples]
    alpha = krippendorff_alpha(ratings, level_of(task))
    result = HumanCeiling(
        value=None,
        ci95=None,
        raters=len(people),
        alpha=None if isinstance(alpha, Undefined) else alpha,
        judge={"initial": None, "best": None},
        difference_ci95=None,
        samples=len({answer.place for answer in rows}),
        ties=0 if compares_means(metric, task) else sum(answer.is_tied for answer in rows),
        pooled=len(units) == 1,
        left_out=0 if len(units) < 2 else len(people) - len(units),
    )
    if not rows:
        return {**result, "undefined": "no sample has the ratings of two people"}
    scorer = RaterScorer.of(rows, verdicts, task, metric)
    ones = np.ones((1, len(samples))), np.ones((1, len(people)))
    human, first, second = scorer.means(units, people, *ones)
    if np.isnan([human[0], second[0]]).any():
        return {**result, "undefined": f"{metric} is undefined for every rater"}
    result["value"], result["judge"] = float(human[0]), {"initial": _or_none(first[0]), "best": float(second[0])}
    observed = float(human[0]), float(second[0] - human[0])
    result["ci95"], result["difference_ci95"] = _intervals(scorer, units, people, samples, seed, observed)
    return result


def _units(rows: Sequence[RaterAnswer]) -> list[list[int]]:
    """Return the rows of every rater with enough ratings; with fewer than two such raters, all rows as one unit."""
    by_rater: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        by_rater.setdefault(row.rater, []).append(place)
    units = [places for places in by_rater.values() if len(places) >= LEAST_RATINGS]
    return units if len(units) > 1 else [list(range(len(rows)))]


def _or_none(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _intervals(
    scorer: RaterScorer,
    units: Sequence[Sequence[int]],
    people: Sequence[str],
    samples: Sequence[Sample],
    seed: int,
    observed: tuple[float, float],
) -> tuple[list[float] | None, list[float] | None]:
    """Return the 95 % intervals of the ceiling, and of judge - rater; None for a single group or a single rater.

    `observed` are the two values. A resample of a rater's few samples lacks some labels, so metrics of classes are
    lower there: the resamples are shifted to have their mean at the observed value.
    """
    _, members = np.unique([str(unit) for unit in own_groups([s.group for s in samples])], return_inverse=True)
    groups = len(set(members[scorer.places]))
    counted = sorted({int(scorer.raters[place]) for unit in units for place in unit})
    if groups < 2 or len(counted) < 2:
        return None, None
    present = np.isin(np.arange(members.max() + 1), members[scorer.places])
    generator = generator_of(seed, "human ceiling")
    human, difference = [], []
    numbers = max(len(scorer.places), 0 if scorer.codes is None else len(scorer.codes) ** 2)
    for size in batch_sizes(_RESAMPLES, numbers):
        of_groups = generator.multinomial(groups, present / groups, size)[:, members].astype(np.float64)
        of_raters = np.zeros((size, len(people)))
        of_raters[:, counted] = generator.multinomial(len(counted), np.full(len(counted), 1 / len(counted)), size)
        rater, _, judge = scorer.means(units, people, of_groups, of_raters)
        human.append(rater)
        difference.append(judge - rater)
    tail = expanded_tail(groups)
    resamples = [np.concatenate(values) for values in (human, difference)]
    shifted = [values - np.nanmean(values) + value for values, value in zip(resamples, observed, strict=True)]
    ends = [np.nanquantile(values, [tail, 1 - tail]) for values in shifted]
    return np.clip(ends[0], -1.0, 1.0).tolist(), np.clip(ends[1], -2.0, 2.0).tolist()
