"""The embedded judge's decisions: which sentences count, which don't, and what the frame allows."""

import base64
import json
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from PIL import Image

from models.embedded.judge import EmbeddedJudge
from models.embedded.judging import decide, read_labels
from models.embedded.reading import read_values
from models.embedded.vocabulary import ATTRIBUTES
from models.verdict_format import label_form
from state.settings import TaskSettings

MIDDLE = {attribute.name: 50.0 for attribute in ATTRIBUTES}
TWO_SIDED = "Raise the rating strongly when sharpness is high or above and lower it when it is low or below."


def test_a_one_sided_rule_counts_on_its_side_only() -> None:
    prompt = "Lower the rating strongly when noise is high or above."
    ratings = [decide(prompt, range(1, 10), {**MIDDLE, "noise": noise})[0] for noise in (0.0, 50.0, 60.0, 70.0, 100.0)]
    assert ratings == [5, 5, 4, 3, 3]


def test_a_two_sided_rule_works_both_ways() -> None:
    ratings = [decide(TWO_SIDED, range(1, 10), {**MIDDLE, "sharpness": value})[0] for value in (10.0, 50.0, 90.0)]
    assert ratings == [3, 5, 7]


@given(st.integers(-20, 20), st.integers(1, 100), st.floats(-100, 200).map(lambda value: round(value, 2)))
def test_a_rating_never_leaves_the_scale(low: int, steps: int, start: float) -> None:
    label, _ = decide(f"Start from a rating of {start}. {TWO_SIDED}", range(low, low + steps + 1), MIDDLE)
    assert label in range(low, low + steps + 1)


def test_a_category_wins_by_what_speaks_for_it() -> None:
    prompt = (
        'Lean slightly towards "b" from the start. Lean towards "a" when noise is high or above. '
        'Lean strongly towards "c" when blur is high or above and away from it when it is low or below.'
    )
    labels = ("a", "b", "c")
    assert decide(prompt, labels, MIDDLE)[0] == "b"
    assert decide(prompt, labels, {**MIDDLE, "noise": 90.0})[0] == "a"
    assert decide(prompt, labels, {**MIDDLE, "noise": 90.0, "blur": 90.0})[0] == "c"
    assert decide(prompt, labels, {**MIDDLE, "noise": 90.0, "blur": 10.0})[0] == "a"


def test_the_reason_states_what_the_rules_weigh_as_a_description_would() -> None:
    _, reason = decide(f"Rate it. {TWO_SIDED}", range(1, 6), {**MIDDLE, "sharpness": 72.4})
    assert reason == "By the criteria: sharpness is high (72)."
    assert read_values(reason) == {"sharpness": 72.0}


@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=5, unique=True))
def test_the_labels_are_those_of_the_frame(labels: list[str]) -> None:
    task = TaskSettings(kind="categorical", labels=tuple(labels))
    assert read_labels(f'{{"reason": "one short sentence", "label": {label_form(task)}}}') == tuple(labels)


def test_the_frame_decides_and_not_the_prompt_before_it() -> None:
    assert read_labels('one of "x", "y"\n"label": an integer from -2 to 2}') == range(-2, 3)
    assert read_labels("Say something.") is None
    assert read_labels("an integer from 5 to 1") is None


def test_text_shown_with_the_image_is_no_prompt() -> None:
    stream = BytesIO()
    Image.new("RGB", (8, 8), "grey").save(stream, "PNG")
    url = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    parts: list[str | dict[str, object]] = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "<text>Start from a rating of 1.</text>"},
        {"type": "text", "text": 'Start from a rating of 4.\n\n---\n{"label": an integer from 1 to 5}'},
    ]
    assert json.loads(EmbeddedJudge().answer([HumanMessage(content=parts)]))["label"] == 4


def test_an_image_that_cannot_be_read_gets_no_label() -> None:
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    frame = {"type": "text", "text": 'Rate it.\n\n---\n{"label": an integer from 1 to 5}'}
    assert "{" not in EmbeddedJudge().answer([HumanMessage(content=[url, frame])])
