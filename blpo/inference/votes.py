"""Votes: several answers to one question, and the verdict that they give.

The answers come from one judge (`models.judge.votes`), or from the members of a panel (`models.judges`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import fsum
from statistics import fmean

from blpo.models.messages import Role
from state.ranking import ranking_label, ranks_of
from state.sample import Label
from state.settings import ModelsSettings, PanelSettings, TaskSettings
from state.verdict import Status, Verdict, Vote

_Outcome = tuple[Status, Label | None]


@dataclass(frozen=True, slots=True)
class Ballot:
    """Place of an answer in a vote: a judge, and the number of the repeat of its question."""

    role: Role = "judge"
    repeat: int = 0
    member: str = ""
    """Name of the member of a panel; empty for one judge."""
    weight: float = 1.0


ONE_BALLOT = Ballot()
"""The only answer of one judge without votes."""


@dataclass(frozen=True, slots=True)
class CastVote:
    """A ballot with its answer."""

    ballot: Ballot
    answer: Verdict
    before: Verdict | None = None
    """Answer before the discussion; None without one."""

    @property
    def vote(self) -> Vote:
        """The vote as it is kept."""
        before = self.before
        alone = None if before is None else Vote(before.status, before.label, before.reason)
        return Vote(*self.outcome, self.answer.reason, self.ballot.member, alone)

    @property
    def outcome(self) -> _Outcome:
        """Status and label of the answer: what is counted."""
        return self.answer.status, self.answer.label


@lru_cache(maxsize=64)
def ballots_of(models: ModelsSettings, repeat: int = 0) -> tuple[Ballot, ...]:
    """Return the ballots of a question: for each judge as many as its votes.

    A judge's ballots for the repeat 0 are the repeats 0 to votes - 1 of the question, those for the repeat 1 the next
    ones. Without learned weights, and if all are 0, all ballots have the same weight.
    """
    names = models.member_names or ("",)
    weights = models.panel.weights if models.panel and models.panel.weights else ()
    weights = weights if any(weights) else (1.0,) * len(names)
    return tuple(
        Ballot(role, number, name, weight)
        for role, name, weight in zip(models.judge_roles, names, weights, strict=True)
        for number in range(repeat * models.of(role).votes, (repeat + 1) * models.of(role).votes)
    )


def voted(sample_id: str, votes: Sequence[CastVote], task: TaskSettings, panel: PanelSettings | None = None) -> Verdict:
    """Return the verdict of all votes, with the reason of the first answer that gave it.

    The most frequent answer wins, for `panel.rule: weighted` the answer with the largest sum of weights. A refusal and
    an unusable reply are answers too; a label wins against as many of them. Of labels with equal counts the median of
    all ratings wins if it is one of them, else the first of them in the order of the answers. `panel.rule: mean` gives
    the mean rating, half of it to the even number; the label of a ranking always has the mean ranks. Either fails if
    more than half of the answers have no label.

    Errors are no answers. With fewer answers than `panel.quorum`, and of one judge with a single error, the verdict is
    an error: it must not depend on an outage.
    """
    all_votes = tuple(each.vote for each in votes)
    heard = [vote for vote in votes if vote.answer.status != "error"]
    if len(heard) < (len(votes) if panel is None else panel.needed(len(votes))):
        reason = next(vote.answer.reason for vote in votes if vote.answer.status == "error")
        return Verdict(sample_id, "error", None, reason, votes=all_votes)
    labels = [vote.answer.label for vote in heard if vote.answer.label is not None]
    if 2 * len(labels) >= len(heard):
        if task.kind == "ranking":
            return _mean_ranking(sample_id, heard, all_votes)
        if panel is not None and panel.rule == "mean" and task.kind == "ordinal":
            return _mean_rating(sample_id, heard, all_votes)
    is_weighted = panel is not None and panel.rule == "weighted"
    totals = _totals(heard, is_weighted=is_weighted)
    most = max(totals.values())
    tied = [outcome for outcome, total in totals.items() if total == most]  # in the order of the answers
    winner = _winner(tied, labels, task)
    first = next(vote.answer for vote in heard if vote.outcome == winner)
    scores = _mean_scores(heard, is_weighted=is_weighted) if first.status == "ok" else ()
    return Verdict(sample_id, first.status, first.label, first.reason, scores, votes=all_votes)


def votes_of(verdict: Verdict) -> list[tuple[Vote, ...]]:
    """Return the votes behind a verdict, one list for each order of a pair; empty for a judge without votes."""
    return [votes for votes in (verdict.votes, *(each.votes for each in verdict.orders)) if votes]


def _totals(votes: Sequence[CastVote], *, is_weighted: bool) -> Mapping[_Outcome, float]:
    """Return the number of votes by outcome, or the sum of their weights, in the order of the answers."""
    weights: dict[_Outcome, list[float]] = {}
    for vote in votes:
        weights.setdefault(vote.outcome, []).append(vote.ballot.weight if is_weighted else 1.0)
    return {outcome: round(fsum(each), 9) for outcome, each in weights.items()}  # equal sums are ties


def _winner(tied: Sequence[_Outcome], labels: Sequence[Label], task: TaskSettings) -> _Outcome:
    with_label = [outcome for outcome in tied if outcome[0] == "ok"] or list(tied)
    if len(with_label) > 1 and task.kind == "ordinal":
        ratings = sorted(int(label) for label in labels)
        middle = {ratings[(len(ratings) - 1) // 2], ratings[len(ratings) // 2]}
        with_label = [outcome for outcome in with_label if outcome[1] in middle] or with_label
    return with_label[0]


def _mean_scores(votes: Sequence[CastVote], *, is_weighted: bool) -> tuple[tuple[Label, float], ...]:
    """Return the mean probability of each label; empty if an answer with a label has no probabilities."""
    answered = [vote for vote in votes if vote.answer.status == "ok"]
    tables = [dict(vote.answer.scores) for vote in answered]
    weights = [vote.ballot.weight for vote in answered] if is_weighted else []
    if not all(tables):
        return ()
    shares = {label: [table.get(label, 0.0) for table in tables] for label in tables[0]}
    return tuple((label, fmean(each, weights if any(weights) else None)) for label, each in shares.items())


def _mean_rating(sample_id: str, votes: Sequence[CastVote], all_votes: tuple[Vote, ...]) -> Verdict:
    """Return the rounded mean of all ratings, with the reason of the first answer nearest to it."""
    rated = [(int(vote.answer.label), vote.answer) for vote in votes if vote.answer.label is not None]
    rating = round(Fraction(sum(each for each, _ in rated), len(rated)))
    nearest = min(rated, key=lambda pair: abs(pair[0] - rating))[1]
    return Verdict(sample_id, "ok", rating, nearest.reason, _mean_scores(votes, is_weighted=False), votes=all_votes)


def _mean_ranking(sample_id: str, votes: Sequence[CastVote], all_votes: tuple[Vote, ...]) -> Verdict:
    """Return the ranking by the mean rank of each image, with the reason of the first answer with a ranking."""
    ranked = [vote.answer for vote in votes if vote.answer.label is not None]
    ranks = zip(*(ranks_of(str(each.label)) for each in ranked), strict=True)
    return Verdict(sample_id, "ok", ranking_label([fmean(own) for own in ranks]), ranked[0].reason, votes=all_votes)
