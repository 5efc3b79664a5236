"""Probabilities of labels from log-probabilities."""

import math
from typing import Any

import pytest

from blpo.models.label_scores import label_scores
from state.settings import TaskSettings

WORDS = TaskSettings(kind="categorical", labels=("safe", "unsafe"))


def token(text: str, **alternatives: float) -> dict[str, Any]:
    probabilities = alternatives or {text: 1.0}
    return {
        "token": text,
        "logprob": 0.0,
        "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in probabilities.items()],
    }


RATINGS = ["1", "2", "3", "4", "5"]


def test_scores_are_read_where_the_label_begins_and_add_up_to_one() -> None:
    content = [token(t) for t in ('{"', "reason", '":', ' "label 2"', ', "', "label", '":', " ")]
    content += [{**token("4"), "top_logprobs": [{"token": t, "logprob": math.log(p)} for t, p in
                [("4", 0.6), ("3", 0.2), (" 4", 0.1), ("x", 0.1)]]}, token("}")]  # fmt: skip
    scores = label_scores({"content": content}, RATINGS)
    assert scores is not None
    assert scores["4"] == pytest.approx(0.7 / 0.9)
    assert scores["3"] == pytest.approx(0.2 / 0.9)
    assert sum(scores.values()) == pytest.approx(1)


def test_scores_of_words_by_the_token_that_begins_them() -> None:
    content = [token('{"label": "'), token("un", un=0.75, safe=0.25), token("safe"), token('"}')]
    assert label_scores({"content": content}, WORDS.labels) == pytest.approx({"unsafe": 0.75, "safe": 0.25})
    assert label_scores({"content": [token("un", un=0.75, safe=0.25), token("safe")]}, WORDS.labels) is not None
    alike = [token('{"label": "'), token("un", un=1.0), token("safe"), token('"}')]
    assert label_scores({"content": alike}, ["unsafe", "unsure"]) is None


@pytest.mark.parametrize(
    "logprobs",
    [
        None,
        {},
        {"content": None},
        {"content": [1]},
        {"content": [token("hm")]},
        "x",
        {"content": [{"token": "4", "top_logprobs": [1, {"token": "4", "logprob": None}]}]},
    ],
)
def test_no_scores_where_nothing_tells(logprobs: object) -> None:
    assert label_scores(logprobs, RATINGS) is None
