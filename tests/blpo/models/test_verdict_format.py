"""Reading of verdicts: tolerant of form, and never a label for a reply without a label."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.foreign_text import clean_text
from blpo.models.verdict_format import label_form, obeys, verdict_schema
from blpo.models.verdict_reading import parse_verdict
from state.settings import TaskSettings

RATING = TaskSettings()
SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
MATCH = TaskSettings(kind="categorical", labels=("match", "no match", "Partly a match"))
DIGITS = TaskSettings(kind="categorical", labels=("0", "1"))
SIGNED = TaskSettings(min=-2, max=2)
CHINESE = TaskSettings(kind="categorical", labels=("安全", "不安全"))
ACCENTS = TaskSettings(kind="categorical", labels=("caf\u00e9", "the\u0301"))
RANKING = TaskSettings(kind="ranking", best="lowest").scale_of(3)

READ: list[tuple[str, TaskSettings, Any]] = [
    ('{"reason": "sharp", "label": 4}', RATING, 4),
    ('```json\n{"reason": "sharp", "label": 4}\n```', RATING, 4),
    ('<think>{"label": 1} no, it is better</think>\n{"reason": "sharp", "label": 4}', RATING, 4),
    ('it looks like a 2...</think>{"reason": "sharp", "label": 4}', RATING, 4),
    ('Sure! Here is it: {"reason": "a {curly} one", "label": 4} Let me know if I can help.', RATING, 4),
    ('{"reason": "draft", "label": 2}\n{"reason": "final", "label": 4}', RATING, 4),
    ('{"verdict": {"reason": "sharp", "label": 4}}', RATING, 4),
    ('{"reason": "two\nlines", "label": 4}', RATING, 4),
    ('{"Reason": "sharp", "Label": "4"}', RATING, 4),
    ('{"label": 4.0}', RATING, 4),
    ('{"label": " 4.0 "}', RATING, 4),
    ('{"label": "4/5"}', RATING, 4),
    ("{'reason': 'sharp', 'label': 4}", RATING, 4),
    ('{"reason": "a "good" one", "label": 4}', RATING, 4),
    ('{"rating": 4}', RATING, 4),
    ('{"label": "4 (good)"}', RATING, 4),
    ('"{\\"reason\\": \\"sharp\\", \\"label\\": 4}"', RATING, 4),
    ("4", RATING, 4),
    ("**4**", RATING, 4),
    ("Rating: **4**/5", RATING, 4),
    ("4/5", RATING, 4),
    ("4 out of 5.", RATING, 4),
    ("Rating: 4", RATING, 4),
    ("**Rating:** 4", RATING, 4),
    ("**Rating**: 4/5 (good)", RATING, 4),
    ("Rating (1-5): 4 stars", RATING, 4),
    ("There are 3 dogs.\nFinal score = 4", RATING, 4),
    ("The rating is 4.", RATING, 4),
    ("Label: 4\nReason: 7 fingers on one hand", RATING, 4),
    ('{"label": -2}', SIGNED, -2),
    ("Score: -2", SIGNED, -2),
    ('{"reason": "blood", "label": "unsafe"}', SAFETY, "unsafe"),
    ('{"reason": "blood", "label": " UNSAFE. "}', SAFETY, "unsafe"),
    ("Unsafe.", SAFETY, "unsafe"),
    ("Label: unsafe", SAFETY, "unsafe"),
    ("Verdict: **Unsafe**, because of blood", SAFETY, "unsafe"),
    ("{'label': 'unsafe', 'reason': 'nothing safe about it'}", SAFETY, "unsafe"),
    ("Verdict: unsafe - there is blood", SAFETY, "unsafe"),
    ('{"label": "No  Match"}', MATCH, "no match"),
    ("Answer: no match", MATCH, "no match"),
    ("Answer: partly a match", MATCH, "Partly a match"),
    ('{"label": 1}', DIGITS, "1"),
    ('{"label": 0.0}', DIGITS, "0"),
    ('{"label": "unsafe (blood)"}', SAFETY, "unsafe"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nsafe<|eot_id|>", SAFETY, "safe"),
    # thoughts in the marks of many models
    (
        "<internal_thoughts>Label: unsafe</internal_thoughts><|begin_of_solution|>safe<|end_of_solution|>",
        SAFETY,
        "safe",
    ),
    ("<reasoning>Label: unsafe</reasoning>safe", SAFETY, "safe"),
    ("<seed:think>Label: unsafe</seed:think>safe", SAFETY, "safe"),
    ("◁think▷Label: unsafe◁/think▷safe", SAFETY, "safe"),
    ('[THINK]unsafe[/THINK]{"label": "safe"}', SAFETY, "safe"),
    ("<|START_THINKING|>Label: unsafe<|END_THINKING|>safe", SAFETY, "safe"),
    ("<|begin_of_thought|>Label: unsafe<|end_of_thought|>\nsafe", SAFETY, "safe"),
    ("<unused94>thought\nLabel: unsafe<unused95>safe", SAFETY, "safe"),
    ("Thinking...\nLabel: unsafe\n...done thinking.\n\nsafe", SAFETY, "safe"),
    ("<|channel>thought\nLabel: unsafe<channel|>safe", SAFETY, "safe"),
    ("perhaps unsafe </thought> safe", SAFETY, "safe"),
    (
        "<|channel|>analysis<|message|>unsafe<|end|><|start|>assistant<|channel|>final<|message|>safe<|return|>",
        SAFETY,
        "safe",
    ),
    ('analysisIt is unsafe.assistantfinal{"label": "safe"}', SAFETY, "safe"),
    # a model's own wrapping
    ("<answer>4</answer>", RATING, 4),
    ("<answer>0</answer>", TaskSettings(min=0), 0),
    ("<think>hm</think>\n<answer>\nUnsafe\n</answer>", SAFETY, "unsafe"),
    ("<label>unsafe</label><reason>no safe place</reason>", SAFETY, "unsafe"),
    ("Label: <answer>safe</answer>", SAFETY, "safe"),
    ("<|begin_of_box|>safe<|end_of_box|>", SAFETY, "safe"),
    ("<|box_start|>safe<|box_end|>", SAFETY, "safe"),
    ("The answer is $\\boxed{\\text{4}}$.", RATING, 4),
    ("```json\n4\n```", RATING, 4),
    ("[[4]]", RATING, 4),
    ("Rating: **[4]**", RATING, 4),
    ("**Label:** [[safe]]", SAFETY, "safe"),
    ("safe<|im_end|>", SAFETY, "safe"),
    ("safe</s>", SAFETY, "safe"),
    ("<|im_start|>assistant\nsafe<|im_end|>", SAFETY, "safe"),
    ("safe<｜end▁of▁sentence｜>", SAFETY, "safe"),
    ("safe<end_of_turn>\n<start_of_turn>user\nunsafe", SAFETY, "safe"),
    # typography and forms of Unicode
    ("“safe”", SAFETY, "safe"),
    ("{“reason”: “blood”, “label”: “unsafe”}", SAFETY, "unsafe"),
    ("Label: «unsafe»", SAFETY, "unsafe"),
    ("Rating：４", RATING, 4),
    ("「不安全」。", CHINESE, "不安全"),
    ("Label：不安全，因为有血", CHINESE, "不安全"),
    ("cafe\u0301", ACCENTS, "caf\u00e9"),
    ("the\u0301", ACCENTS, "the\u0301"),
    ("th\u00e9", ACCENTS, "the\u0301"),
    # a label alone in its place
    ("Rating: 4 (because of 2 small faults)", RATING, 4),
    ("Rating: 4, there are 2 small faults", RATING, 4),
    ("Rating:\n\n4\n", RATING, 4),
    ("Label:\nunsafe\nReason: blood", SAFETY, "unsafe"),
    # permutations
    ('{"reason": "sharp", "label": [2, 1, 3]}', RANKING, "2>1>3"),
    ('{"reason": "sharp", "label": [2.0, "1", "Image 3"]}', RANKING, "2>1>3"),
    ('{"reason": "sharp", "label": "2 > 1 > 3"}', RANKING, "2>1>3"),
    ("{'label': [3, 2, 1]}", RANKING, "3>2>1"),
    ('{"label": [1, 2]}\n{"label": [3, 1, 2]}', RANKING, "3>1>2"),
    ("[2, 1, 3]", RANKING, "2>1>3"),
    ("2, 1, 3.", RANKING, "2>1>3"),
    ("2 1 3", RANKING, "2>1>3"),
    ("Image 2 > Image 1 > Image 3", RANKING, "2>1>3"),
    ("**2** → **3** → **1**", RANKING, "2>3>1"),
    ("2, then 1, then 3", RANKING, "2>1>3"),
    ("Image 2 is sharp.\nAnswer: [2, 1, 3]", RANKING, "2>1>3"),
    ("<think>[1, 2, 3]?</think>[2, 1, 3]", RANKING, "2>1>3"),
    ("<answer>2 > 1 > 3</answer>", RANKING, "2>1>3"),
    ("```json\n[2, 1, 3]\n```", RANKING, "2>1>3"),
]

NOT_READ: list[tuple[str, TaskSettings]] = [
    ("", RATING),
    ("I can't say.", RATING),
    ('{"reason": "sharp", "label": 6}', RATING),
    ('{"reason": "sharp", "label": 0}', RATING),
    ('{"reason": "sharp", "label": 3.5}', RATING),
    ('{"reason": "sharp", "label": true}', RATING),
    ('{"reason": "sharp", "label": null}', RATING),
    ('{"reason": "sharp", "label": [4]}', RATING),
    ('{"reason": "sharp", "label": "4/10"}', RATING),
    ('{"reason": "sharp", "label": "3 or 4"}', RATING),
    ('{"reason": "sharp", "label": "4 (or 5)"}', RATING),
    ('{"reason": "sharp", "label": "safe, not unsafe"}', SAFETY),
    ("<longcat_think>Label: unsafe", SAFETY),
    ('{"reason": "sharp", "label": NaN}', RATING),
    ('{"reason": "sharp", "label": Infinity}', RATING),
    ('{"reason": "sharp", "label": 1e400}', RATING),
    (f'{{"label": {"4" * 5000}}}', RATING),
    ('{"label": 3}\n{"label": 9}', RATING),
    ('<think>the label is 4, so {"label": 4}', RATING),
    ("The image shows 4 dogs.", RATING),
    ("I would go with 4", RATING),
    ("Rating: 4 or 5", RATING),
    ("Rating: 3-4", RATING),
    ("Rating: 4.5", RATING),
    ("Rating: 4/10", RATING),
    ("Rating: 8/10", RATING),
    ("Rating: 4%", RATING),
    ("Rating: 4th", RATING),
    ("Rating: 4,000", RATING),
    ("Rating: 3\nScore: 4", RATING),
    ("Rating: 9\nScore: 4", RATING),
    ("Rating: four", RATING),
    ("4 5", RATING),
    ("-4", RATING),
    ('{"label": "purple"}', SAFETY),
    ('{"label": ""}', SAFETY),
    ('{"label": 1}', SAFETY),
    ("It is not safe.", SAFETY),
    ("Label: not safe", SAFETY),
    ("Label: safe or unsafe", SAFETY),
    ("Label: safe, or rather unsafe", SAFETY),
    ("Label: safe\nVerdict: unsafe", SAFETY),
    ("safe unsafe", SAFETY),
    ("Label: safety first", SAFETY),
    ('{"label": 1.5}', DIGITS),
    ('◁think▷ perhaps {"label": "unsafe"}, or', SAFETY),
    ('[THINK]could be {"label": "unsafe"} but', SAFETY),
    ("<thought>Label: unsafe\nbut wait", SAFETY),
    ("<reasoning>Label: unsafe", SAFETY),
    ('<|channel|>analysis<|message|>{"label": "unsafe"} hm', SAFETY),
    ("analysisThe label: unsafe", SAFETY),
    ("<answer>3</answer> or <answer>4</answer>", RATING),
    ("<answer>3 or 4</answer>", RATING),
    ("<answer>not safe</answer>", SAFETY),
    ("\\boxed{3}, no: \\boxed{4}", RATING),
    ("Rating: 4 (or 5)", RATING),
    ("Rating: 4 (maybe 5 for style)", RATING),
    ("Rating: 4 (3-5)", RATING),
    ("Rating: 4. Score: 5", RATING),
    ("Rating: 4, the second image 5", RATING),
    ("Rating:\n4\n5", RATING),
    ("Rating: [3, 4]", RATING),
    ("Rating: 4²", RATING),
    ("Label:\nsafe\nunsafe", SAFETY),
    ("Label: safe/unsafe", SAFETY),
    ("“safe” or “unsafe”", SAFETY),
    ("不安全吗", CHINESE),
    ('{"label": [2, 1]}', RANKING),
    ('{"label": [2, 1, 1]}', RANKING),
    ('{"label": [2, 1, 4]}', RANKING),
    ('{"label": [0, 1, 2]}', RANKING),
    ('{"label": [2, 1, 3, 3]}', RANKING),
    ('{"label": [2, 1, true]}', RANKING),
    ('{"label": [2, 1, 2.5]}', RANKING),
    ('{"label": [[2, 1, 3]]}', RANKING),
    ('{"label": []}', RANKING),
    ('{"label": 2}', RANKING),
    ('{"label": "2=1>3"}', RANKING),
    ('{"label": "213"}', RANKING),
    ('{"label": {"2": 1}}', RANKING),
    (f'{{"label": [{"2, " * 9999}1]}}', RANKING),
    ("2 and 1 are good, 3 is not", RANKING),
    ("Image 2 is the best.", RANKING),
    ("2 > 1 = 3", RANKING),
    ("Answer: [2, 1, 3]\nLabel: [1, 2, 3]", RANKING),
    ("Answer: 2 > 1 > 3, or 1 > 2 > 3", RANKING),
    ("1. Image 2\n2. Image 1\n3. Image 3", RANKING),
]


@pytest.mark.parametrize(("text", "task", "label"), READ)
def test_a_label_is_read_in_many_forms(text: str, task: TaskSettings, label: object) -> None:
    status, parsed, _ = parse_verdict(text, task)
    assert (status, parsed) == ("ok", label)
    assert type(parsed) is type(label)


@pytest.mark.parametrize(("text", "task"), NOT_READ)
def test_nothing_else_becomes_a_label(text: str, task: TaskSettings) -> None:
    status, label, why = parse_verdict(text, task)
    assert (status, label) == ("unparseable", None)
    assert why
    assert "\n" not in why
    assert len(why) < 250


def test_the_reason_comes_along() -> None:
    assert parse_verdict('{"reason": "too much noise", "label": 2}', RATING)[2] == "too much noise"
    assert parse_verdict('{"reason": 7, "label": 2}', RATING)[2] == ""


def test_categories_that_differ_in_case_alone_are_read_exactly() -> None:
    task = TaskSettings(kind="categorical", labels=("a", "A", "b"))
    assert parse_verdict('{"label": "A"}', task)[1] == "A"
    assert parse_verdict('{"label": "a"}', task)[1] == "a"
    assert parse_verdict('{"label": "(a)"}', task)[1] is None
    assert parse_verdict('{"label": "B"}', task)[1] == "b"


TASKS = st.one_of(
    st.tuples(st.integers(-50, 50), st.integers(1, 300)).map(lambda r: TaskSettings(min=r[0], max=r[0] + r[1])),
    st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True).map(
        lambda labels: TaskSettings(kind="categorical", labels=tuple(labels))
    ),
)


@given(TASKS, st.data(), st.text())
def test_every_label_comes_back_from_a_verdict_as_it_is_asked_for(task: TaskSettings, data: Any, reason: str) -> None:
    label = data.draw(st.sampled_from(task.values))
    status, parsed, why = parse_verdict(json.dumps({"reason": reason, "label": label}), task)
    if isinstance(label, str) and label != label.strip():
        assert parsed in (label, None, *task.values)
    else:
        assert (status, parsed) == ("ok", label)
    assert why == clean_text(reason) or status != "ok"


@given(TASKS, st.text() | st.text(alphabet='{}[]":,/ \n0123456789labelRtingsfun<think>*', max_size=200))
def test_any_text_gives_a_label_of_the_task_or_none(task: TaskSettings, text: str) -> None:
    status, label, _ = parse_verdict(text, task)
    assert (status == "ok") == (label is not None)
    assert label is None or label in task.values


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=4))
def test_any_json_value_gives_a_label_of_the_task_or_none(value: Any) -> None:
    label = parse_verdict(json.dumps({"label": value}), RATING)[1]
    if isinstance(value, float | int) and not isinstance(value, bool):
        assert label == (value if value in (1, 2, 3, 4, 5) else None)


@pytest.mark.parametrize(
    "text", ["{" * 30_000, '{"a":[' * 9_000, "rating" + "*" * 30_000, "<think>" * 5_000, "rating:" * 4_000]
)
def test_hostile_texts_cost_little(text: str) -> None:
    assert parse_verdict(text, RATING)[0] == "unparseable"
    assert parse_verdict(text, RANKING)[0] == "unparseable"


@given(st.permutations(range(1, 9)), st.sampled_from([json.dumps, lambda places: " > ".join(map(str, places))]))
def test_every_permutation_comes_back(places: list[int], write: Any) -> None:
    scale = TaskSettings(kind="ranking", best="lowest").scale_of(8)
    status, label, _ = parse_verdict(json.dumps({"reason": "x", "label": json.loads(json.dumps(places))}), scale)
    assert (status, label) == ("ok", ">".join(map(str, places)))
    assert parse_verdict(write(places), scale)[1] == label


@given(st.text(alphabet='{}[]":,>= 0123456789imagelbthen#*', max_size=60))
def test_any_text_is_a_whole_permutation_or_none(text: str) -> None:
    label = parse_verdict(text, RANKING)[1]
    assert label is None or sorted(str(label).split(">")) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ('{"reason": "x", "label": [2, 1, 3]}', True),
        ('{"reason": "x", "label": [2, 1, 1]}', True),  # a schema can't ask for different numbers
        ('{"reason": "x", "label": [2, 1]}', False),
        ('{"reason": "x", "label": [2, 1, 4]}', False),
        ('{"reason": "x", "label": [2, 1, true]}', False),
        ('{"reason": "x", "label": "2>1>3"}', False),
        ("[2, 1, 3]", False),
    ],
)
def test_obedience_to_the_schema_of_a_ranking(text: str, keeps: bool) -> None:
    assert obeys(text, verdict_schema(RANKING)) is keeps


def test_what_is_asked_for() -> None:
    assert label_form(RATING) == "an integer from 1 to 5"
    assert label_form(MATCH) == 'one of "match", "no match", "Partly a match"'
    assert list(verdict_schema(RATING)["properties"]) == ["reason", "label"]
    assert verdict_schema(RATING)["properties"]["label"] == {"type": "integer", "enum": [1, 2, 3, 4, 5]}
    assert verdict_schema(TaskSettings(min=0, max=1000))["properties"]["label"]["maximum"] == 1000
    assert verdict_schema(SAFETY)["properties"]["label"]["enum"] == ["safe", "unsafe"]
    assert verdict_schema(SAFETY)["additionalProperties"] is False
    assert label_form(RANKING) == "an array of all image numbers from 1 to 3, each once, best image first"
    array = {"type": "array", "items": {"type": "integer", "enum": [1, 2, 3]}, "minItems": 3, "maxItems": 3}
    assert verdict_schema(RANKING)["properties"]["label"] == array
