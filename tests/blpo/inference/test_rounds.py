"""The inner history: the best trial."""

from hypothesis import given
from hypothesis import strategies as st

from blpo.inference.rounds import best_trial
from state.loops import Trial

SCORES = st.lists(st.none() | st.floats(-1, 1), min_size=1, max_size=9)


def trial(k: int, score: float | None) -> Trial:
    return Trial(i2t_prompt=f"q{k}", judge_prompt="p", score=score, failure=None if score is not None else "no tags")


@given(SCORES)
def test_the_best_trial_is_the_earliest_of_the_highest_score(scores: list[float | None]) -> None:
    trials = [trial(k, score) for k, score in enumerate(scores)]
    valid = [score for score in scores if score is not None]
    expected = scores.index(max(valid)) if valid else 0
    assert best_trial(trials) is trials[expected]
