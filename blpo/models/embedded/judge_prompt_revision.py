"""Revision of the judge prompt by the embedded optimizer: a critique with evidence, and the edit.

The rewriting call sees only the prompt and the critique. A line of the critique therefore ends with a sentence to add,
to use instead, or to leave out.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import mean, median_low

from blpo.models.embedded.message_reading import MessageCase
from blpo.models.embedded.pair_critique import order_finding, order_sentence_to_add, pair_evidence, with_order_sentence
from blpo.models.embedded.rubric import Rule, subject
from blpo.models.embedded.rubric_regression import RubricChange, find_changes
from blpo.models.embedded.rubric_text import edit_rubric, parse_rubric
from blpo.models.embedded.rubric_verdict import LabelSet, is_pair

NOTHING = "Nothing that the descriptions state tells the wrong verdicts from the right ones: leave the prompt as it is."
_LEAVE_OUT = "Leave out: "


def criticise_judge_prompt(prompt: str, cases: Sequence[MessageCase], labels: LabelSet) -> str:
    """Return a critique: the differences between verdicts and human labels, and the sentences to change."""
    evidence = pair_evidence if is_pair(labels) else _evidence
    findings = [_reasoned(change, cases, evidence) for change in find_changes(cases, parse_rubric(prompt), labels)]
    if is_pair(labels) and (finding := order_finding(prompt, cases)) is not None:
        findings.insert(0, finding)
    if not findings:
        return NOTHING
    return "\n".join([_disagreement(cases), *(f"- {finding}" for finding in findings)])


def rewrite_judge_prompt(prompt: str, critique: str, max_characters: int) -> str:
    """Return the prompt with the changes of the critique. The weakest rules are left out if the prompt is too long."""
    lines = critique.splitlines()
    removed = {subject(s) for line in lines if _LEAVE_OUT in line for s in parse_rubric(line)}
    added = [s for line in lines if _LEAVE_OUT not in line for s in parse_rubric(line)]
    if (sentence := order_sentence_to_add(critique)) is not None:
        prompt = with_order_sentence(prompt, sentence)
    edited = edit_rubric(prompt, removed, added)
    while len(edited) > max_characters and (rules := [s for s in parse_rubric(edited) if isinstance(s, Rule)]):
        edited = edit_rubric(edited, [subject(min(rules, key=lambda rule: abs(rule.weight)))], [])
    return edited


def _disagreement(cases: Sequence[MessageCase]) -> str:
    wrong = Counter((case.judge, case.human) for case in cases if not case.right)
    pairs = ", ".join(f"{judge} for {human} ({count})" for (judge, human), count in wrong.most_common())
    return f"Of {len(cases)} cases {wrong.total()} are judged wrongly{': ' if pairs else ''}{pairs}."


def _reasoned(
    change: RubricChange, cases: Sequence[MessageCase], evidence: Callable[[Rule, Sequence[MessageCase]], str]
) -> str:
    sentence = change.after or change.before
    reason = evidence(sentence, cases) if isinstance(sentence, Rule) else "The verdicts lean to one side on the whole."
    if change.after is None:
        return f"{reason} {_LEAVE_OUT}{change.before}"
    return f"{reason} {'Add' if change.before is None else 'Say instead'}: {change.after}"


def _evidence(rule: Rule, cases: Sequence[MessageCase]) -> str:
    """Return the mean value of the attribute on either side of the human labels, in words."""
    cases = [case for case in cases if rule.attribute in case.values]
    name = rule.attribute.capitalize()
    if rule.label is None:
        ratings = [int(case.human) if case.human.lstrip("-").isdecimal() else 0 for case in cases]
        cut = median_low(ratings) if ratings else 0
        is_inside, people = [rating > cut for rating in ratings], f"rate above {cut}"
    else:
        is_inside, people = [case.human == rule.label for case in cases], f"say {rule.label}"
    values = [case.values[rule.attribute] for case in cases]
    inside = [value for value, is_member in zip(values, is_inside, strict=True) if is_member]
    outside = [value for value, is_member in zip(values, is_inside, strict=True) if not is_member]
    if not inside or not outside:
        return f"{name} is not told apart by these cases."
    return (
        f"{name} averages {mean(inside):.0f} in the {len(inside)} cases where people {people} "
        f"and {mean(outside):.0f} in the {len(outside)} others."
    )
