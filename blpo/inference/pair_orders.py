"""Orders of a pair: the one place that maps between the labels a and b and the places first and second.

A task of one image has the single order None: the sample as it is. Under `task.order: apart` a request shows one side
of the pair alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Literal, TypeVar, cast

from blpo.data.splits import seeded
from blpo.models.sentences import sentence
from blpo.prompts.pair_words import PLACES
from state.sample import Label, Sample
from state.settings import TaskSettings
from state.verdict import Order, OrderedVerdict, Status, Verdict, Vote

View = Order | Literal["a", "b"]
"""What a request shows of a pair: both in an order, or one side alone."""
_BOTH: tuple[Order, Order] = ("ab", "ba")
_T = TypeVar("_T")
_SWAPPED = {"first": "second", "second": "first", "tie": "tie"}


def orders_of(task: TaskSettings, sample: Sample, seed: int) -> tuple[View | None, ...]:
    """Return the orders in which the judge sees a sample, one request for each order (`task.order`)."""
    if task.kind != "pairwise":
        return (None,)
    if task.order == "apart":
        return ("a", "b")
    if task.order == "both":
        return ("ab", "ba")
    if task.order == "one":
        return ("ab",)
    return ("ba",) if seeded(seed, "order", sample.item)[0] % 2 else ("ab",)


def side_of(sample: Sample, side: Literal["a", "b"]) -> Sample:
    """Return one side of a pair as a sample of one image."""
    place = "ab".index(side)
    if sample.texts is not None:
        text = "\n\n".join(filter(None, (sample.text, sample.texts[place])))
        return replace(sample, text=text, texts=None)
    return replace(sample, images=(sample.images[place],))


def pair_in_order(pair: Sequence[_T], order: Order | None) -> tuple[_T, ...]:
    """Return the two things of a pair as shown in an order: (b, a) in the order `ba`. Other things stay as they are."""
    return tuple(reversed(pair)) if order == "ba" else tuple(pair)


def ordered_verdict(verdict: Verdict, order: Order) -> OrderedVerdict:
    """Return an answer about a pair as shown (first, second, tie) as an answer about a and b."""
    labels = {(place if order == "ab" else _SWAPPED[place]): label for label, place in PLACES.items()}
    scores = sorted((labels[str(answer)], probability) for answer, probability in verdict.scores)
    label = None if verdict.label is None else labels[str(verdict.label)]
    votes = tuple(_ordered_vote(vote, labels) for vote in verdict.votes)
    return OrderedVerdict(order, verdict.status, label, verdict.reason, tuple(scores), votes)


def _ordered_vote(vote: Vote, labels: Mapping[str, Label]) -> Vote:
    before = vote.before and _ordered_vote(vote.before, labels)
    return replace(vote, label=labels.get(str(vote.label)), before=before)


def pair_verdict(
    sample_id: str, views: Sequence[View | None], answers: Sequence[Verdict], task: TaskSettings
) -> Verdict:
    """Return the verdict on a pair from the answers to all its requests."""
    if task.order == "apart":
        return compared_verdict(sample_id, answers, task)
    orders = cast(Sequence[Order], views)
    return joined_verdict(sample_id, list(map(ordered_verdict, answers, orders)))


def joined_verdict(sample_id: str, orders: Sequence[OrderedVerdict]) -> Verdict:
    """Return the verdict on a pair from its answers, one for each order; contract: `Verdict.orders`."""
    status = _status_of(orders)
    labels = {ordered.label for ordered in orders}
    label = labels.pop() if status == "ok" and len(labels) == 1 else None
    scores = _mean_scores(orders) if status == "ok" else ()
    return Verdict(sample_id, status, label, _reasons(orders), scores, tuple(orders))


def compared_verdict(sample_id: str, sides: Sequence[Verdict], task: TaskSettings) -> Verdict:
    """Return the verdict on a pair from the labels of a and b alone: the higher rating or the positive label is better.

    Equal labels are a tie. Without ties in the task they are half right: `a` in one order and `b` in the other. The
    verdict has the reason with both labels, and the orders have none.
    """
    status = _status_of(sides)
    named = zip("ab", sides, strict=True)
    reason = " ".join(f"{name} is {_label_or_status(side)}: {sentence(side.reason)}" for name, side in named)
    if status != "ok":
        orders = [OrderedVerdict(order, status, None, reason) for order in _BOTH]
    else:
        values = [side.label == task.positive if task.labels else int(str(side.label)) for side in sides]
        equal = ("tie", "tie") if task.ties else ("a", "b")
        labels = equal if values[0] == values[1] else ("a", "a") if values[0] > values[1] else ("b", "b")
        orders = [OrderedVerdict(order, "ok", label) for order, label in zip(_BOTH, labels, strict=True)]
    return replace(joined_verdict(sample_id, orders), reason=reason)


def _status_of(answers: Sequence[OrderedVerdict] | Sequence[Verdict]) -> Status:
    """Return `error` if an answer is an error, else the first status that is not ok, else ok."""
    failures = [answer.status for answer in answers if answer.status != "ok"]
    return "error" if "error" in failures else failures[0] if failures else "ok"


def _label_or_status(side: Verdict) -> Label:
    return side.status if side.label is None else side.label


def _mean_scores(orders: Sequence[OrderedVerdict]) -> tuple[tuple[Label, float], ...]:
    """Return the mean probability of each label; empty if an order has no probabilities."""
    tables = [dict(ordered.scores) for ordered in orders]
    if not all(tables):
        return ()
    return tuple((label, fmean(table.get(label, 0.0) for table in tables)) for label in tables[0])


def _reasons(orders: Sequence[OrderedVerdict]) -> str:
    """Join the reasons of all orders. A swapped pair is named: in its reason the first image is b."""
    if len(orders) == 1 and orders[0].order == "ab":
        return orders[0].reason
    names: dict[Order, str] = {"ab": "First order", "ba": "Swapped order"}
    return " ".join(f"{names[ordered.order]}: {sentence(ordered.reason)}" for ordered in orders if ordered.reason)
