"""The embedded optimizer's words about the judge prompt: a critique with its evidence, and the edit it asks for.

The rewriting call sees the prompt and the critique alone, so each line of the critique ends with a sentence to add, to
use instead, or to leave out.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import mean, median_low

from blpo.models.embedded.findings import Change, find_changes
from blpo.models.embedded.judging import Labels
from blpo.models.embedded.reading import ShownCase
from blpo.models.embedded.rubric import Rule, edit, parse, subject

NOTHING = "Nothing that the descriptions state tells the wrong verdicts from the right ones: leave the prompt as it is."
_LEAVE_OUT = "Leave out: "


def criticise(prompt: str, cases: Sequence[ShownCase], labels: Labels) -> str:
    """Say how verdicts and people differ, and which sentences would bring them together, each with its evidence."""
    changes = find_changes(cases, parse(prompt), labels)
    if not changes:
        return NOTHING
    return "\n".join([_disagreement(cases), *(f"- {_reasoned(change, cases)}" for change in changes)])


def rewrite(prompt: str, critique: str, max_characters: int) -> str:
    """Return the prompt with the sentences that the critique asks for; the weakest give way if it gets too long."""
    lines = critique.splitlines()
    drop = {subject(s) for line in lines if _LEAVE_OUT in line for s in parse(line)}
    put = [s for line in lines if _LEAVE_OUT not in line for s in parse(line)]
    edited = edit(prompt, drop, put)
    while len(edited) > max_characters and (rules := [s for s in parse(edited) if isinstance(s, Rule)]):
        edited = edit(edited, [subject(min(rules, key=lambda rule: abs(rule.weight)))], [])
    return edited


def _disagreement(cases: Sequence[ShownCase]) -> str:
    wrong = Counter((case.judge, case.human) for case in cases if not case.right)
    pairs = ", ".join(f"{judge} for {human} ({count})" for (judge, human), count in wrong.most_common())
    return f"Of {len(cases)} cases {wrong.total()} are judged wrongly{': ' if pairs else ''}{pairs}."


def _reasoned(change: Change, cases: Sequence[ShownCase]) -> str:
    sentence = change.after or change.before
    reason = _evidence(sentence, cases) if isinstance(sentence, Rule) else "The verdicts lean to one side on the whole."
    if change.after is None:
        return f"{reason} {_LEAVE_OUT}{change.before}"
    return f"{reason} {'Add' if change.before is None else 'Say instead'}: {change.after}"


def _evidence(rule: Rule, cases: Sequence[ShownCase]) -> str:
    """Where the attribute stands on either side of what people said."""
    stated = [case for case in cases if rule.attribute in case.values]
    name = rule.attribute.capitalize()
    if rule.label is None:
        ratings = [int(case.human) if case.human.lstrip("-").isdecimal() else 0 for case in stated]
        cut = median_low(ratings) if ratings else 0
        chosen, people = [rating > cut for rating in ratings], f"rate above {cut}"
    else:
        chosen, people = [case.human == rule.label for case in stated], f"say {rule.label}"
    values = [case.values[rule.attribute] for case in stated]
    there = [value for value, is_there in zip(values, chosen, strict=True) if is_there]
    elsewhere = [value for value, is_there in zip(values, chosen, strict=True) if not is_there]
    if not there or not elsewhere:
        return f"{name} is not told apart by these cases."
    return (
        f"{name} averages {mean(there):.0f} in the {len(there)} cases where people {people} "
        f"and {mean(elsewhere):.0f} in the {len(elsewhere)} others."
    )
