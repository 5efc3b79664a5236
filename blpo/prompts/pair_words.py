"""Labels and verdicts of pairs in words for the optimizer, who knows a pair as the verbalizer saw the pair: a first."""

from state.sample import Label, Sample
from state.verdict import OrderedVerdict, Verdict

PLACES: dict[Label, str] = {"a": "first", "b": "second", "tie": "tie"}
"""Place in the order `ab`, by label."""


def pair_label(label: Label | None) -> str:
    """Return the place of the better one of a pair."""
    return "(none)" if label is None else PLACES[label]


def pair_answer(verdict: Verdict, sample: Sample) -> str:
    """Return the judge's answers; both answers if the judge changes its mind when the pair is swapped."""
    answers = [_answer(ordered) for ordered in sorted(verdict.orders, key=lambda ordered: ordered.order)]
    things = "images" if sample.texts is None else "texts"
    if len(set(answers)) == 1:
        return answers[0]
    return f"{answers[0]}, and {answers[1]} when the {things} are swapped"


def _answer(ordered: OrderedVerdict) -> str:
    return pair_label(ordered.label) if ordered.status == "ok" else f"({ordered.status})"
