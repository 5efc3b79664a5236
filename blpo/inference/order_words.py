"""The judge's different answers about a pair, in words for people."""

from collections.abc import Sequence

from blpo.metrics.pairwise import answers_first
from state.verdict import OrderedVerdict


def order_words(orders: Sequence[OrderedVerdict]) -> str:
    """Return the answers in both orders, such as `first in both orders` or `a, and tie in the swapped order`."""
    places = {answers_first(each) for each in orders}
    if len(places) == 1 and None not in places:
        return f"{'first' if places.pop() else 'second'} in both orders"
    words = [_words(each) for each in orders]
    return words[0] if len(set(words)) == 1 else f"{words[0]}, and {words[1]} in the swapped order"


def _words(each: OrderedVerdict) -> str:
    return f"no answer ({each.status})" if each.label is None else str(each.label)
