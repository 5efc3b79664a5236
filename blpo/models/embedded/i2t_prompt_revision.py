"""Revision of the I2T prompt by the embedded optimizer: the attributes for the next descriptions.

The optimizer knows the attributes of images, as a person would, but not the helpful attributes. The cases teach the
helpful attributes. Where a single description is read, attributes that separate the human labels are kept, and the rest
of the description goes to new attributes. Where descriptions are pooled, all of the description goes to attributes that
the cases do not state yet.
"""

from collections.abc import Sequence
from random import Random

from blpo.models.embedded.message_reading import MessageCase
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_regression import find_changes
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.rubric_verdict import LIST_LABELS, LabelSet, is_pair
from blpo.models.embedded.vocabulary import ATTRIBUTES, mentioned

MAX_ATTRIBUTES = 6
"""Attributes of a description."""
MAX_HELPFUL = 3
"""Maximum number of helpful attributes to ask for again."""

_STATED, _MISSING = "Stated already: ", "Not stated yet: "
_KEEP, _LITTLE, _WEIGHED = "Keep asking for: ", "These say little: ", "The judge prompt weighs already: "


def criticise_descriptions(judge_prompt: str, trials: Sequence[Sequence[MessageCase]], labels: LabelSet) -> str:
    """Return a critique of the trials' descriptions: attributes that separate the cases, and useless attributes."""
    rubric = parse_rubric(judge_prompt)
    weighed = {sentence.attribute for sentence in rubric if isinstance(sentence, Rule)}
    cases = _merged(trials)
    added = [c.after for c in find_changes(cases, rubric, labels) if c.before is None and isinstance(c.after, Rule)]
    strongest = sorted(added, key=lambda rule: -abs(rule.weight))
    helpful = list(dict.fromkeys(rule.attribute for rule in strongest))
    little = sorted({name for case in cases for name in case.values} - weighed - set(helpful))
    lines = ((_KEEP, helpful), (_LITTLE, little), (_WEIGHED, sorted(weighed)))
    sentences = [f"{head}{', '.join(names)}." for head, names in lines if names]
    return (
        "\n".join(sentences)
        or "The descriptions state nothing that could be compared: ask for visible properties by name."
    )


def criticise_coverage(cases: Sequence[MessageCase], random: Random) -> str:
    """Return a critique of pooled descriptions: the attributes that the cases state, and those that they lack."""
    stated = {name for case in cases for name in case.values}
    missing = [attribute.name for attribute in ATTRIBUTES if attribute.name not in stated]
    random.shuffle(missing)
    lines = ((_STATED, sorted(stated)), (_MISSING, missing))
    return "\n".join(f"{head}{', '.join(names)}." for head, names in lines if names)


def next_i2t_prompt(
    history: Sequence[str], critique: str, max_characters: int, random: Random, labels: LabelSet = ()
) -> str:
    """Return an I2T prompt with a set of attributes that no prompt of `history` has. A prompt about pairs compares.

    The helpful attributes of the critique lead. After a critique of pooled descriptions, the attributes that the cases
    lack lead, unless a prompt has asked for them.
    """
    helpful = [name for name in _names_after(critique, _KEEP)][:MAX_HELPFUL]
    earlier = {frozenset(mentioned(prompt)) for prompt in history}
    mentioned_before, weighed = frozenset().union(*earlier), frozenset(_names_after(critique, _WEIGHED))
    missing = _names_after(critique, _MISSING)
    names = [attribute.name for attribute in ATTRIBUTES if attribute.name not in (*helpful, *missing)]
    random.shuffle(names)
    names = [*missing, *names]
    names.sort(key=lambda name: (name in weighed, name in mentioned_before, bool(missing) and name not in missing))
    room = MAX_ATTRIBUTES - len(helpful)
    choices = ([*helpful, *names[at : at + room]] for at in range(len(names)))
    attributes = next((choice for choice in choices if frozenset(choice) not in earlier), names)
    while len(attributes) > 1 and len(_i2t_prompt(attributes, labels)) > max_characters:
        attributes = attributes[:-1]
    return _i2t_prompt(attributes, labels)


def _i2t_prompt(names: Sequence[str], labels: LabelSet) -> str:
    if labels == LIST_LABELS:
        return f"Compare the images. Say how strong each of these is in every image: {', '.join(names)}."
    if is_pair(labels):
        return f"Compare the two images. Say how strong each of these is in both: {', '.join(names)}."
    return f"Describe how the image looks. Say how strong each of these is: {', '.join(names)}."


def _names_after(critique: str, head: str) -> tuple[str, ...]:
    return mentioned(" ".join(line for line in critique.splitlines() if line.startswith(head)).removeprefix(head))


def _merged(trials: Sequence[Sequence[MessageCase]]) -> list[MessageCase]:
    """Return cases with the values of all trials. The trials list the same samples in the same order."""
    merged = list(trials[0]) if trials else []
    for cases in trials[1:]:
        if [case.human for case in cases] != [case.human for case in merged]:
            return merged
        merged = [a.merged(b) for a, b in zip(merged, cases, strict=True)]
    return merged
