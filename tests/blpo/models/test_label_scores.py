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
    assert label_scores({"content": alike}, ["unsafe", "unsure"]) == pytest.approx({"unsafe": 1, "unsure": 0})
    unclear = [token('{"label": "'), token("safe", safe=0.6, un=0.4), token('"}')]
    assert label_scores({"content": unclear}, ["safe", "unsafe", "unsure"]) is None


TEN = [str(rating) for rating in range(1, 11)]


def test_a_rating_of_several_tokens_is_followed_token_by_token() -> None:
    first = token("1", **{"1": 0.9, "9": 0.08, "8": 0.02})
    content = [token('{"label": '), first, token("0", **{"0": 0.95, "}": 0.05}), token("}")]
    scores = label_scores({"content": content}, TEN)
    assert scores is not None
    assert scores["10"] == pytest.approx(0.9 * 0.95)
    assert scores["1"] == pytest.approx(0.9 * 0.05)
    assert sum(scores.values()) == pytest.approx(1)
    assert label_scores({"content": [token("9", **{"9": 0.9, "1": 0.1}), token("")]}, TEN) is None
    assert label_scores({"content": [token("9", **{"9": 0.9999, "1": 0.0001})]}, TEN) is not None


@pytest.mark.parametrize("end", ["<|im_end|>", "", "</s>", "\n", "[EOS]"])
def test_what_follows_the_label_does_not_count(end: str) -> None:
    for labels, first in ((RATINGS, token("4", **{"4": 0.7, "5": 0.3})), (["4", "5", "45"], token("4"))):
        scores = label_scores({"content": [first, token(end, **{end: 1.0})]}, labels)
        assert scores is not None
        assert max(scores, key=lambda label: scores[label]) == "4"
    phrases = ["safe", "safe enough", "unsafe"]
    content = [token("safe", safe=0.8, un=0.2), token(" enough", **{" enough": 0.9, end or "<eos>": 0.1}), token(end)]
    expected = {"safe": 0.08, "safe enough": 0.72, "unsafe": 0.2}
    assert label_scores({"content": content}, phrases) == pytest.approx(expected)


def test_a_label_after_a_thought() -> None:
    content = [token("<think>"), token("4"), token("</think>"), token("\n\n"), token("5", **{"5": 0.9, "4": 0.1})]
    assert label_scores({"content": content}, RATINGS) == pytest.approx({"1": 0, "2": 0, "3": 0, "4": 0.1, "5": 0.9})


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
