"""How the embedded optimizer writes a judge prompt when it is told nothing but how earlier ones scored.

It takes a good one, turns round what prompts with low scores hold, takes over what others with high scores hold, and
supposes something new. Whether a criterion did good is the mean score of the prompts that hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from statistics import mean

from blpo.models.embedded.guessing import MOST_SUPPOSED, supposed
from blpo.models.embedded.judging import Labels
from blpo.models.embedded.rubric import STRENGTHS, Rule, Sentence, Start, edit, parse, subject

BEST = 3
"""From how many of the best prompts one is chosen to start from."""
_STRENGTHS = sorted(STRENGTHS.values())


@dataclass(frozen=True, slots=True)
class Tried:
    """A judge prompt and its score, higher is better."""

    prompt: str
    score: float


def recombine(tried: Sequence[Tried], people: Sequence[str], labels: Labels, random: Random) -> str:
    """Return a new prompt; `people` are labels that people gave. Empty where nothing was tried."""
    if not tried:
        return ""
    ranked = sorted(tried, key=lambda each: -each.score)
    base = random.choice(ranked[:BEST])
    own = [sentence for sentence in parse(base.prompt) if isinstance(sentence, Rule)]
    others = [s for each in ranked for s in parse(each.prompt) if isinstance(s, Rule)]
    known = {subject(rule) for rule in own}
    put: list[Sentence] = [rule for rule in others if subject(rule) not in known and _takes(rule, tried, random)]
    put += [changed for rule in own if (changed := _changed(rule, tried, random)) != rule]
    seen = {rule.attribute for rule in others}
    put += supposed(seen, labels, random, random.randint(1, MOST_SUPPOSED))
    start = _start(base.prompt, people, labels, random)
    return edit(base.prompt, [], put if start is None else [*put, start])


def _takes(rule: Rule, tried: Sequence[Tried], random: Random) -> bool:
    return _worth(rule, tried) > 0 and random.random() < 0.5


def _changed(rule: Rule, tried: Sequence[Tried], random: Random) -> Rule:
    """The rule turned round where it did harm, and now and then a step stronger or weaker."""
    if _worth(rule, tried) < 0 and random.random() < 0.5:
        return _turned(rule)
    if random.random() < 0.25:
        strength = random.choice(_STRENGTHS)
        return replace(rule, weight=strength if rule.weight > 0 else -strength)
    return rule


def _worth(rule: Rule, tried: Sequence[Tried]) -> float:
    """The mean score of the prompts with such a rule, less that of all."""
    with_it = [each.score for each in tried if any(_alike(rule, other) for other in parse(each.prompt))]
    return mean(with_it) - mean(each.score for each in tried) if with_it else 0.0


def _alike(rule: Rule, other: Sentence) -> bool:
    return isinstance(other, Rule) and subject(rule) == subject(other) and _rises(rule) == _rises(other)


def _rises(rule: Rule) -> bool:
    return (rule.weight > 0) == rule.bound.above


def _turned(rule: Rule) -> Rule:
    if rule.label is None or rule.opposite is None:
        return replace(rule, weight=-rule.weight) if rule.label is None else rule
    return replace(rule, bound=rule.opposite, opposite=rule.bound)


def _start(prompt: str, people: Sequence[str], labels: Labels, random: Random) -> Start | None:
    """Another rating to start from: that of the prompt, or what people said on average, give or take."""
    if not isinstance(labels, range) or random.random() < 0.5:
        return None
    step = (labels[-1] - labels[0]) / 4
    stated = [s.value for s in parse(prompt) if isinstance(s, Start)]
    ratings = [float(label) for label in people if label.lstrip("-").isdecimal()]
    middle = stated[0] if stated else mean(ratings) if ratings else (labels[0] + labels[-1]) / 2
    value = middle + random.choice((-0.5, 0.0, 0.5)) * step
    return Start(None, round(min(max(value, labels[0]), labels[-1]), 2))
