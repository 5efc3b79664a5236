"""Correlations between criteria, against scipy and scikit-learn."""

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, matthews_corrcoef

from blpo.metrics.criteria_correlations import correlation, correlations, measure_of
from state.sample import Label, Sample
from state.settings import Settings, TaskSettings
from state.verdict import Verdict

RATINGS = TaskSettings(min=1, max=4)
TWO = TaskSettings(kind="categorical", labels=("low", "high"))
THREE = TaskSettings(kind="categorical", labels=("red", "green", "blue"))
PAIRS = TaskSettings(kind="pairwise", ties=True)
KINDS = [(RATINGS, RATINGS), (TWO, TWO), (TWO, RATINGS), (THREE, THREE), (PAIRS, TWO)]


def pairs_of(one: TaskSettings, other: TaskSettings) -> st.SearchStrategy[list[tuple[Label, Label]]]:
    return st.lists(st.tuples(st.sampled_from(one.values), st.sampled_from(other.values)), min_size=3, max_size=30)


@pytest.mark.parametrize(("one", "other"), KINDS)
@profile(max_examples=20)
@given(data=st.data())
def test_correlations_are_bounded_and_symmetric(one: TaskSettings, other: TaskSettings, data: st.DataObject) -> None:
    pairs = data.draw(pairs_of(one, other))
    value = correlation(pairs, one, other)
    if value is None:
        assert any(len(set(column)) == 1 for column in zip(*pairs, strict=True))
        return
    assert -1 <= value <= 1
    assert correlation([(b, a) for a, b in pairs], other, one) == pytest.approx(value)
    same = [(a, a) for a, _ in pairs]
    assert correlation(same, one, one) == pytest.approx(1) if len({a for a, _ in pairs}) > 1 else True


@profile(max_examples=20)
@given(pairs_of(RATINGS, RATINGS), pairs_of(TWO, TWO), pairs_of(THREE, THREE))
def test_measures_are_those_of_the_field(
    ratings: list[tuple[Label, Label]], two: list[tuple[Label, Label]], three: list[tuple[Label, Label]]
) -> None:
    if (rho := correlation(ratings, RATINGS, RATINGS)) is not None:
        first, second = ([int(pair[place]) for pair in ratings] for place in range(2))
        assert rho == pytest.approx(spearmanr(first, second).statistic)
    if (phi := correlation(two, TWO, TWO)) is not None:
        assert phi == pytest.approx(matthews_corrcoef(*zip(*two, strict=True)))
    if (kappa := correlation(three, THREE, THREE)) is not None:
        assert kappa == pytest.approx(cohen_kappa_score(*zip(*three, strict=True)))


def test_measure_follows_from_the_labels() -> None:
    assert [measure_of(*kinds) for kinds in KINDS] == ["spearman", "phi", "spearman", "kappa", "spearman"]
    assert measure_of(THREE, RATINGS) is measure_of(THREE, TWO) is None
    assert correlation([("red", 1)] * 5, THREE, RATINGS) is None


def test_correlations_are_over_images_with_answers_about_both_criteria() -> None:
    settings = Settings.model_validate(
        {
            "task": {"kind": "categorical", "labels": ["low", "high"]},
            "data": {"path": "labels.csv"},
            "criteria": [{"name": "sharp"}, {"name": "calm"}],
        }
    )
    people = {"sharp": "hhllhl", "calm": "hllhlh"}
    words = {"h": "high", "l": "low"}
    samples = [
        Sample(f"{name}/{place}", (), words[letter], task=name)
        for name, letters in people.items()
        for place, letter in enumerate(letters)
    ]
    halo = [Verdict(sample.id, "ok", words[people["sharp"][int(sample.item)]], "") for sample in samples]
    failed = [Verdict(v.sample_id, "refused", None, "") if v.sample_id == "calm/5" else v for v in halo]
    (record,) = correlations(samples, failed, halo, settings)
    assert (record["criteria"], record["measure"], record["n"]) == (["sharp", "calm"], "phi", 5)
    assert record["people"] is not None and record["people"] < 0 and record["initial"] == record["best"] == 1
