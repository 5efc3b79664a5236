"""Human ceiling: by hand on an invented set, by another computation on real ratings, and intervals that cover."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import cohen_kappa_score, f1_score

from blpo.inference.rater_references import rater_answers
from blpo.metrics.human_ceiling import LEAST_RATINGS, human_ceiling
from state.rater_metrics import HumanCeiling
from state.sample import Label, Rating, Sample
from state.settings import Aggregate, TaskSettings
from state.verdict import Verdict
from tests.blpo.metrics.test_krippendorff import by_pairs
from tests.public_sources import SCHEMAS

SAFETY = TaskSettings(kind="categorical", labels=("unsafe", "safe"))
TRUTH = ["unsafe", "safe"] * 6
RATED = SCHEMAS.parent / "data" / "avt_ai_images"


def other(label: str) -> str:
    return "safe" if label == "unsafe" else "unsafe"


def answered(labels: Sequence[Label]) -> list[Verdict]:
    return [Verdict(str(place), "ok", label) for place, label in enumerate(labels)]


def rated(votes: Mapping[str, Sequence[Label]]) -> list[Sample]:
    rows = zip(*votes.values(), strict=True)
    return [Sample(str(place), (), row[0], ratings=tuple(map(Rating, votes, row))) for place, row in enumerate(rows)]


def ceiling(
    samples: list[Sample],
    judge: list[Verdict],
    task: TaskSettings = SAFETY,
    metric: str = "accuracy",
    first: list[Verdict] | None = None,
    seed: int = 0,
) -> HumanCeiling:
    rule: Aggregate = "median" if task.round is None else "mean"
    answers = list(rater_answers(samples, "majority" if task.kind == "categorical" else rule, task, seed))
    return human_ceiling(answers, samples, (first or judge, judge), task, metric, seed)


FOUR = {name: TRUTH for name in "abc"} | {"d": [other(y) if i < 3 else y for i, y in enumerate(TRUTH)]}


def test_one_rater_and_the_judge_are_scored_against_the_rest() -> None:
    judge = answered([other(y) if i == 11 else y for i, y in enumerate(TRUTH)])
    result = ceiling(rated(FOUR), judge, first=answered(["safe"] * 12))
    assert result["value"] == pytest.approx((1 + 1 + 1 + 9 / 12) / 4)
    assert result["judge"] == {"initial": 0.5, "best": pytest.approx(11 / 12)}
    assert (result["raters"], result["samples"], result["ties"]) == (4, 12, 0)
    assert (result["pooled"], result["left_out"]) == (False, 0)
    low, high = result["ci95"] or [0, 0]
    assert low < 0.9375 <= high <= 1.0
    assert ceiling(rated(FOUR), judge, first=answered(["safe"] * 12)) == result


def test_failures_are_wrong_and_errors_leave_rater_and_judge() -> None:
    judge = answered(TRUTH)
    judge[0] = Verdict("0", "error", None)
    judge[3] = Verdict("3", "refused", None)
    result = ceiling(rated(FOUR), judge)
    assert result["samples"] == 11 and result["judge"]["best"] == pytest.approx(10 / 11)
    assert result["value"] == pytest.approx((3 + 9 / 11) / 4)


def test_ties_are_broken_by_the_seed_without_a_preference() -> None:
    samples = rated({"a": ["safe"] * 400, "b": ["unsafe"] * 400, "c": ["safe"] * 400})
    answers = [answer for answer in rater_answers(samples, "majority", SAFETY, 3) if answer.rater == "c"]
    assert all(answer.is_tied for answer in answers)
    assert 150 < sum(answer.reference == "safe" for answer in answers) < 250
    assert answers == [each for each in rater_answers(samples, "majority", SAFETY, 3) if each.rater == "c"]
    ratings = rated({"a": [1] * 300, "b": [2] * 300, "c": [1] * 300})
    halves = [each for each in rater_answers(ratings, "median", TaskSettings(), 0) if each.rater == "a"]
    assert {each.exact for each in halves} == {1.5} and {each.reference for each in halves} == {1, 2}


def test_many_raters_with_few_ratings_count_as_one() -> None:
    samples = [
        replace(sample, ratings=tuple(Rating(f"r{3 * place + k}", TRUTH[place]) for k in range(3)))
        for place, sample in enumerate(rated(FOUR))
    ]
    result = ceiling(samples, answered(TRUTH))
    assert result["pooled"] and result["raters"] == 36 and result["value"] == result["judge"]["best"] == 1.0
    few = {name: column[: LEAST_RATINGS - 1] for name, column in FOUR.items()}
    assert ceiling(rated(few), answered(TRUTH[: LEAST_RATINGS - 1]))["pooled"]
    once = rated(FOUR)
    once[:2] = [replace(sample, ratings=(*sample.ratings, Rating("e", "safe"))) for sample in once[:2]]
    assert ceiling(once, answered(TRUTH))["left_out"] == 1


def test_a_missing_ceiling_has_a_reason() -> None:
    alone = [Sample(str(i), (), y, ratings=(Rating("a", y),)) for i, y in enumerate(TRUTH)]
    result = ceiling(alone, answered(TRUTH))
    assert result["value"] is None and result["alpha"] is None
    assert result["undefined"] == "no sample has the ratings of two people"
    same = rated({name: ["safe"] * 12 for name in "abc"})
    assert ceiling(same, answered(["safe"] * 12), metric="kappa")["undefined"] == "kappa is undefined for every rater"
    assert ceiling([replace(s, group="g") for s in rated(FOUR)], answered(TRUTH))["ci95"] is None


def test_intervals_cover_and_equal_judges_are_as_good_as_one_rater() -> None:
    covered, widths = 0, []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        truth = generator.integers(0, 2, 60)
        columns = [np.where(generator.random(60) < 0.8, truth, 1 - truth) for _ in range(6)]
        *votes, judge = [[SAFETY.labels[code] for code in column] for column in columns]
        result = ceiling(rated(dict(zip("abcde", votes, strict=True))), answered(judge), seed=seed)
        low, high = result["difference_ci95"] or (1.0, 1.0)
        covered += low <= 0 <= high
        widths.append(high - low)
    assert covered >= 26 and np.mean(widths) < 0.4


def test_groups_widen_the_interval() -> None:
    votes = {name: [y for y in column for _ in range(5)] for name, column in FOUR.items()}
    alone = ceiling(rated(votes), answered([y for y in TRUTH for _ in range(5)]))["ci95"] or [0, 0]
    grouped = [replace(sample, group=str(place // 5)) for place, sample in enumerate(rated(votes))]
    together = ceiling(grouped, answered([y for y in TRUTH for _ in range(5)]))["ci95"] or [0, 0]
    assert together[0] < alone[0] < together[1]


def real_ratings(column: str) -> tuple[list[Sample], dict[str, dict[str, int]]]:
    """Return the test samples with their ratings, and the ratings by rater and image."""
    with (RATED / "labels.csv").open(newline="") as file:
        test = [row["image"] for row in csv.DictReader(file) if row["split"] == "test"]
    by_rater: dict[str, dict[str, int]] = defaultdict(dict)
    with (RATED / "ratings_raw.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["image"] in test:
                by_rater[row["user_ID"]][row["image"]] = int(row[column])
    samples = [
        Sample(image, (), 3, ratings=tuple(Rating(name, own[image]) for name, own in by_rater.items() if image in own))
        for image in test
    ]
    return samples, by_rater


def scored(true: list[int], answers: list[int], metric: str) -> float:
    if metric == "macro_f1":
        return float(f1_score(true, answers, labels=sorted(set(true)), average="macro", zero_division=0))
    return float(cohen_kappa_score(true, answers, labels=[1, 2, 3, 4, 5], weights="quadratic"))


@pytest.mark.skipif(not RATED.exists(), reason="the real ratings are not part of the project")
@pytest.mark.parametrize("column", ["realism", "prompt_matching", "appeal"])
def test_real_ratings_give_the_numbers_of_another_computation(column: str) -> None:
    samples, by_rater = real_ratings(column)
    judge = answered([1 + i % 5 for i in range(len(samples))])
    answers = list(rater_answers(samples, "median", TaskSettings(), 0))
    for metric in ("macro_f1", "quadratic_kappa"):
        result = human_ceiling(answers, samples, (judge, judge), TaskSettings(), metric, 0)
        values = []
        for rater, own in by_rater.items():
            if len(own) < LEAST_RATINGS:
                continue
            references = {}
            for image in own:
                exact = median(others[image] for name, others in by_rater.items() if name != rater and image in others)
                mine = next(a for a in answers if a.rater == rater and samples[a.place].id == image)
                assert mine.exact == exact and mine.reference in (math.floor(exact), math.ceil(exact))
                references[image] = int(mine.reference if exact % 1 else exact)
            true = list(references.values())
            verdicts = {sample.id: int(v.label or 0) for sample, v in zip(samples, judge, strict=True)}
            values.append([scored(true, [side[image] for image in own], metric) for side in (own, verdicts)])
        assert result["raters"] == len(by_rater) == result["left_out"] + len(values)
        assert [result["value"], result["judge"]["best"]] == pytest.approx(np.mean(values, axis=0).tolist(), abs=1e-9)
    table: list[list[int | None]] = [[own.get(sample.id) for own in by_rater.values()] for sample in samples]
    assert result["alpha"] == pytest.approx(by_pairs(table, "ordinal"), abs=1e-9)


def test_with_means_the_reference_is_the_mean_of_the_others() -> None:
    generator = np.random.default_rng(0)
    quality = generator.uniform(1, 5, 40)
    columns = [(quality + generator.normal(0, 0.8, 40)).round().clip(1, 5).astype(int).tolist() for _ in range(5)]
    judge = columns.pop()
    samples = rated(dict(zip("abcd", columns, strict=True)))
    result = ceiling(samples, answered(judge), TaskSettings(round="none"), "pearson")
    means = [np.mean([column for place, column in enumerate(columns) if place != own], axis=0) for own in range(4)]
    pairs = zip(columns, means, strict=True)
    assert result["value"] == pytest.approx(np.mean([pearsonr(own, others).statistic for own, others in pairs]))
    assert result["judge"]["best"] == pytest.approx(np.mean([pearsonr(judge, others).statistic for others in means]))
