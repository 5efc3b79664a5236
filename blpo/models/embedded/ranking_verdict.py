"""Verdict of the embedded judge on a ranking: the images by their scores, the highest first.

The score of an image is what the rubric's rating sentences add up to, as for pairs; without such sentences the first
impression. Of two equal scores the earlier image stands first. A ranking is asked in a single order, so no lean to a
position could be shown and removed: the judge has none beyond equal scores.
"""

from collections.abc import Mapping, Sequence

from blpo.models.embedded.ranked_images import numbered_text
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.rubric_verdict import impression, pull
from blpo.models.embedded.vocabulary import level


def decide_ranking(prompt: str, images: Sequence[Mapping[str, float]]) -> tuple[list[int], str]:
    """Return the image numbers, best first, and the reason, for images with these attributes under a judge prompt."""
    rules = [s for s in parse_rubric(prompt) if isinstance(s, Rule) and s.label is None]
    scores = [round(pull(rules, None, values) if rules else impression(values), 9) for values in images]
    order = sorted(range(1, len(images) + 1), key=lambda number: -scores[number - 1])
    if not rules:
        return order, "First impressions; the prompt names no criterion to rank by."
    names = dict.fromkeys(rule.attribute for rule in rules)
    return order, numbered_text([_measures(names, values) for values in images])


def _measures(names: Mapping[str, None], values: Mapping[str, float]) -> str:
    measures = [f"{name} is {level(values[name])} ({values[name]:.0f})" for name in names if name in values]
    return f"{', '.join(measures)}." if measures else "none of the criteria."
