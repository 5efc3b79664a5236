"""Embedded models on pairs: both images, both orders, and learning from differences."""

import base64
import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage
from PIL import Image

from blpo.inference.pair_orders import joined_verdict
from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.message_reading import read_pair_values
from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.models.embedded.pair_text import ignores_order, order_sentence, pair_phrase
from blpo.models.embedded.pair_verdict import LEAN, REMAINING_LEAN, decide_pair
from blpo.models.embedded.perception import perceive
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.text_claims import NO_STATEMENT, distance, read_claims
from blpo.models.embedded.verbalizer_model import MAX_SENTENCES, EmbeddedVerbalizer
from blpo.models.embedded.vocabulary import ATTRIBUTES, mentioned
from blpo.models.messages import Part, to_langchain, user
from blpo.models.verdict_format import answer_words
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import tagged
from blpo.prompts.template import render
from state.sample import EncodedImage, Label, Sample
from state.settings import TaskSettings
from state.verdict import Description, Order, OrderedVerdict, Verdict

PAIR = TaskSettings(kind="pairwise")
TIES = TaskSettings(kind="pairwise", ties=True)
NAMES = [attribute.name for attribute in ATTRIBUTES]
NOISE_RULE = "- Lower the rating when noise is very high and raise it when it is very low."
PROMPT = f"Which is better?\n\n{NOISE_RULE}"


def picture(noise: float) -> EncodedImage:
    pixels = np.linspace(40, 200, 96)[None, :, None] + np.random.default_rng(1).normal(0, noise, (96, 96, 3))
    stream = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
    data = stream.getvalue()
    return EncodedImage(hashlib.sha256(data).hexdigest(), "image/png", base64.b64encode(data).decode())


CLEAN, NOISY = picture(0.5), picture(40)


def message(prompt: str, *parts: Part, task: TaskSettings = PAIR) -> list[BaseMessage]:
    frame = render(
        "judge_pair",
        judge_prompt=prompt,
        item="image",
        place="above",
        text_note="",
        task_note="",
        answer_form=answer_words(task.answer_scale),
    )
    return to_langchain([user(*parts, frame)])


def images(first: EncodedImage, second: EncodedImage) -> tuple[Part, ...]:
    return "First image:", first, "Second image:", second


def answer(messages: list[BaseMessage]) -> tuple[str, str]:
    fields = json.loads(str(EmbeddedJudge().invoke(messages).content))
    return fields["label"], fields["reason"]


class TestJudge:
    def test_both_images_are_perceived_and_scored_by_the_same_rubric(self) -> None:
        label, reason = answer(message(PROMPT, *images(CLEAN, NOISY)))
        assert label == "first"
        noise = [round(perceive(base64.b64decode(image.base64))["noise"]) for image in (CLEAN, NOISY)]
        assert f"({noise[0]}) in the first image" in reason and f"({noise[1]}) in the second" in reason
        assert answer(message(PROMPT, *images(NOISY, CLEAN)))[0] == "second"

    def test_the_first_is_preferred_where_nothing_tells_the_images_apart(self) -> None:
        for prompt in ("Which is better?", PROMPT, f"{PROMPT}\n\n{order_sentence()}"):
            assert answer(message(prompt, *images(CLEAN, CLEAN)))[0] == "first"
        assert answer(message(PROMPT, *images(CLEAN, CLEAN), task=TIES))[0] == "first"
        assert answer(message(f"{PROMPT}\n\n{order_sentence()}", *images(CLEAN, CLEAN), task=TIES))[0] == "tie"

    def test_context_is_not_judged(self) -> None:
        plain = answer(message(PROMPT, *images(NOISY, CLEAN)))
        assert answer(message(PROMPT, "Reference image:", CLEAN, *images(NOISY, CLEAN))) == plain
        assert answer(message(PROMPT, *images(NOISY, CLEAN), "Image before the edit:", NOISY)) == plain

    def test_an_image_that_is_no_image_is_named(self) -> None:
        broken = EncodedImage("x", "image/png", base64.b64encode(b"no image").decode())
        content = EmbeddedJudge().invoke(message(PROMPT, *images(CLEAN, broken))).content
        assert content == "I can't make out this image."

    def test_a_single_image_with_such_categories_is_judged_as_before(self) -> None:
        assert answer(message("Is it first class?", CLEAN))[1].startswith("A first impression")


@given(st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_the_lean_decides_close_pairs_and_no_other_pair(first: float, second: float, ignores: bool) -> None:
    prompt = f"{PROMPT}\n\n{order_sentence()}" if ignores else PROMPT
    rule = parse_rubric(PROMPT)[0]
    assert isinstance(rule, Rule)
    difference = 0.1 * rule.weight * (rule.share(first) - rule.share(second))
    lean = REMAINING_LEAN if ignores else LEAN
    forward = decide_pair(prompt, ("first", "second"), {"noise": first}, {"noise": second})[0]
    backward = decide_pair(prompt, ("first", "second"), {"noise": second}, {"noise": first})[0]
    if abs(difference) < lean:
        assert forward == backward == "first"
    elif abs(difference) > lean:
        assert {forward, backward} == {"first", "second"}  # the same image in both orders
        assert (forward == "first") is (difference > 0)


def test_a_tie_is_a_small_difference_beside_the_lean() -> None:
    prompt = f"{PROMPT}\n\n{order_sentence()}"
    labels = ("first", "second", "tie")
    assert decide_pair(prompt, labels, {"noise": 50.0}, {"noise": 55.0})[0] == "tie"
    assert decide_pair(prompt, labels, {"noise": 40.0}, {"noise": 60.0})[0] == "first"
    assert decide_pair(prompt, labels, {"noise": 60.0}, {"noise": 40.0})[0] == "second"


@pytest.mark.parametrize(
    ("prompt", "ignores"),
    [
        ("The order of the images says nothing.", True),
        ("The order of the texts says nothing.", True),
        ("The order in which they are shown does not matter.", True),
        ("Ignore the order of the images.", True),
        ("Judge regardless of position.", True),
        ("The position of the two images must not change your answer.", True),
        ("Their position is random.", True),
        ("Look at both images and decide which is better, in this order: sharpness, noise.", False),
        ("Say which image is better.", False),
        ("Ignore the noise. Look at the order of the books.", False),
        ("Ignore the order of the books.", False),
        ("Whatever position the horse has, the sharper image is better.", False),
        ("The position of the horizon does not matter.", False),
    ],
)
def test_words_that_say_that_the_order_says_nothing(prompt: str, ignores: bool) -> None:
    assert ignores_order(prompt) is ignores


class TestTexts:
    def test_statements_of_a_text(self) -> None:
        assert read_claims("Noise is very high, with low contrast; the contrast is high.") == (
            ("noise", 90.0),
            ("contrast", 30.0),
        )
        assert read_claims("A dog of high standing in noise.") == ()
        assert distance(read_claims("Grain is high."), {"noise": 30.0}) == 2.0
        assert distance(read_claims("A dog."), {"noise": 30.0}) == NO_STATEMENT

    def test_the_text_nearer_to_the_image_is_better(self) -> None:
        right, wrong = "<first>Noise is very low.</first>", "<second>A grainy image: very high noise.\n---\n</second>"
        label, reason = answer(message("Which answer is right?", CLEAN, right, wrong))
        assert label == "first" and "levels off" in reason
        swapped = [right.replace("first", "second"), wrong.replace("second", "first")][::-1]
        assert answer(message("Which answer is right?", CLEAN, *swapped))[0] == "second"
        assert answer(message("Which answer is right?", "Reference image:", NOISY, CLEAN, right, wrong))[0] == "first"

    def test_texts_that_state_nothing_are_equal(self) -> None:
        texts = ("<first>A dog.</first>", "<second>A cat.</second>")
        assert answer(message("Which?", CLEAN, *texts))[0] == "first"
        assert answer(message(f"Which? {order_sentence('texts')}", CLEAN, *texts, task=TIES))[0] == "tie"


class TestVerbalizer:
    def describe(self, q: str, *parts: Part) -> str:
        frame = render("verbalize_pair", i2t_prompt=q, item="image", place="above", text_note="", max_words="120")
        return str(EmbeddedVerbalizer().invoke(to_langchain([user(*parts, frame)])).content)

    def values(self, *names: str) -> tuple[dict[str, float], ...]:
        all_values = [perceive(base64.b64decode(image.base64)) for image in (CLEAN, NOISY)]
        return tuple({name: round(values[name]) for name in names} for values in all_values)

    def test_both_images_are_described_without_their_context(self) -> None:
        text = self.describe("State noise and blur.", "Reference image:", NOISY, *images(CLEAN, NOISY))
        assert text.startswith("First image: Noise is") and text.count("image:") == 2
        assert read_pair_values(text) == self.values("noise", "blur")

    @pytest.mark.parametrize("q", ["Compare noise and blur.", "How do they differ in noise and blur?"])
    def test_a_comparison_has_both_values_in_a_sentence(self, q: str) -> None:
        text = self.describe(q, *images(CLEAN, NOISY))
        assert text.count(".") == 2 and "in the first image and" in text
        assert read_pair_values(text) == self.values("noise", "blur")

    def test_of_two_texts_the_image_is_described(self) -> None:
        texts = ("<first>High noise.</first>", "<second>Low noise.</second>")
        text = self.describe("How do the texts differ about noise?", "Reference image:", NOISY, CLEAN, *texts)
        assert text == self.describe("State noise.", CLEAN)

    def test_a_comparison_has_at_most_six_sentences(self) -> None:
        assert self.describe("Compare " + ", ".join(NAMES), *images(CLEAN, NOISY)).count(".") == MAX_SENTENCES
        assert self.describe("How do they differ?", *images(CLEAN, NOISY)).startswith("Brightness is")

    def test_descriptions_of_both_forms_are_read_together(self) -> None:
        text = " ".join(
            self.describe(q, *images(CLEAN, NOISY)) for q in ("State blur.", "Compare noise.", "State warmth.")
        )
        assert read_pair_values(text) == self.values("noise", "blur", "warmth")


def verdict(orders: Mapping[Order, Label], reason: str = "First impressions.") -> Verdict:
    return joined_verdict("1", [OrderedVerdict(order, "ok", label, reason) for order, label in orders.items()])


FIRST = verdict({"ab": "a", "ba": "a"})
LEANING = verdict({"ab": "a", "ba": "b"})
"""The judge says "first" in both orders."""


def case(first: dict[str, float], second: dict[str, float], human: str, judge: Verdict) -> Case:
    text = " ".join(f"{pair_phrase(name, first[name], second[name]).capitalize()}." for name in first)
    return Case(Sample("1", (), human), judge, (Description("1", "ok", text),))


def drawn_cases(cause: str, judge: Verdict = FIRST, seed: int = 0) -> list[Case]:
    """Return forty pairs. People prefer the image with less of `cause`."""
    generator = random.Random(seed)
    names = ("noise", "contrast", "warmth", "symmetry")
    rows = []
    for _ in range(40):
        first, second = ({name: generator.uniform(5, 95) for name in names} for _ in range(2))
        rows.append(case(first, second, "a" if first[cause] < second[cause] else "b", judge))
    return rows


def ask(question: str, tag: str) -> str:
    text = str(EmbeddedOptimizer().invoke(to_langchain([user(question)])).content)
    assert text == str(EmbeddedOptimizer().invoke(to_langchain([user(question)])).content)
    reply = tagged(text, tag)
    assert reply is not None
    return reply


def revised(prompt: str, rows: list[Case]) -> tuple[str, str]:
    labels = labels_in_words(PAIR)
    critique = ask(
        render(
            "critique_judge",
            labels=labels,
            objections="",
            judge_prompt=prompt,
            wrong_cases=cases(rows),
            right_cases="(none)",
        ),
        "critique",
    )
    question = render("update_judge", labels=labels, judge_prompt=prompt, critique=critique, max_prompt_tokens="1500")
    return critique, ask(question, "judge_prompt")


class TestOptimizer:
    @pytest.mark.parametrize("cause", ["noise", "contrast", "warmth"])
    def test_a_rubric_is_learned_from_differences(self, cause: str) -> None:
        critique, prompt = revised("Which is better?", drawn_cases(cause))
        rules = [sentence for sentence in parse_rubric(prompt) if isinstance(sentence, Rule)]
        strongest = max(rules, key=lambda rule: abs(rule.weight))
        assert strongest.attribute == cause and strongest.label is None
        assert strongest.weight * (1 if strongest.bound.above else -1) < 0
        assert f"{cause.capitalize()} is lower by" in critique
        assert len(rules) == len(parse_rubric(prompt))  # no start: a start moves no difference

    def test_the_order_sentence_is_written_where_verdicts_change_with_the_order(self) -> None:
        critique, prompt = revised("Which is better?", drawn_cases("noise", LEANING))
        assert "40 of 40 verdicts change when the images are swapped." in critique
        assert prompt.count(order_sentence()) == 1
        assert order_sentence() not in revised(prompt, drawn_cases("noise", LEANING, 1))[0]
        assert not ignores_order(revised("Which is better?", drawn_cases("noise", FIRST))[1])
        similar = revised("Ignore the order of the images.", drawn_cases("noise", LEANING))[1]
        assert order_sentence() not in similar

    def test_texts_have_an_order_too(self) -> None:
        sample = Sample("1", (), "a", texts=("A dog.", "A cat."))
        rows = [Case(sample, LEANING, (Description("1", "ok", "Noise is high (70)."),))] * 8
        assert revised("Which is better?", rows)[1] == f"Which is better?\n\n{order_sentence('texts')}"

    @pytest.mark.parametrize("orders", [("ab", "ba"), ("ab",), ("ba",)])
    def test_reasons_of_both_orders_are_read(self, orders: tuple[Order, ...]) -> None:
        def row(label: Label, a: float, b: float) -> Case:
            shown = {"ab": (a, b), "ba": (b, a)}
            reasons = {order: f"By the criteria: {pair_phrase('noise', *shown[order])}." for order in orders}
            ordered = [OrderedVerdict(order, "ok", "b", reason) for order, reason in reasons.items()]
            return Case(Sample("1", (), label), joined_verdict("1", ordered))

        rows = [row("a", 20, 80), row("b", 80, 20)] * 10
        prompt = revised("Which is better?\n\n- Raise the rating slightly when noise is high or above.", rows)[1]
        assert decide_pair(prompt, ("first", "second"), {"noise": 20.0}, {"noise": 80.0})[0] == "first"
        assert decide_pair(prompt, ("first", "second"), {"noise": 80.0}, {"noise": 20.0})[0] == "second"

    def test_ties_pull_towards_no_difference(self) -> None:
        rows = drawn_cases("noise")
        ties = [replace(row, sample=replace(row.sample, label="tie")) for row in rows]
        assert [s for s in parse_rubric(revised("Which is better?", ties)[1]) if isinstance(s, Rule)] == []

    def test_the_next_i2t_prompt_compares_what_is_not_stated_yet(self) -> None:
        question = render(
            "critique_i2t_pooled",
            labels=labels_in_words(PAIR),
            objections="",
            judge_prompt="Which is better?",
            history="(nothing yet)",
            cases=cases(drawn_cases("noise")),
        )
        critique = ask(question, "critique")
        prompt = ask(
            render(
                "update_i2t_pooled",
                labels=labels_in_words(PAIR),
                history="(nothing yet)",
                critique=critique,
                max_prompt_tokens="300",
            ),
            "i2t_prompt",
        )
        assert prompt.startswith("Compare the two images.")
        assert len(mentioned(prompt)) == MAX_SENTENCES
        assert not {"noise", "contrast", "warmth", "symmetry"} & set(mentioned(prompt))

    def test_prompts_with_scores_are_recombined_by_rating_rules(self) -> None:
        history = "<tried><judge_prompt>Which is better?</judge_prompt><score>0.5</score></tried>"
        prompts = {
            ask(
                f"Labels: first, second\n<history>{history}</history>\n<examples>{number}</examples>\nWrite it inside"
                " <judge_prompt> and </judge_prompt>.",
                "judge_prompt",
            )
            for number in range(8)
        }
        assert all(rule.label is None for prompt in prompts for rule in parse_rubric(prompt))
        assert {ignores_order(prompt) for prompt in prompts} == {True, False}
