"""Embedded judge and optimizer: reading, following and learning, from chat messages alone."""

import base64
import hashlib
import json
import random
import re
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from blpo.models.embedded.judge_model import EmbeddedJudge
from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.models.embedded.rubric import Bound, RubricStart, Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.rubric_verdict import decide
from blpo.models.embedded.vocabulary import ATTRIBUTES, mentioned
from blpo.models.messages import Message, to_langchain, user
from blpo.models.verdict_format import answer_words
from blpo.models.verdict_reading import parse_verdict
from blpo.prompts.cases import Case, cases, history, labels_in_words, trial_cases
from blpo.prompts.delimiters import tagged
from blpo.prompts.template import render
from state.loops import Trial
from state.sample import EncodedImage, Sample
from state.settings import TaskSettings
from state.verdict import Description, Verdict

RATING = TaskSettings()
SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
NAMES = [attribute.name for attribute in ATTRIBUTES]
BOUNDS = st.builds(Bound, st.sampled_from([30.0, 50.0, 70.0, 62.0]), st.booleans()) | st.sampled_from(
    [Bound(90.0, above=True), Bound(10.0, above=False)]  # "very high or below" does not exist
)
WEIGHTS = st.sampled_from([1.0, 3.0, 8.0])


def ask(model: EmbeddedJudge | EmbeddedOptimizer, *messages: Message) -> str:
    answer = model.invoke(to_langchain(messages)).content
    assert isinstance(answer, str)
    return answer


def picture(noise: float) -> EncodedImage:
    pixels = np.linspace(40, 200, 96)[None, :, None] + np.random.default_rng(1).normal(0, noise, (96, 96, 3))
    stream = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(stream, "PNG")
    data = stream.getvalue()
    return EncodedImage(hashlib.sha256(data).hexdigest(), "image/png", base64.b64encode(data).decode())


def judge_frame(prompt: str, task: TaskSettings) -> str:
    values = {"text_note": "", "task_note": "", "answer_form": answer_words(task), "place": "above this text"}
    return render("judge", judge_prompt=prompt, **values)


def message_case(values: dict[str, float], human: object, judge: object, number: int = 0) -> Case:
    text = " ".join(f"{name.capitalize()} is medium ({value:.0f})." for name, value in values.items())
    sample = Sample(str(number), (), str(human))
    return Case(sample, Verdict(str(number), "ok", str(judge)), (Description(str(number), "ok", text),))


def critique_question(prompt: str, wrong: list[Case], right: list[Case], task: TaskSettings) -> Message:
    return user(
        render(
            "critique_judge",
            labels=labels_in_words(task),
            objections="",
            judge_prompt=prompt,
            wrong_cases=cases(wrong),
            right_cases=cases(right),
        )
    )


def updated(prompt: str, wrong: list[Case], right: list[Case], task: TaskSettings, tokens: int = 1500) -> str:
    model = EmbeddedOptimizer()
    critique = tagged(ask(model, critique_question(prompt, wrong, right, task)), "critique")
    assert critique is not None
    question = render(
        "update_judge",
        labels=labels_in_words(task),
        judge_prompt=prompt,
        critique=critique,
        max_prompt_tokens=str(tokens),
    )
    answer = tagged(ask(model, user(question)), "judge_prompt")
    assert answer is not None
    return answer


def noisy_cases(seed: int, cause: str) -> tuple[list[Case], list[Case]]:
    """Return twenty cases. The ratings fall with `cause` alone; the judge answers 3 for every case."""
    generator = random.Random(seed)
    rows = []
    for number in range(20):
        values = {name: generator.uniform(5, 95) for name in ("noise", "contrast", "warmth", "symmetry")}
        rows.append(message_case(values, 5 - int(values[cause] // 20), 3, number))
    wrong = [row for row in rows if row.sample.label != "3"]
    return wrong, [row for row in rows if row.sample.label == "3"]


@given(st.sampled_from(NAMES), st.none() | st.text(min_size=1, max_size=9), WEIGHTS, BOUNDS, st.booleans())
def test_a_rule_reads_back_from_its_own_words(
    name: str, label: str | None, weight: float, bound: Bound, lower: bool
) -> None:
    rule = Rule(name, label, -weight if lower and label is None else weight, bound)
    if label is not None and ("\\" in json.dumps(label, ensure_ascii=False) or not label.isprintable()):
        return
    assert list(parse_rubric(f"Look at it.\n- {rule}\nBe fair.")) == [rule]


@given(st.floats(1, 5).map(lambda value: round(value, 1)))
def test_a_start_reads_back(value: float) -> None:
    assert list(parse_rubric(str(RubricStart(None, value)))) == [RubricStart(None, value)]


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_any_prompt_gets_a_label_of_the_task(prompt: str) -> None:
    values = dict.fromkeys(NAMES, 50.0)
    assert decide(prompt, range(1, 6), values)[0] in range(1, 6)
    assert decide(prompt, ("safe", "unsafe"), values)[0] in ("safe", "unsafe")


def test_the_judge_follows_the_rubric_and_names_its_reason() -> None:
    prompt = "Rate it.\n- Start from a rating of 5.\n- Lower the rating strongly when noise is high or above."
    clean, noisy = (ask(EmbeddedJudge(), user(picture(n), judge_frame(prompt, RATING))) for n in (0.5, 60))
    verdicts = [parse_verdict(answer, RATING) for answer in (clean, noisy)]
    assert [status for status, _, _ in verdicts] == ["ok", "ok"]
    assert int(verdicts[0][1] or 0) > int(verdicts[1][1] or 0)
    assert "noise" in verdicts[1][2]
    assert ask(EmbeddedJudge(), user(picture(60), judge_frame(prompt, RATING))) == noisy


def test_without_an_image_or_labels_the_judge_says_so() -> None:
    assert parse_verdict(ask(EmbeddedJudge(), user(judge_frame("Rate it.", RATING))), RATING)[0] == "unparseable"
    assert parse_verdict(ask(EmbeddedJudge(), user(picture(1), "Rate it.")), RATING)[0] == "unparseable"


@pytest.mark.parametrize("cause", ["noise", "contrast", "warmth"])
def test_what_is_learned_follows_from_the_cases(cause: str) -> None:
    wrong, right = noisy_cases(3, cause)
    rules = [s for s in parse_rubric(updated("Rate it.", wrong, right, RATING)) if isinstance(s, Rule)]
    strongest = max(rules, key=lambda rule: abs(rule.weight))
    assert strongest.attribute == cause
    assert strongest.weight * (1 if strongest.bound.above else -1) < 0  # the rating falls if the cause rises


def test_categories_are_learned_too() -> None:
    generator = random.Random(0)
    rows = []
    for number in range(20):
        values = {name: generator.uniform(5, 95) for name in ("noise", "contrast", "symmetry")}
        rows.append(message_case(values, "unsafe" if values["symmetry"] > 50 else "safe", "safe", number))
    wrong, right = ([r for r in rows if (r.sample.label == "safe") is is_right] for is_right in (False, True))
    prompt = updated("Is it safe?", wrong, right, SAFETY)
    for value, label in ((90.0, "unsafe"), (10.0, "safe")):
        assert decide(prompt, SAFETY.labels, {"symmetry": value, "noise": 50.0, "contrast": 50.0})[0] == label


def test_descriptions_that_state_nothing_teach_no_rule() -> None:
    row = Case(Sample("1", (), "2"), Verdict("1", "ok", "4"), (Description("1", "ok", "A dog on a lawn."),))
    prompt = "Rate it.\n- Lower the rating when noise is high or above."
    rules = [
        sentence for sentence in parse_rubric(updated(prompt, [row] * 10, [], RATING)) if isinstance(sentence, Rule)
    ]
    assert rules == list(parse_rubric(prompt))


def test_sentences_of_the_user_stay_and_the_limit_is_kept() -> None:
    wrong, right = noisy_cases(1, "noise")
    prompt = updated("Be fair {always}.\nNever mind the subject.", wrong, right, RATING)
    assert prompt.startswith("Be fair {always}.\nNever mind the subject.")
    assert len(updated("Rate it.", wrong, right, RATING, tokens=60)) <= 240


@given(st.text(max_size=200))
@settings(max_examples=40)
def test_hostile_text_breaks_nothing(text: str) -> None:
    row = Case(Sample("1", (), text, text=text), Verdict("1", "ok", text, text), (Description("1", "ok", text),))
    question = critique_question(text, [row] * 3, [row], SAFETY)
    assert tagged(ask(EmbeddedOptimizer(), question), "critique")
    assert ask(EmbeddedOptimizer(), question) == ask(EmbeddedOptimizer(), question)


def test_the_next_i2t_prompt_was_never_tried_and_keeps_what_helps() -> None:
    wrong, right = noisy_cases(5, "noise")
    trials = [Trial(i2t_prompt="Describe noise and contrast.", judge_prompt="Rate it.", score=0.1, failure=None)]
    for _ in range(6):
        model = EmbeddedOptimizer()
        cases_text = trial_cases("The best so far:", trials[0], [*wrong, *right])
        labels = labels_in_words(RATING)
        question = render(
            "critique_i2t",
            labels=labels,
            objections="",
            judge_prompt="Rate it.",
            history=history(trials),
            trials=cases_text,
        )
        critique = tagged(ask(model, user(question)), "critique")
        assert critique is not None
        question = render(
            "update_i2t",
            labels=labels,
            history=history(trials),
            i2t_prompt=str(trials[0]["i2t_prompt"]),
            critique=critique,
            max_prompt_tokens="300",
        )
        prompt = tagged(ask(model, user(question)), "i2t_prompt")
        assert prompt is not None
        earlier = {frozenset(mentioned(str(trial["i2t_prompt"]))) for trial in trials}
        assert "noise" in mentioned(prompt)
        assert len(mentioned(prompt)) <= 6
        assert frozenset(mentioned(prompt)) not in earlier
        trials.append(Trial(i2t_prompt=prompt, judge_prompt="Rate it.", score=0.0, failure=None))


def test_a_message_that_asks_for_nothing_known_is_answered_in_plain_words() -> None:
    assert not re.search("<[a-z]", ask(EmbeddedOptimizer(), user("Hello, who are you?")))
