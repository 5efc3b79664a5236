"""Votes of a judged set, for the summary: agreement of the votes with each other, and of each vote with people."""

from collections import Counter
from typing import NotRequired, TypedDict

from blpo.deployment.verdict_lines import JudgedSample
from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from state.ranking import agrees
from state.sample import Label
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Status, Verdict

_Answer = tuple[Status, Label | None]
_Row = tuple[Label | None, tuple[_Answer, ...]]


class VotesRecord(TypedDict):
    """Votes of a judge with several answers to a question, or of a panel. Each order of a pair is a question.

    The votes are the answers that judges gave alone, before a discussion.
    """

    questions: int
    alpha: float | None
    """Krippendorff's alpha between the votes; answers without a label are missing ratings. None: undefined."""
    agreement: list[float | None]
    """Share of labelled questions on which the vote has people's label, by the place of the vote; refusals and unusable
    replies are wrong, errors don't count. None for errors alone; empty without labels."""
    members: NotRequired[list[str]]
    """Member of a panel by the place of the vote; absent for one judge."""
    panel: NotRequired[float]
    """The same share for the verdict of the panel; absent for one judge, and without labels."""
    errors: NotRequired[list[int]]
    """Errors by the place of the vote; absent for one judge: there an error in one vote is one of the verdict."""


class VoteCounts:
    """Counts of people's label with the verdict and the labels of all votes. Verdicts with an error don't count."""

    def __init__(self, task: TaskSettings) -> None:
        self._task = task
        self._counts: Counter[_Row] = Counter()
        self._right: Counter[bool] = Counter()
        """Labelled questions, by the truth of the verdict."""
        self._members: tuple[str, ...] = ()

    def add(self, item: JudgedSample) -> None:
        """Count the votes of one sample, of a pair in each order."""
        human = item.sample.label
        answers: tuple[Verdict | OrderedVerdict, ...] = (item.verdict, *item.verdict.orders)
        for answer in answers:
            if not answer.votes or answer.status == "error":
                continue
            self._members = tuple(vote.member for vote in answer.votes)
            alone = [vote.alone for vote in answer.votes]
            self._counts[human, tuple((vote.status, vote.label) for vote in alone)] += 1
            if human is not None:
                self._right[_is_right(answer.label, human)] += 1

    def record(self) -> VotesRecord | None:
        """Return the figures; None for a judge without votes."""
        if not self._counts:
            return None
        rows = [tuple(label for _, label in votes) for (_, votes), count in self._counts.items() for _ in range(count)]
        alpha = krippendorff_alpha(rows, level_of(self._task))
        places = range(len(self._members))
        record = VotesRecord(
            questions=len(rows),
            alpha=alpha if isinstance(alpha, float) else None,
            agreement=[self._agreement(place) for place in places] if self._right else [],
        )
        if any(self._members):
            record["members"] = list(self._members)
            record["errors"] = [self._errors(place) for place in places]
            if total := self._right.total():
                record["panel"] = self._right[True] / total
        return record

    def _agreement(self, place: int) -> float | None:
        """Return the share of right votes at a place; None without a labelled answer."""
        answers = Counter[bool]()
        for (human, votes), count in self._counts.items():
            status, label = votes[place]
            if human is not None and status != "error":
                answers[_is_right(label, human)] += count
        return answers[True] / answers.total() if answers else None

    def _errors(self, place: int) -> int:
        return sum(count for (_, votes), count in self._counts.items() if votes[place][0] == "error")


def _is_right(label: Label | None, human: Label) -> bool:
    return label is not None and agrees(label, human)
