"""Random criteria of the embedded optimizer, for messages that do not describe the images.

The optimizer knows the attributes of images, as a person would, but not the helpful attributes. A criterion in the
prompt appears in the judge's reasons, or changes a score. The optimizer then learns from the reasons and scores.
"""

from collections.abc import Iterable
from random import Random

from blpo.models.embedded.rubric import STRENGTHS, Bound, Rule
from blpo.models.embedded.rubric_verdict import LabelSet, is_pair
from blpo.models.embedded.vocabulary import ATTRIBUTES

MAX_CRITERIA = 3
"""Maximum number of criteria at once."""
_STRENGTH = STRENGTHS[""]
_HIGH, _LOW = Bound(70.0, above=True), Bound(30.0, above=False)


def random_rules(excluded: Iterable[str], labels: LabelSet, random: Random, count: int) -> list[Rule]:
    """Return `count` rules about attributes outside `excluded`, in random directions."""
    if not labels:
        return []
    candidates = [attribute.name for attribute in ATTRIBUTES if attribute.name not in set(excluded)]
    names = random.sample(candidates, min(count, len(candidates)))
    return [_rule(name, labels, random) for name in names]


def random_proposals(excluded: Iterable[str], labels: LabelSet, random: Random) -> list[str]:
    """Return lines of a critique that propose random rules."""
    rules = random_rules(excluded, labels, random, MAX_CRITERIA)
    return [f"- Nothing is said of how the images look; {rule.attribute} may matter. Add: {rule}" for rule in rules]


def _rule(name: str, labels: LabelSet, random: Random) -> Rule:
    high_first = random.random() < 0.5
    if isinstance(labels, range) or is_pair(labels):
        return Rule(name, None, _STRENGTH if high_first else -_STRENGTH, _HIGH, _LOW)
    label = labels[-1] if len(labels) == 2 else random.choice(labels)
    return Rule(name, label, _STRENGTH, *((_HIGH, _LOW) if high_first else (_LOW, _HIGH)))
