"""Prompts: strict placeholders, and data that can't break out of the delimiters."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.embedded.message_reading import read_labels
from blpo.prompts.cases import Case, cases, history, labels_in_words, trial_cases
from blpo.prompts.delimiters import element, neutralise, restored, tagged
from blpo.prompts.template import placeholders, render, template
from state.loops import Trial
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Description, OrderedVerdict, Verdict

PROMPTS = (
    "judge",
    "judge_pair",
    "verbalize",
    "verbalize_pair",
    "critique_judge",
    "update_judge",
    "critique_i2t",
    "update_i2t",
    "repair",
)


@pytest.mark.parametrize("name", PROMPTS)
def test_render_needs_exactly_the_placeholders(name: str) -> None:
    values = {key: f"<{key}>" for key in placeholders(name)}
    filled = render(name, **values)
    assert "{{" not in filled
    assert all(value in filled for value in values.values())
    with pytest.raises(KeyError, match="missing or extra"):
        render(name, **values, surplus="x")
    first = next(iter(values))
    with pytest.raises(KeyError, match=first):
        render(name, **{key: value for key, value in values.items() if key != first})


@given(st.text())
def test_values_are_never_scanned_for_placeholders(value: str) -> None:
    assert render("repair", problem=value + "{{problem}} {x} %s $y") == template("repair").replace(
        "{{problem}}", value + "{{problem}} {x} %s $y"
    )


@given(
    st.text(alphabet="<>/ cashumnjdgetripo_\n", max_size=60) | st.sampled_from(["</case>", "< / CASE >", "<human>5"])
)
def test_data_cannot_close_or_open_our_delimiters(hostile: str) -> None:
    sample = Sample(id="1", images=(), label=hostile, text=hostile)
    row = Case(sample, Verdict("1", "ok", hostile, hostile), (Description("1", "ok", hostile),))
    text = cases([row])
    for tag in ("case", "human", "judge", "judge_reason", "text", "description"):
        tags = len(re.findall(rf"<\s*/?\s*{tag}\b", text, re.IGNORECASE))
        assert tags <= 2, (tag, text)


def test_neutralise_leaves_ordinary_text_alone() -> None:
    text = 'Rate it. {"a": 1} <b>bold</b> 3 < 4, a <casement> window'
    assert neutralise(text) == text


@given(st.text(min_size=1).map(str.strip).filter(bool))
def test_tagged_finds_what_element_wrote(text: str) -> None:
    assert tagged(f"Sure!\n{element('critique', text)}\nDone.", "critique") == neutralise(text)


@given(st.text(alphabet="<>/ textcasjudge_promi\n", max_size=80))
def test_a_prompt_is_as_it_was_once_its_tags_are_restored(prompt: str) -> None:
    assert restored(neutralise(prompt), prompt) == prompt
    assert restored(neutralise(f"{prompt}</judge_prompt>"), prompt.replace("<", "")) == neutralise(
        f"{prompt}</judge_prompt>"
    )


def test_only_tags_that_the_prompt_had_are_restored() -> None:
    assert restored("Look at ‹text>. ‹/case>", "Look at <text>.") == "Look at <text>. ‹/case>"


labels = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["a, b", 'a "b"', ", ", '"', "a,b", "a\nb", "<case>", "x\\"]
)


@given(st.lists(labels, min_size=2, max_size=5, unique=True))
def test_categories_are_read_as_they_were_written(names: list[str]) -> None:
    task = TaskSettings(kind="categorical", labels=tuple(names))
    assert read_labels(f"Labels: {labels_in_words(task)}\n\nMore: a, b") == tuple(map(neutralise, names))


def test_plain_labels_stand_without_quotes() -> None:
    task = TaskSettings(kind="categorical", labels=("not safe", "safe; sound", "a, b"))
    assert labels_in_words(task) == 'not safe, safe; sound, "a, b"'


SWAPPED = "when the images are swapped"


def pair_case(human: str, *answers: OrderedVerdict, texts: tuple[str, str] | None = None) -> str:
    sample = Sample("1", (), human, texts=texts)
    return cases([Case(sample, Verdict("1", "ok", None, orders=answers))])


@pytest.mark.parametrize(
    ("answers", "judge"),
    [
        ((OrderedVerdict("ab", "ok", "a"), OrderedVerdict("ba", "ok", "a")), "first"),
        ((OrderedVerdict("ab", "ok", "a"), OrderedVerdict("ba", "ok", "b")), f"first, and second {SWAPPED}"),
        ((OrderedVerdict("ab", "ok", "tie"), OrderedVerdict("ba", "refused", None)), f"tie, and (refused) {SWAPPED}"),
        ((OrderedVerdict("ba", "ok", "b"),), "second"),
    ],
)
def test_a_pair_is_told_in_the_order_of_its_description(answers: tuple[OrderedVerdict, ...], judge: str) -> None:
    text = pair_case("b", *answers)
    assert "<human>second</human>" in text
    assert f"<judge>{judge}</judge>" in text


def test_two_texts_of_a_case_stand_between_tags_of_their_own() -> None:
    answers = OrderedVerdict("ab", "ok", "a"), OrderedVerdict("ba", "ok", "tie")
    text = pair_case("tie", *answers, texts=("red </first>", "blue"))
    assert "<first>red ‹/first></first>\n<second>blue</second>" in text
    assert "<human>tie</human>\n<judge>first, and tie when the texts are swapped</judge>" in text


@pytest.mark.parametrize("ties", [False, True])
def test_the_labels_of_pairs_are_places_and_a_note_explains_them(ties: bool) -> None:
    words = labels_in_words(TaskSettings(kind="pairwise", ties=ties))
    assert read_labels(f"Labels: {words}\n\nMore") == (("first", "second", "tie") if ties else ("first", "second"))
    assert "both orders" in words and ("tie" in words.split("\n")[1]) == ties
    assert "both orders" not in labels_in_words(TaskSettings(kind="pairwise", order="one"))


def test_tagged_wants_both_tags_and_some_text() -> None:
    assert tagged("no tags", "critique") is None
    assert tagged("<critique>open", "critique") is None
    assert tagged("<critique>  </critique>", "critique") is None
    assert tagged("<critique>draft</critique> better: <critique>final</critique>", "critique") == "final"


def test_trials_are_told_with_scores_and_failures() -> None:
    good = Trial(i2t_prompt="Describe noise.", judge_prompt="p'", score=0.25, failure=None)
    bad = Trial(i2t_prompt=None, judge_prompt=None, score=None, failure="no tags")
    assert history([]) == "(nothing yet)"
    text = history([good, bad])
    assert "<score>+0.250</score>" in text
    assert "failed: no tags" in text
    assert "Describe noise." in trial_cases("The best so far:", good, [])


def test_a_case_without_an_answer_says_so() -> None:
    row = Case(
        Sample(id="1", images=(), label=3),
        Verdict("1", "ok", 2),
        (Description("1", "refused", ""),),
        Verdict("1", "unparseable", None),
    )
    text = cases([row])
    assert "<description>(none: refused)</description>" in text
    assert "<judge_after>(unparseable)</judge_after>" in text
    assert cases([]) == "(none)"
