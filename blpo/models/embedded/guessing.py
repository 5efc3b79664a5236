"""What the embedded optimizer does where nothing tells it how images look: it supposes that something matters.

It knows what can be seen in images, as a person would, but not what helps. A criterion once in the prompt is spoken of
in the judge's reasons, or changes a score; from that it goes on.
"""

from collections.abc import Iterable
from random import Random

from blpo.models.embedded.judging import Labels
from blpo.models.embedded.rubric import STRENGTHS, Bound, Rule
from blpo.models.embedded.vocabulary import ATTRIBUTES

MOST_SUPPOSED = 3
"""Criteria supposed at once."""
_STRENGTH = STRENGTHS[""]
_HIGH, _LOW = Bound(70.0, above=True), Bound(30.0, above=False)


def supposed(known: Iterable[str], labels: Labels, random: Random, count: int) -> list[Rule]:
    """Return `count` rules about attributes not `known`, each in a direction left to chance."""
    if not labels:
        return []
    left = [attribute.name for attribute in ATTRIBUTES if attribute.name not in set(known)]
    names = random.sample(left, min(count, len(left)))
    return [_rule(name, labels, random) for name in names]


def suppositions(known: Iterable[str], labels: Labels, random: Random) -> list[str]:
    """Return the lines of a critique that ask for such rules."""
    rules = supposed(known, labels, random, MOST_SUPPOSED)
    return [f"- Nothing is said of how the images look; {rule.attribute} may matter. Add: {rule}" for rule in rules]


def _rule(name: str, labels: Labels, random: Random) -> Rule:
    high_first = random.random() < 0.5
    if isinstance(labels, range):
        return Rule(name, None, _STRENGTH if high_first else -_STRENGTH, _HIGH, _LOW)
    label = labels[-1] if len(labels) == 2 else random.choice(labels)
    return Rule(name, label, _STRENGTH, *((_HIGH, _LOW) if high_first else (_LOW, _HIGH)))
