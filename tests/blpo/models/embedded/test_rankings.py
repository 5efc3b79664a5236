"""The embedded models on lists: they see all images, rank by their rubric, and learn from the pairs of rankings."""

import base64
import json
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from blpo.models.embedded.i2t_prompt_revision import next_i2t_prompt
from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.message_reading import read_cases, read_labels
from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.models.embedded.ranked_images import MOST_PAIRS, numbered_text, ranked_pairs, texts_by_number
from blpo.models.embedded.ranking_verdict import decide_ranking
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.verbalizer_model import EmbeddedVerbalizer
from blpo.models.verdict_format import answer_words
from blpo.prompts.cases import labels_in_words
from blpo.prompts.template import render
from state.ranking import label_of_permutation, ranking_label, ranks_of
from state.settings import TaskSettings
from tests.public_sources import noisy_image

TASK = TaskSettings(kind="ranking", best="lowest")
NOISES = (30.0, 4.0, 60.0)
RUBRIC = (
    "Rank the images.\n\n- Lower the rating strongly when noise is high or above and raise it when it is low or below."
)


def message(template: str, noises: tuple[float, ...] = NOISES, **values: str) -> HumanMessage:
    parts: list[str | dict[str, object]] = []
    for number, noise in enumerate(noises, 1):
        url = f"data:image/png;base64,{base64.b64encode(noisy_image(number, noise=noise)).decode()}"
        parts += [{"type": "text", "text": f"Image {number}:"}, {"type": "image_url", "image_url": {"url": url}}]
    frame = render(f"{template}_ranking", place="above", text_note="", count=str(len(noises)), **values)
    return HumanMessage([*parts, {"type": "text", "text": frame}])


def judge(prompt: str, noises: tuple[float, ...] = NOISES) -> dict[str, object]:
    form = answer_words(TASK.scale_of(len(noises)))
    reply = EmbeddedJudge().answer([message("judge", noises, judge_prompt=prompt, task_note="", answer_form=form)])
    answer: dict[str, object] = json.loads(reply)
    return answer


def test_the_judge_ranks_by_the_scores_of_its_rubric() -> None:
    answer = judge(RUBRIC)
    assert answer["label"] == [2, 1, 3]
    texts = dict(texts_by_number(str(answer["reason"])))
    assert sorted(texts) == [1, 2, 3] and all("noise is" in text for text in texts.values())


def test_the_judge_without_a_rubric_follows_first_impressions() -> None:
    label = judge("Rank the images.")["label"]
    assert isinstance(label, list) and sorted(label) == [1, 2, 3]
    assert "First impressions" in str(judge("Rank the images.")["reason"])


@given(st.permutations(range(4)))
def test_the_place_of_an_image_does_not_change_its_rank(order: list[int]) -> None:
    images = [{"noise": noise} for noise in (10.0, 35.0, 55.0, 80.0)]
    ranked, _ = decide_ranking(RUBRIC, [images[i] for i in order])
    assert [order[number - 1] for number in ranked] == [0, 1, 2, 3]


def test_equal_images_stay_in_their_order() -> None:
    assert decide_ranking(RUBRIC, [{"noise": 40.0}] * 3)[0] == [1, 2, 3]


def test_the_verbalizer_describes_every_image_by_its_number() -> None:
    request = message("verbalize", i2t_prompt="Describe noise and sharpness.", max_words="180")
    texts = dict(texts_by_number(EmbeddedVerbalizer().answer([request])))
    assert sorted(texts) == [1, 2, 3]
    assert all("Noise is" in text and "Sharpness is" in text for text in texts.values())


@given(st.lists(st.integers(1, 5), min_size=2, max_size=8), st.randoms(use_true_random=False))
def test_a_ranking_is_read_as_its_clearest_pairs(ranks: list[int], random: object) -> None:
    human = ranking_label(ranks)
    answer = label_of_permutation(range(1, len(ranks) + 1))
    pairs = list(ranked_pairs(human, answer))
    dense = ranks_of(human)
    unequal = [(i, j) for i, j in combinations(range(len(ranks)), 2) if dense[i] != dense[j]]
    assert len(pairs) == min(len(unequal), MOST_PAIRS)
    for one, other, better, by_judge in pairs:
        assert better == ("first" if ranks[one - 1] < ranks[other - 1] else "second")
        assert by_judge == "first"
    left_out = set(unequal) - {(one - 1, other - 1) for one, other, _, _ in pairs}
    least = min((abs(dense[one - 1] - dense[other - 1]) for one, other, _, _ in pairs), default=0)
    assert all(abs(dense[i] - dense[j]) <= least for i, j in left_out)


def case(human: str, answer: str, noises: tuple[int, ...]) -> str:
    texts = numbered_text([f"Noise is {_level(noise)} ({noise})." for noise in noises])
    return f"<case>\n<human>{human}</human>\n<judge>{answer}</judge>\n<description>{texts}</description>\n</case>"


def _level(value: int) -> str:
    return ("very low", "low", "medium", "high", "very high")[min(4, value // 20)]


def test_cases_of_rankings_are_the_pairs_with_the_values_of_both_images() -> None:
    (one, other) = read_cases(case("2>1=3", "1>2>3", (70, 10, 60)))
    assert (one.human, one.judge, one.pair) == ("second", "first", ({"noise": 70}, {"noise": 10}))
    assert (other.human, other.judge, other.right) == ("first", "first", True)
    (failed, *_) = read_cases(case("2>1", "(unparseable)", (70, 10)))
    assert (failed.judge, failed.right) == ("(unparseable)", False)


def test_the_optimizer_learns_from_differences_and_the_judge_follows() -> None:
    labels = labels_in_words(TASK)
    assert len(read_labels(f"Labels: {labels}")) == 4
    rows = [case("2>3>1", "1>2>3", (60 + i, 10 + i, 30 + i)) for i in range(6)]
    request = render(
        "critique_judge",
        labels=labels,
        objections="",
        judge_prompt="Rank the images.",
        wrong_cases="\n".join(rows),
        right_cases="(none)",
    )
    critique = EmbeddedOptimizer().answer([HumanMessage(request)])
    (rule, *_) = parse_rubric(critique)
    assert "Noise is lower by" in critique and "in the image that people prefer" in critique
    assert rule.label is None and str(rule).startswith("Lower the rating")
    rewrite = render(
        "update_judge",
        labels=labels,
        judge_prompt="Rank the images.",
        critique=critique,
        max_prompt_tokens="500",
    )
    prompt = EmbeddedOptimizer().answer([HumanMessage(rewrite)])
    assert decide_ranking(prompt, [{"noise": 62.0}, {"noise": 12.0}, {"noise": 33.0}])[0] == [2, 3, 1]


def test_the_next_i2t_prompt_compares_the_images() -> None:
    prompt = next_i2t_prompt([], "", 2000, Random(0), read_labels(f"Labels: {labels_in_words(TASK)}"))
    assert prompt.startswith("Compare the images. Say how strong each of these is in every image: ")
