"""What the embedded optimizer makes of small samples: how far it believes them, and that nothing breaks it."""

import time
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from models.embedded.advice import NOTHING, criticise, rewrite
from models.embedded.asking import criticise_descriptions, next_question
from models.embedded.findings import find_changes
from models.embedded.judging import Labels, decide, leaning_under, rating_under
from models.embedded.optimizer import EmbeddedOptimizer
from models.embedded.reading import ShownCase, read_labels
from models.embedded.rubric import Rule, Start, parse
from models.embedded.vocabulary import ATTRIBUTES, mentioned
from prompts.template import render, tagged

NAMES = ("noise", "contrast", "warmth", "symmetry", "blur", "sharpness")
RATINGS = range(1, 6)


def cases(effect: float, labels: Labels, seed: int, count: int = 20, prompt: str = "Look.") -> list[ShownCase]:
    """Cases whose label follows noise by a correlation of about `effect`; all else is chance."""
    rng = np.random.default_rng(seed)
    shown = []
    for _ in range(count):
        values = {name: round(float(rng.uniform(0, 100))) for name in NAMES}
        score = effect * (values["noise"] - 50) / 29 + (1 - effect**2) ** 0.5 * rng.normal()
        place = min(max((score + 2) / 4, 0.0), 0.999)
        human = str(labels[int(place * len(labels))])
        shown.append(ShownCase(human, str(decide(prompt, labels, values)[0]), values))
    return shown


def weight(prompt: str, name: str = "noise") -> float:
    """How much a prompt's rating rises with an attribute, in degrees of strength."""
    return sum(
        rule.weight * (1 if rule.bound.above else -1)
        for rule in parse(prompt)
        if isinstance(rule, Rule) and rule.attribute == name
    )


def learned(shown: list[ShownCase], labels: Labels, prompt: str = "Look.") -> str:
    return rewrite(prompt, criticise(prompt, shown, labels), 6000)


def test_a_clear_cause_is_believed_more_than_a_faint_one_and_chance_hardly_at_all() -> None:
    clear, faint, chance = (
        float(np.mean([abs(weight(learned(cases(effect, RATINGS, seed), RATINGS))) for seed in range(30)]))
        for effect in (0.95, 0.5, 0.0)
    )
    assert clear > 1.5 * faint > 3 * chance


def test_later_batches_add_to_what_earlier_ones_taught() -> None:
    errors = np.zeros(5)
    for seed in range(15):
        prompt, fresh = "Look.", cases(0.6, RATINGS, 1000 + seed, 100)
        for batch in range(5):
            given = [abs(int(c.human) - rating_under(parse(prompt), RATINGS, c.values)) for c in fresh]
            errors[batch] += np.mean(given)
            prompt = learned(cases(0.6, RATINGS, 10 * seed + batch, prompt=prompt), RATINGS, prompt)
    assert errors[4] < errors[1] < errors[0]


def test_a_harmful_rule_is_weakened_and_then_left_out() -> None:
    prompt = "Look.\n\n- Raise the rating when noise is high or above and lower it when it is low or below."
    for batch in range(4):
        prompt = learned(cases(-0.9, RATINGS, batch, prompt=prompt), RATINGS, prompt)
    assert weight(prompt) < 0


@pytest.mark.parametrize("labels", [("low", "high"), ("a", "b", "c"), ("no, never", 'say "yes"')])
def test_categories_of_any_name_are_told_apart(labels: tuple[str, ...]) -> None:
    prompt = learned(cases(0.95, labels, 1, 40), labels)
    fresh = [case for case in cases(0.95, labels, 2, 200) if abs(case.values["noise"] - 50) > 30]
    right = [
        max(labels, key=lambda each: leaning_under(parse(prompt), each, case.values)) == case.human for case in fresh
    ]
    assert np.mean(right) > 0.75


def test_a_critique_carries_its_evidence_and_the_sentence_that_follows() -> None:
    shown = cases(-0.98, RATINGS, 3)
    critique = criticise("Look.", shown, RATINGS)
    assert critique.startswith("Of 20 cases ")
    line = next(line for line in critique.splitlines() if line.startswith("- Noise averages "))
    assert " cases where people rate above " in line
    assert "Lower the rating" in line
    assert all(sentence in parse(learned(shown, RATINGS)) for sentence in parse(line))


def test_with_nothing_to_learn_it_says_so_and_changes_nothing() -> None:
    blank = [ShownCase("2", "4", {}) for _ in range(20)]
    assert criticise("Look.", blank, RATINGS) == NOTHING
    assert rewrite("Look.\n\nAt it.", NOTHING, 6000) == "Look.\n\nAt it."
    assert find_changes(cases(0.9, RATINGS, 1)[:5], [], RATINGS) == []
    assert find_changes([], [], ()) == []


def test_a_prompt_keeps_to_its_length_by_giving_up_the_weakest_rules() -> None:
    critique = "\n".join(
        (
            "Add: Lower the rating strongly when noise is high or above.",
            "Add: Raise the rating slightly when warmth is high.",
        )
    )
    assert rewrite("Look.", critique, 80) == "Look.\n\n- Lower the rating strongly when noise is high or above."
    assert rewrite("A prompt that is too long as it is.", critique, 10) == "A prompt that is too long as it is."


def test_each_reply_of_no_use_is_followed_by_a_shorter_one() -> None:
    critique = criticise("Look.", cases(0.9, RATINGS, 4), RATINGS)
    task = render(
        "update_judge",
        labels="integers from 1 (lowest) to 5 (highest)",
        judge_prompt="Look.",
        critique=critique,
        max_prompt_tokens="90",
    )
    first = EmbeddedOptimizer().answer([HumanMessage(task)])
    repair = render("repair", problem="it has about 95 tokens, and 90 are allowed")
    second = EmbeddedOptimizer().answer([HumanMessage(task), AIMessage(first), HumanMessage(repair)])
    shorter = tagged(second, "judge_prompt")
    assert shorter is not None
    assert len(shorter) <= 0.7 * 360 < len(tagged(first, "judge_prompt") or "")


def test_labels_with_commas_are_read_from_what_people_gave() -> None:
    shown = [ShownCase(label, "yes", {}) for label in ("no, never", "yes")]
    assert read_labels("Labels: no, never, yes", shown) == ("no, never", "yes")
    assert read_labels("Labels: yes, no", shown[1:]) == ("yes", "no")
    assert read_labels("Labels: integers from 0 (lowest) to 9 (highest)", []) == range(10)


@given(st.integers(0, 10_000), st.lists(st.sampled_from(ATTRIBUTES), max_size=6), st.integers(1, 400))
def test_an_i2t_prompt_is_new_short_and_asks_for_at_most_six_attributes(
    seed: int, kept: list[object], room: int
) -> None:
    critique = f"Keep asking for: {', '.join(str(getattr(a, 'name', a)) for a in kept)}."
    history: list[str] = ["Describe the image."]
    for _ in range(8):
        question = next_question(history, critique, 4 * room, Random(seed))
        assert 1 <= len(mentioned(question)) <= 6
        assert room < 60 or question not in history
        history.append(question)


def test_all_attributes_get_their_turn_unless_the_judge_prompt_weighs_them() -> None:
    history: list[str] = []
    critique = "The judge prompt weighs already: noise, blur."
    for seed in range((len(ATTRIBUTES) - 2) // 6):
        history.append(next_question(history, critique, 6000, Random(seed)))
    asked = [name for question in history for name in mentioned(question)]
    assert len(asked) == len(set(asked))
    assert not {"noise", "blur"} & set(asked)


def test_what_separates_the_cases_is_asked_for_again() -> None:
    shown = cases(0.95, ("low", "high"), 5, 30)
    first = [ShownCase(c.human, c.judge, {n: c.values[n] for n in ("noise", "warmth")}) for c in shown]
    last = [ShownCase(c.human, c.judge, {n: c.values[n] for n in ("blur", "symmetry")}) for c in shown]
    critique = criticise_descriptions("Look.", [first, last], ("low", "high"))
    assert critique.startswith("Keep asking for: noise")
    weighed = criticise_descriptions("Lower the rating when warmth is high.", [first], ("low", "high"))
    assert "weighs already: warmth" in weighed


def test_a_call_is_cheap() -> None:
    prompt = "Look."
    for batch in range(4):
        prompt = learned(cases(0.5, RATINGS, batch, prompt=prompt), RATINGS, prompt)
    shown = cases(0.5, RATINGS, 9, prompt=prompt)
    started = time.process_time()
    for _ in range(10):
        criticise(prompt, shown, RATINGS)
    assert (time.process_time() - started) / 10 < 0.1  # about 2 ms; the bound allows for a busy machine


def test_a_start_is_said_where_the_verdicts_lean_to_one_side() -> None:
    shown = [ShownCase("5", "3", case.values) for case in cases(0.0, RATINGS, 6)]
    starts = [s for s in parse(learned(shown, RATINGS)) if isinstance(s, Start)]
    assert len(starts) == 1
    assert starts[0].value > 3
