"""Answer of the judge about a sample in words, for terminals, tables and pages."""

from blpo.inference.order_words import order_words
from blpo.runs.verdict_rows import VerdictRow


def answer_words(row: VerdictRow) -> str:
    """Return the label, or `no answer (refused)`. Different answers about a pair: `first in both orders`.

    Two images that were labelled alone and alike: `equal labels`.
    """
    if len(row.orders) < 2 or row.verdict is not None:
        return f"no answer ({row.status})" if row.verdict is None else str(row.verdict)
    return "equal labels" if row.is_compared else order_words(row.orders)
