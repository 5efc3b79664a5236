"""Recombination of judge prompts by the embedded optimizer, for messages with nothing but earlier prompts and scores.

The new prompt begins as a good prompt. Rules that occur in prompts with low scores are reversed, rules of other prompts
with high scores are added, and random rules are added. The worth of a rule is the mean score of the prompts with the
rule, less the mean of all scores. At random, a prompt for pairs gets the sentence about the order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import mean

from blpo.models.embedded.pair_critique import with_order_sentence
from blpo.models.embedded.pair_text import order_sentence
from blpo.models.embedded.random_criteria import MAX_CRITERIA, random_rules
from blpo.models.embedded.rubric import STRENGTHS, RubricStart, Rule, Sentence, subject
from blpo.models.embedded.rubric_text import edit_rubric, parse_rubric
from blpo.models.embedded.rubric_verdict import LabelSet, is_pair

BEST = 3
"""Number of best prompts. The base prompt is drawn from the best prompts."""
_STRENGTHS = sorted(STRENGTHS.values())


@dataclass(frozen=True, slots=True)
class ScoredPrompt:
    """Judge prompt and its score, higher is better."""

    prompt: str
    score: float


def recombine(prompts: Sequence[ScoredPrompt], human_labels: Sequence[str], labels: LabelSet, random: Random) -> str:
    """Return a new prompt; empty without earlier prompts."""
    if not prompts:
        return ""
    ranked = sorted(prompts, key=lambda scored: -scored.score)
    base = random.choice(ranked[:BEST])
    base_rules = [sentence for sentence in parse_rubric(base.prompt) if isinstance(sentence, Rule)]
    all_rules = [s for scored in ranked for s in parse_rubric(scored.prompt) if isinstance(s, Rule)]
    subjects = {subject(rule) for rule in base_rules}
    new: list[Sentence] = [
        rule for rule in all_rules if subject(rule) not in subjects and _is_taken(rule, prompts, random)
    ]
    new += [variant for rule in base_rules if (variant := _variant(rule, prompts, random)) != rule]
    attributes = {rule.attribute for rule in all_rules}
    new += random_rules(attributes, labels, random, random.randint(1, MAX_CRITERIA))
    start = _start(base.prompt, human_labels, labels, random)
    prompt = base.prompt
    if is_pair(labels) and random.random() < 0.5:
        prompt = with_order_sentence(prompt, order_sentence())
    return edit_rubric(prompt, [], new if start is None else [*new, start])


def _is_taken(rule: Rule, prompts: Sequence[ScoredPrompt], random: Random) -> bool:
    return _worth(rule, prompts) > 0 and random.random() < 0.5


def _variant(rule: Rule, prompts: Sequence[ScoredPrompt], random: Random) -> Rule:
    """Return a harmful rule reversed, or any rule with a new strength, at random."""
    if _worth(rule, prompts) < 0 and random.random() < 0.5:
        return _reversed(rule)
    if random.random() < 0.25:
        strength = random.choice(_STRENGTHS)
        return replace(rule, weight=strength if rule.weight > 0 else -strength)
    return rule


def _worth(rule: Rule, prompts: Sequence[ScoredPrompt]) -> float:
    scores = [
        scored.score for scored in prompts if any(_is_alike(rule, other) for other in parse_rubric(scored.prompt))
    ]
    return mean(scores) - mean(scored.score for scored in prompts) if scores else 0.0


def _is_alike(rule: Rule, sentence: Sentence) -> bool:
    return isinstance(sentence, Rule) and subject(rule) == subject(sentence) and _rises(rule) == _rises(sentence)


def _rises(rule: Rule) -> bool:
    return (rule.weight > 0) == rule.bound.above


def _reversed(rule: Rule) -> Rule:
    if rule.label is None or rule.opposite is None:
        return replace(rule, weight=-rule.weight) if rule.label is None else rule
    return replace(rule, bound=rule.opposite, opposite=rule.bound)


def _start(prompt: str, human_labels: Sequence[str], labels: LabelSet, random: Random) -> RubricStart | None:
    """Return a new start near the start of the prompt or near the mean human rating; sometimes None."""
    if not isinstance(labels, range) or random.random() < 0.5:
        return None
    step = (labels[-1] - labels[0]) / 4
    starts = [s.value for s in parse_rubric(prompt) if isinstance(s, RubricStart)]
    ratings = [float(label) for label in human_labels if label.lstrip("-").isdecimal()]
    middle = starts[0] if starts else mean(ratings) if ratings else (labels[0] + labels[-1]) / 2
    value = middle + random.choice((-0.5, 0.0, 0.5)) * step
    return RubricStart(None, round(min(max(value, labels[0]), labels[-1]), 2))
