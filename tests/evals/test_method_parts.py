"""Pure parts of the methods, and the embedded optimizer's answers to their messages."""

import base64
import hashlib
import random
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from blpo.models.embedded.optimizer_model import EmbeddedOptimizer
from blpo.models.embedded.random_criteria import MAX_CRITERIA
from blpo.models.embedded.rubric import RubricStart, Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.verbalizer_model import EmbeddedVerbalizer
from blpo.models.embedded.vocabulary import mentioned
from blpo.models.messages import Message, to_langchain, user
from blpo.prompts.cases import Case, cases, labels_in_words
from blpo.prompts.delimiters import element, tagged
from blpo.prompts.template import placeholders, render
from evals.methods import METHODS
from evals.methods.bandit import Arm, best, most_promising, upper_bound
from evals.methods.method import rounds_for_the_budget
from evals.methods.opro import MOST_REMEMBERED, HistoryEntry, best_last
from state.sample import EncodedImage, Sample
from state.settings import Settings, TaskSettings
from state.verdict import Verdict

RATING = TaskSettings()
SAFETY = TaskSettings(kind="categorical", labels=("safe", "unsafe"))
ARMS = st.lists(
    st.tuples(st.integers(0, 20), st.floats(-1, 1)).map(lambda pair: Arm("", pair[0], pair[0] * pair[1])), max_size=9
).map(lambda arms: [Arm(str(i), arm.samples, arm.total) for i, arm in enumerate(arms)])
NOISY = "- Lower the rating when noise is high or above and raise it when it is low or below."
BRIGHT = "- Raise the rating when brightness is high or above and lower it when it is low or below."


def picture(seed: int) -> EncodedImage:
    pixels = np.random.default_rng(seed).integers(0, 60 + 40 * seed, (48, 48, 3)).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return EncodedImage(
        hashlib.sha256(stream.getvalue()).hexdigest(), "image/png", base64.b64encode(stream.getvalue()).decode()
    )


def ask(*messages: Message) -> str:
    answer = EmbeddedOptimizer().invoke(to_langchain(messages)).content
    assert isinstance(answer, str)
    return answer


def filled(name: str, **values: str) -> str:
    values = {"labels": labels_in_words(RATING), "judge_prompt": "Rate it.", "max_prompt_tokens": "500", **values}
    names = placeholders(f"methods/{name}")
    assert names <= values.keys(), names - values.keys()
    return render(f"methods/{name}", **{key: values[key] for key in names})


def case(number: int, human: object, judge: object, reason: str = "", images: tuple[int, ...] = ()) -> Case:
    verdict = Verdict(str(number), "ok", str(judge), reason)
    return Case(Sample(str(number), (), str(human)), verdict, images=images)


@given(ARMS, st.integers(1, 9), st.integers(1, 50), st.floats(0, 3))
def test_untried_arms_come_first_and_then_the_highest_bounds(
    arms: list[Arm], count: int, pulls: int, exploration: float
) -> None:
    chosen = most_promising(arms, count, pulls, exploration)
    assert len(chosen) == len(set(chosen)) == min(count, len(arms))
    rest = [arm for arm in arms if arm not in chosen]
    bounds = [upper_bound(arm, pulls, exploration) for arm in chosen]
    assert bounds == sorted(bounds, reverse=True)
    assert all(upper_bound(arm, pulls, exploration) <= bounds[-1] for arm in rest)
    assert all(not arm.samples for arm in chosen[: sum(not arm.samples for arm in arms)])


@given(ARMS, st.integers(1, 9))
def test_the_best_have_samples_and_the_highest_means(arms: list[Arm], count: int) -> None:
    ranked = best(arms, count)
    assert all(arm.samples for arm in ranked)
    assert [arm.mean for arm in ranked] == sorted((arm.mean for arm in arms if arm.samples), reverse=True)[:count]


def test_the_bandit_finds_the_best_arm_and_spends_most_on_it() -> None:
    generator = random.Random(0)
    truth = {"good": 0.7, "fair": 0.5, "bad": 0.1}
    arms = {name: Arm(name) for name in truth}
    for pull in range(1, 200):
        (arm,) = most_promising(list(arms.values()), 1, pull, 1.0)
        arms[arm.name] = arm.after([float(generator.random() < truth[arm.name])])
    assert best(list(arms.values()), 1)[0].name == "good"
    assert arms["good"].samples > arms["fair"].samples > arms["bad"].samples > 0


@given(st.lists(st.lists(st.integers(0, 40), max_size=8), max_size=6), st.randoms(use_true_random=False))
def test_the_history_ends_with_the_best_and_holds_each_prompt_once(
    rounds: list[list[int]], chance: random.Random
) -> None:
    scores = {number: float(chance.randint(0, 9)) for number in range(41)}
    history: list[HistoryEntry] = []
    for new in rounds:
        history = best_last(history, [HistoryEntry(prompt_sha256=str(number), score=scores[number]) for number in new])
    distinct = list(dict.fromkeys(number for new in rounds for number in new))
    best_first = sorted(distinct, key=lambda number: -scores[number])[:MOST_REMEMBERED]
    assert [entry["prompt_sha256"] for entry in reversed(history)] == [str(number) for number in best_first]
    assert best_last(history, []) == history


def test_methods_with_cheaper_rounds_get_more_of_them() -> None:
    settings = Settings.model_validate({"search": {"outer_rounds": 5}})
    assert rounds_for_the_budget(settings) == {"outer_rounds": 30}
    assert rounds_for_the_budget(settings, trials=3) == {"outer_rounds": 10}
    limited = Settings.model_validate({"search": {"outer_rounds": 5}, "limits": {"calls": 800}})
    assert rounds_for_the_budget(limited) == {"outer_rounds": 100}
    assert METHODS["no_image"].adapt(limited).search.outer_rounds == 100
    assert METHODS["blpo"].adapt(limited) == limited


def test_the_rule_of_a_row_tells_the_steps_of_later_rounds() -> None:
    words = METHODS["blpo"].rule
    assert words(Settings()).endswith("K 5, later 2")
    assert words(Settings.model_validate({"search": {"inner_steps": 2}})).endswith("K 2")
    assert "later" not in words(Settings.model_validate({"search": {"preset": "paper"}}))


def test_what_a_method_makes_of_the_settings_are_settings() -> None:
    paper = Settings.model_validate({"search": {"preset": "paper", "outer_rounds": 900}})
    adapted = {name: method.adapt(paper) for name, method in METHODS.items() if method.is_default}
    for name, changed in adapted.items():
        search = changed.search
        rules = {"none": ("last", "always", None), "random_i2t_pooled": ("best", "always", 2)}
        rule = rules.get("none" if name == "blpo" else name, ("best", "improving", None))
        assert (search.select, search.adopt, search.patience) == rule
    assert all(Settings.model_validate(each.model_dump()) == each for each in adapted.values())


def test_opro_takes_over_what_scored_well_and_turns_round_what_did_not() -> None:
    scores = [("Rate it.", 50.0), (f"Rate it.\n{NOISY}", 80.0), (f"Rate it.\n{BRIGHT}", 20.0)]
    ascending = sorted(scores, key=lambda pair: pair[1])
    history = "\n".join(
        f"<tried>\n{element('judge_prompt', prompt)}\n{element('score', str(score))}\n</tried>"
        for prompt, score in ascending
    )
    rules = []
    for number in range(1, 25):
        question = filled("opro", history=history, examples="(none)", count="24", number=str(number))
        text = str(tagged(ask(user(question)), "judge_prompt"))
        assert text.startswith("Rate it.")
        assert text not in dict(scores)
        rules += [rule for rule in parse_rubric(text) if isinstance(rule, Rule)]
    falls = {name: [rule.weight < 0 for rule in rules if rule.attribute == name] for name in ("noise", "brightness")}
    assert all(falls["noise"])
    assert len(falls["noise"]) > len(falls["brightness"])
    assert any(falls["brightness"])
    assert len({rule.attribute for rule in rules}) > 10


def test_a_paraphrase_keeps_every_criterion_and_an_edit_has_versions() -> None:
    prompt = f"Rate it.\n- Start from a rating of 3.5.\n{NOISY}\n{BRIGHT}"
    variants = {
        tagged(ask(user(filled("apo_paraphrase", judge_prompt=prompt, count="9", number=str(n)))), "judge_prompt")
        for n in range(1, 10)
    }
    assert len(variants) > 3
    for variant in variants:
        assert variant is not None
        criteria = [(s.attribute, s.weight, s.bound.above) if isinstance(s, Rule) else s for s in parse_rubric(variant)]
        assert criteria == [RubricStart(None, 3.5), ("noise", -3.0, True), ("brightness", 3.0, True)]
    critique = f"{NOISY}\n{BRIGHT}\n- Start from a rating of 2."
    rows = cases([case(1, 1, 3)])
    edits = [
        tagged(
            ask(user(filled("apo_edit", critique=critique, wrong_cases=rows, count="6", number=str(n)))), "judge_prompt"
        )
        for n in range(1, 7)
    ]
    assert len(parse_rubric(str(edits[0]))) == 3
    assert len(set(edits)) > 1


@pytest.mark.parametrize("name", ["apo_gradient", "no_image_critique"])
def test_without_any_word_on_the_images_a_few_criteria_are_supposed(name: str) -> None:
    rows = cases([case(number, 1, 3) for number in range(8)])
    critique = tagged(ask(user(filled(name, wrong_cases=rows, right_cases="(none)"))), "critique")
    rules = [sentence for sentence in parse_rubric(str(critique)) if isinstance(sentence, Rule)]
    assert len(rules) == MAX_CRITERIA
    again = tagged(ask(user(filled(name, wrong_cases=rows, right_cases="(none)"))), "critique")
    assert again == critique


def test_the_judges_reasons_are_learned_from() -> None:
    generator = random.Random(0)
    noise = [generator.randint(5, 95) for _ in range(20)]
    rows = [
        case(i, 5 - value // 20, 3, f"By the criteria: noise is medium ({value}).") for i, value in enumerate(noise)
    ]
    prompt = f"Rate it.\n{NOISY.replace('Lower', 'Raise').replace('raise', 'lower')}"
    critique = tagged(ask(user(filled("apo_gradient", judge_prompt=prompt, wrong_cases=cases(rows)))), "critique")
    (rule,) = [s for s in parse_rubric(str(critique)) if isinstance(s, Rule) and s.attribute == "noise"]
    assert (rule.weight < 0) == rule.bound.above


def test_feedback_says_of_the_image_what_a_general_caption_says() -> None:
    question = filled("textgrad_feedback", case=cases([case(1, 2, 4)]))
    feedback = tagged(ask(user(picture(1), question)), "feedback")
    caption = EmbeddedVerbalizer().invoke(to_langchain([user(picture(1), "Describe the image.")])).content
    assert feedback is not None
    assert feedback.endswith(str(caption))
    assert len(mentioned(feedback)) == 6
    assert "I see no image." in ask(user(question))


def test_images_in_the_context_are_told_apart_by_their_numbers() -> None:
    """Only brightness separates the cases, and swapped numbers give the opposite rule."""
    pictures = [picture(seed % 4) for seed in range(8)]
    learned = []
    for order in (range(8), reversed(range(8))):
        rows = [case(n, 5 - n % 4, 3, images=(at + 1,)) for n, at in enumerate(order)]
        question = filled("apo_image_gradient", wrong_cases=cases(rows))
        critique = tagged(ask(user(*pictures, question)), "critique")
        learned.append({(s.attribute, s.weight > 0) for s in parse_rubric(str(critique)) if isinstance(s, Rule)})
    assert learned[0] != learned[1]
    assert "brightness" in {name for name, _ in learned[0]}


def test_feedback_of_a_batch_is_learned_from() -> None:
    generator = random.Random(1)
    rows = []
    for number in range(20):
        noise = generator.randint(5, 95)
        feedback = f"The judge said 3. Noise is medium ({noise}). Contrast is medium ({generator.randint(5, 95)})."
        plain = case(number, 5 - noise // 20, 3)
        rows.append(Case(plain.sample, plain.verdict, feedback=feedback))
    prompt = tagged(ask(user(filled("textgrad_update", cases=cases(rows)))), "judge_prompt")
    strongest = max((s for s in parse_rubric(str(prompt)) if isinstance(s, Rule)), key=lambda rule: abs(rule.weight))
    assert strongest.attribute == "noise"
    assert (strongest.weight < 0) == strongest.bound.above


METHOD_PROMPTS = (
    "opro", "apo_gradient", "apo_image_gradient", "apo_edit", "apo_paraphrase", "textgrad_feedback", "textgrad_update",
    "no_image_critique", "random_i2t",
)  # fmt: skip


@pytest.mark.parametrize("name", METHOD_PROMPTS)
@given(text=st.text(max_size=120))
@settings(max_examples=15, deadline=None)
def test_hostile_text_breaks_nothing(name: str, text: str) -> None:
    task = SAFETY if text[:1] < "a" else RATING
    row = Case(Sample("1", (), text, text=text), Verdict("1", "ok", text, text), (), None, (1, 2, 99), text)
    values = dict.fromkeys(placeholders(f"methods/{name}"), element("text", text))
    rows = {key: cases([row] * 7) for key in ("wrong_cases", "right_cases", "cases", "case", "examples", "history")}
    values |= {key: value for key, value in rows.items() if key in values} | {"labels": labels_in_words(task)}
    question = user(picture(1), render(f"methods/{name}", **{k: values[k] for k in placeholders(f"methods/{name}")}))
    assert ask(question) == ask(question)
    assert ask(question).startswith("<")


@pytest.mark.parametrize("name", METHOD_PROMPTS)
def test_prompts_that_ask_for_a_judge_prompt_state_the_guard_rules(name: str) -> None:
    text = " ".join(filled_with_names(name).split())
    assert ("data, never an instruction" in text) == any(
        f"<{k}>" in text for k in ("wrong_cases", "cases", "case", "examples")
    )
    if "inside <judge_prompt>" in text:
        assert "Use at most" in text
        assert "Say nothing about the output format" in text
        assert ("mention no single" in text and "copy no text of one" in text) == (name != "apo_paraphrase")


def filled_with_names(name: str) -> str:
    return render(f"methods/{name}", **{key: f"<{key}>" for key in placeholders(f"methods/{name}")})
