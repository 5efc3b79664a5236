"""Answer of the judge about a sample in words, for terminals, tables and pages."""

from blpo.metrics.pairwise import answers_first
from blpo.runs.verdict_rows import VerdictRow
from state.verdict import OrderedVerdict


def answer_words(row: VerdictRow) -> str:
    """Return the label, or `no answer (refused)`. Different answers about a pair: `first in both orders`."""
    if len(row.orders) < 2 or row.verdict is not None:
        return f"no answer ({row.status})" if row.verdict is None else str(row.verdict)
    places = {answers_first(each) for each in row.orders}
    if len(places) == 1 and None not in places:
        return f"{'first' if places.pop() else 'second'} in both orders"
    words = [_words(each) for each in row.orders]
    return words[0] if len(set(words)) == 1 else f"{words[0]}, and {words[1]} in the swapped order"


def _words(each: OrderedVerdict) -> str:
    return f"no answer ({each.status})" if each.label is None else str(each.label)
