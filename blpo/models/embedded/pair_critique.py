"""Critique of a judge prompt for pairs: evidence from differences, and the sentence about the order."""

from collections.abc import Sequence
from statistics import mean

from blpo.models.embedded.message_reading import MessageCase
from blpo.models.embedded.pair_text import ignores_order, order_sentence
from blpo.models.embedded.rubric import Rule

_SENTENCES = tuple(order_sentence(items) for items in ("images", "texts"))


def order_finding(prompt: str, cases: Sequence[MessageCase]) -> str | None:
    """Return the finding that verdicts change with the order, with the sentence to add.

    None for verdicts that do not change, or for a prompt that tells the judge to ignore the order.
    """
    items = [case.depends_on for case in cases if case.depends_on is not None]
    if not items or ignores_order(prompt):
        return None
    return (
        f"{len(items)} of {len(cases)} verdicts change when the {items[0]} are swapped. Add: {order_sentence(items[0])}"
    )


def order_sentence_to_add(critique: str) -> str | None:
    """Return the sentence about the order that a critique adds; None for a critique without this sentence."""
    return next((sentence for sentence in _SENTENCES if f"Add: {sentence}" in critique), None)


def with_order_sentence(prompt: str, sentence: str) -> str:
    """Return the prompt with the sentence in a line at the end, unless the prompt says so in other words."""
    return prompt if ignores_order(prompt) else f"{prompt.rstrip()}\n\n{sentence}"


def pair_evidence(rule: Rule, cases: Sequence[MessageCase]) -> str:
    """Return the mean difference of the attribute between the preferred image and the other image, in words."""
    differences = [
        (first[rule.attribute] - second[rule.attribute]) * (1 if case.human == "first" else -1)
        for case in cases
        if case.human in ("first", "second")
        for first, second in [case.pair]
        if rule.attribute in first and rule.attribute in second
    ]
    name = rule.attribute.capitalize()
    if not differences:
        return f"{name} is not told apart by these pairs."
    average = mean(differences)
    word = "higher" if average >= 0 else "lower"
    return (
        f"{name} is {word} by {abs(average):.0f} on average in the image that people prefer ({len(differences)} pairs)."
    )
