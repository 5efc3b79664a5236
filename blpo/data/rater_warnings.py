"""Lines about the ratings of several people: ties, disagreement, raters and samples."""

from collections.abc import Iterator, Sequence

from blpo.data.aggregation import TIE_RULES
from blpo.data.message_text import listed
from state.settings import Aggregate, TaskSettings


def tie_warnings(places: Sequence[str], rule: Aggregate, task: TaskSettings) -> Iterator[str]:
    """Yield a line about samples with tied ratings; `places` are the rows of the samples."""
    if places:
        have = "1 sample has" if len(places) == 1 else f"{len(places)} samples have"
        yield f"{have} tied ratings ({listed(places)}); {TIE_RULES['median' if rule == 'median' else task.kind]}"
