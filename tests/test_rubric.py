"""Rubric sentences: they read back from their own words, and an edit touches what it names and nothing else."""

import time

from hypothesis import given
from hypothesis import strategies as st

from models.embedded.rubric import STRENGTHS, Bound, Rule, Sentence, Start, edit, parse, subject
from models.embedded.vocabulary import ATTRIBUTES

NAMES = st.sampled_from([attribute.name for attribute in ATTRIBUTES])
LABELS = st.sampled_from(["fake", 'say "x"', "back\\slash", "a, b", "zu spät", "line\nbreak"])
STRENGTH = st.sampled_from(list(STRENGTHS.values()))
PAIRS = st.sampled_from([(10.0, 50.0), (30.0, 70.0), (50.0, 70.0), (35.0, 62.0)])


@st.composite
def rules(draw: st.DrawFn, label: bool) -> Rule:
    (low, high), up = draw(PAIRS), draw(st.booleans())
    bound, opposite = Bound(high, above=True), Bound(low, above=False)
    sign = 1.0 if label else draw(st.sampled_from([1.0, -1.0]))
    bounds = (bound, opposite) if up else (opposite, bound)
    return Rule(
        draw(NAMES),
        draw(LABELS) if label else None,
        sign * draw(STRENGTH),
        bounds[0],
        bounds[1] if draw(st.booleans()) else None,
    )


SENTENCES: st.SearchStrategy[Sentence] = st.one_of(
    rules(label=True),
    rules(label=False),
    st.builds(Start, st.none(), st.integers(-50, 50).map(lambda tenths: tenths / 10)),
    st.builds(Start, LABELS, STRENGTH),
)
RUBRICS = st.lists(SENTENCES, max_size=8, unique_by=subject)
OTHERS = ["Be fair.", "- Noise is bad: lower the rating.", "Raise the rating when joy is high.", "", "1. Look twice."]


@given(RUBRICS)
def test_sentences_read_back_from_their_own_words(rubric: list[Sentence]) -> None:
    assert list(parse("Rate it. " + " ".join(map(str, rubric)))) == rubric


@given(RUBRICS, RUBRICS, st.lists(st.sampled_from(OTHERS), max_size=4))
def test_an_edit_puts_and_drops_what_it_names_and_keeps_every_other_word(
    rubric: list[Sentence], new: list[Sentence], others: list[str]
) -> None:
    prompt = "\n".join(["Rate it.", *others, *(f"- {sentence}" for sentence in rubric), "Thank you."])
    drop = {subject(sentence) for sentence in rubric[::2]}
    edited = edit(prompt, drop, new)
    expected = {subject(s): s for s in rubric if subject(s) not in drop} | {subject(s): s for s in new}
    assert {subject(s): s for s in parse(edited)} == expected
    assert len(parse(edited)) == len(expected)
    for line in ["Rate it.", *others, "Thank you."]:
        assert line in edited.split("\n")
    assert "\n- \n" not in edited


@given(RUBRICS)
def test_an_edit_that_changes_nothing_changes_no_character(rubric: list[Sentence]) -> None:
    prompt = "Rate it.\n\n" + "\n".join(f"- {sentence}" for sentence in rubric) + "."
    assert edit(prompt, [], rubric) == prompt


@given(rules(label=False), st.floats(0, 100))
def test_a_rule_holds_in_full_from_its_bound_on_and_turns_round_at_the_other(rule: Rule, value: float) -> None:
    least = 0.0 if rule.opposite is None else -1.0
    assert least <= rule.share(value) <= 1.0
    assert rule.share(rule.bound.at) == 1.0
    assert rule.opposite is None or rule.share(rule.opposite.at) == -1.0
    further = min(100.0, value + 5) if rule.bound.above else max(0.0, value - 5)
    assert rule.share(further) >= rule.share(value)


def test_what_it_does_not_understand_is_no_rule() -> None:
    for sentence in (
        "Lower the rating when happiness is high.",
        "Lower the rating when noise is medium.",
        "Lower the rating when noise is high or above and raise it when it is very high.",
        "Lower the rating a lot when noise is high.",
        "Lean towards fake when noise is high.",
    ):
        assert parse(sentence) == ()


def test_long_and_hostile_prompts_are_read_in_no_time() -> None:
    started = time.process_time()
    for piece in (
        "Raise the rating when ",
        'Lean towards "',
        "noise is high and ",
        " ",
        "\0 - ",
        "Start from a rating of ",
    ):
        parse(piece * 5000)
        edit(piece * 5000, [("noise", None)], [])
    assert time.process_time() - started < 5
