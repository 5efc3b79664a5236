"""The embedded optimizer's words about the I2T prompt: which attributes the descriptions should state.

It knows what can be asked for, as a person would, but not what helps: that it learns from the cases. Attributes that
separate people's labels are kept, and the rest of the description goes to attributes that were not tried yet.
"""

from collections.abc import Sequence
from random import Random

from blpo.models.embedded.findings import find_changes
from blpo.models.embedded.judging import Labels
from blpo.models.embedded.reading import ShownCase
from blpo.models.embedded.rubric import Rule, parse
from blpo.models.embedded.vocabulary import ATTRIBUTES, mentioned

MOST_ASKED = 6
"""Attributes that a description has room for."""
MOST_KEPT = 3
"""How many of them are asked for again because they helped."""

_KEEP, _LITTLE, _WEIGHED = "Keep asking for: ", "These say little: ", "The judge prompt weighs already: "


def criticise_descriptions(judge_prompt: str, trials: Sequence[Sequence[ShownCase]], labels: Labels) -> str:
    """Say which attributes of the trials' descriptions separate the cases, and which need not be asked for."""
    rubric = parse(judge_prompt)
    weighed = {sentence.attribute for sentence in rubric if isinstance(sentence, Rule)}
    cases = _merged(trials)
    added = [c.after for c in find_changes(cases, rubric, labels) if c.before is None and isinstance(c.after, Rule)]
    strongest = sorted(added, key=lambda rule: -abs(rule.weight))
    keep = list(dict.fromkeys(rule.attribute for rule in strongest))
    little = sorted({name for case in cases for name in case.values} - weighed - set(keep))
    lines = ((_KEEP, keep), (_LITTLE, little), (_WEIGHED, sorted(weighed)))
    said = [f"{head}{', '.join(names)}." for head, names in lines if names]
    return (
        "\n".join(said) or "The descriptions state nothing that could be compared: ask for visible properties by name."
    )


def next_question(history: Sequence[str], critique: str, max_characters: int, random: Random) -> str:
    """Return an I2T prompt that asks for other attributes than each of `history`, led by those worth keeping."""
    kept = [name for name in _listed(critique, _KEEP)][:MOST_KEPT]
    tried = {frozenset(mentioned(prompt)) for prompt in history}
    stale = frozenset().union(*tried), frozenset(_listed(critique, _WEIGHED))
    names = [attribute.name for attribute in ATTRIBUTES if attribute.name not in kept]
    random.shuffle(names)
    names.sort(key=lambda name: (name in stale[1], name in stale[0]))
    room = MOST_ASKED - len(kept)
    choices = ([*kept, *names[at : at + room]] for at in range(len(names)))
    asked = next((choice for choice in choices if frozenset(choice) not in tried), names)
    while len(asked) > 1 and len(_question(asked)) > max_characters:
        asked = asked[:-1]
    return _question(asked)


def _question(names: Sequence[str]) -> str:
    return f"Describe how the image looks. Say how strong each of these is: {', '.join(names)}."


def _listed(critique: str, head: str) -> tuple[str, ...]:
    return mentioned(" ".join(line for line in critique.splitlines() if line.startswith(head)).removeprefix(head))


def _merged(trials: Sequence[Sequence[ShownCase]]) -> list[ShownCase]:
    """The trials show the same samples in the same order: put together what their descriptions state."""
    merged = list(trials[0]) if trials else []
    for cases in trials[1:]:
        if [case.human for case in cases] != [case.human for case in merged]:
            return merged
        merged = [ShownCase(a.human, a.judge, {**a.values, **b.values}) for a, b in zip(merged, cases, strict=True)]
    return merged
