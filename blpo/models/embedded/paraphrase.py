"""Variation of prompts by the embedded optimizer: other words for a prompt, and part of an edit."""

import re
from dataclasses import replace
from random import Random

from blpo.models.embedded.rubric import Bound, Rule
from blpo.models.embedded.rubric_text import edit_rubric, parse_rubric

SHIFT = 10.0
"""Maximum shift of a bound by other words: half a level."""

_VERSION = re.compile(r"version (\d+) of \d+")


def paraphrase(prompt: str, random: Random) -> str:
    """Return the prompt with its criteria in other words. Words are coarse, so bounds shift by up to `SHIFT`."""
    rules = [sentence for sentence in parse_rubric(prompt) if isinstance(sentence, Rule)]
    return edit_rubric(prompt, [], [_reworded(rule, random.choice((-SHIFT, 0.0, SHIFT))) for rule in rules])


def requested_version(task: str) -> int:
    """Return the number of the version that the task asks for after the last critique, from 1."""
    numbers = _VERSION.findall(task.rpartition("</critique>")[2])
    return int(numbers[-1]) if numbers else 1


def random_part(critique: str, random: Random) -> str:
    """Return about half of a critique's lines."""
    return "\n".join(line for line in critique.splitlines() if random.random() < 0.5)


def _reworded(rule: Rule, shift: float) -> Rule:
    opposite = None if rule.opposite is None else _shifted(rule.opposite, shift)
    return replace(rule, bound=_shifted(rule.bound, shift), opposite=opposite)


def _shifted(bound: Bound, shift: float) -> Bound:
    return replace(bound, at=min(95.0, max(5.0, bound.at + shift)))
