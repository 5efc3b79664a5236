"""Votes: several answers of the judge to one question, and the verdict that they give (`models.judge.votes`)."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from state.ranking import ranking_label, ranks_of
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import Verdict, Vote


def voted(sample_id: str, answers: Sequence[Verdict], task: TaskSettings) -> Verdict:
    """Return the verdict of the most frequent answer, with the reason of the first answer that gave it.

    A refusal and an unusable reply are answers too; a label wins against as many of them. Of labels with equal counts
    the median of all ratings wins if it is one of them, else the first of them in the order of the answers. The label
    of a ranking has the mean ranks. An error in one answer is an error: the verdict must not depend on an outage.
    """
    votes = tuple(Vote(each.status, each.label, each.reason) for each in answers)
    if error := next((each for each in answers if each.status == "error"), None):
        return Verdict(sample_id, "error", None, error.reason, votes=votes)
    counts = Counter(_outcome(each) for each in answers)
    labels = [each.label for each in answers if each.label is not None]
    failed = len(answers) - len(labels)
    if task.kind == "ranking" and len(labels) >= failed:
        return _mean_ranking(sample_id, answers, votes)
    most = max(counts.values())
    tied = [outcome for outcome, count in counts.items() if count == most]  # in the order of the answers
    winner = _winner(tied, labels, task)
    first = next(each for each in answers if _outcome(each) == winner)
    scores = _mean_scores(answers) if first.status == "ok" else ()
    return Verdict(sample_id, first.status, first.label, first.reason, scores, votes=votes)


def votes_of(verdict: Verdict) -> list[tuple[Vote, ...]]:
    """Return the votes behind a verdict, one list for each order of a pair; empty for a judge without votes."""
    return [votes for votes in (verdict.votes, *(each.votes for each in verdict.orders)) if votes]


def _outcome(answer: Verdict) -> tuple[str, Label | None]:
    return answer.status, answer.label


def _winner(
    tied: Sequence[tuple[str, Label | None]], labels: Sequence[Label], task: TaskSettings
) -> tuple[str, Label | None]:
    with_label = [outcome for outcome in tied if outcome[0] == "ok"] or list(tied)
    if len(with_label) > 1 and task.kind == "ordinal":
        ratings = sorted(int(label) for label in labels)
        middle = {ratings[(len(ratings) - 1) // 2], ratings[len(ratings) // 2]}
        with_label = [outcome for outcome in with_label if outcome[1] in middle] or with_label
    return with_label[0]


def _mean_scores(answers: Sequence[Verdict]) -> tuple[tuple[Label, float], ...]:
    """Return the mean probability of each label; empty if an answer with a label has no probabilities."""
    tables = [dict(each.scores) for each in answers if each.status == "ok"]
    if not all(tables):
        return ()
    return tuple((label, fmean(table.get(label, 0.0) for table in tables)) for label in tables[0])


def _mean_ranking(sample_id: str, answers: Sequence[Verdict], votes: tuple[Vote, ...]) -> Verdict:
    """Return the ranking by the mean rank of each image, with the reason of the first answer with a ranking."""
    ranked = [each for each in answers if each.label is not None]
    ranks = zip(*(ranks_of(str(each.label)) for each in ranked), strict=True)
    return Verdict(sample_id, "ok", ranking_label([fmean(own) for own in ranks]), ranked[0].reason, votes=votes)
