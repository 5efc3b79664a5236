"""How the embedded optimizer says one thing in several ways: other words for a prompt, and part of an edit."""

import re
from dataclasses import replace
from random import Random

from blpo.models.embedded.rubric import Bound, Rule, edit, parse

SHIFT = 10.0
"""How far other words for a bound may be from it: half a level."""

_VERSION = re.compile(r"version (\d+) of \d+")


def paraphrase(prompt: str, random: Random) -> str:
    """Return the prompt with its criteria in other words; words are coarse, so that bounds shift by up to `SHIFT`."""
    rules = [sentence for sentence in parse(prompt) if isinstance(sentence, Rule)]
    return edit(prompt, [], [_reworded(rule, random.choice((-SHIFT, 0.0, SHIFT))) for rule in rules])


def version(task: str) -> int:
    """Return which version the task asks for after its last critique, from 1."""
    asked = _VERSION.findall(task.rpartition("</critique>")[2])
    return int(asked[-1]) if asked else 1


def part(critique: str, random: Random) -> str:
    """Return some of a critique's lines: about half of them."""
    return "\n".join(line for line in critique.splitlines() if random.random() < 0.5)


def _reworded(rule: Rule, shift: float) -> Rule:
    opposite = None if rule.opposite is None else _shifted(rule.opposite, shift)
    return replace(rule, bound=_shifted(rule.bound, shift), opposite=opposite)


def _shifted(bound: Bound, shift: float) -> Bound:
    return replace(bound, at=min(95.0, max(5.0, bound.at + shift)))
