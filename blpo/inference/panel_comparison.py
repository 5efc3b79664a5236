"""A panel beside its best member on the test split, and votes beside one answer, by the paired test of two prompts.

The best member is the best one on validation: chosen on the test split, its own figure would flatter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.inference.pair_orders import joined_verdict
from blpo.inference.votes import Ballot, CastVote, voted, votes_of
from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from blpo.metrics.pairs import VerdictPairs
from blpo.metrics.readings import strict_reading, strict_value
from blpo.metrics.significance import compare_prompts
from blpo.metrics.task_metrics import compare_on_tasks, measured, places_by_task
from state.panel_metrics import PanelMember, PanelTest
from state.sample import Sample
from state.settings import Settings, TaskSettings
from state.verdict import OrderedVerdict, Verdict, Vote

ONE_ANSWER = "one answer"
"""Name of the first vote of one judge: the judge without votes."""


@dataclass(frozen=True, slots=True)
class JudgedSplit:
    """A split with the verdicts of the panel, sample by sample."""

    samples: Sequence[Sample]
    verdicts: Sequence[Verdict]

    def of_member(self, name: str, settings: Settings) -> "JudgedSplit":
        """Return the split with the verdicts of a member alone."""
        pairs = zip(self.samples, self.verdicts, strict=True)
        own = [member_verdict(verdict, name, settings.of_task(sample.task).task) for sample, verdict in pairs]
        return JudgedSplit(self.samples, own)

    def value(self, settings: Settings) -> float | None:
        """Return the search metric with failures as wrong; None if undefined."""
        metrics = measured(self.verdicts, self.samples, settings)
        return strict_reading(metrics, settings.search.metric)

    def alpha(self, settings: Settings) -> float | None:
        """Return Krippendorff's alpha between the answers, the mean over tasks by samples; None if undefined."""
        values = [
            (self._alpha([self.verdicts[place] for place in places], settings.of_task(name).task), len(places))
            for name, places in places_by_task(self.samples).items()
        ]
        terms = [(value, size) for value, size in values if value is not None]
        return sum(value * size for value, size in terms) / sum(size for _, size in terms) if terms else None

    def _alpha(self, verdicts: Sequence[Verdict], task: TaskSettings) -> float | None:
        rows = [[vote.alone.label for vote in votes] for verdict in verdicts for votes in votes_of(verdict)]
        alpha = krippendorff_alpha(rows, level_of(task))
        return alpha if isinstance(alpha, float) else None


def member_verdict(verdict: Verdict, name: str, task: TaskSettings) -> Verdict:
    """Return the verdict of a member alone, before a discussion; `ONE_ANSWER` is the first vote of one judge.

    A verdict without votes, as of an image that can't be read, is the member's too.
    """
    if not verdict.orders:
        return _own(verdict, verdict.votes, name, task)
    orders = []
    for each in verdict.orders:
        own = _own(Verdict(verdict.sample_id, each.status, each.label, each.reason), each.votes, name, task)
        orders.append(OrderedVerdict(each.order, own.status, own.label, own.reason))
    return joined_verdict(verdict.sample_id, orders)


def panel_test(validation: JudgedSplit, test: JudgedSplit, settings: Settings) -> PanelTest | None:
    """Compare the panel with its best member on the test split; None without votes, as for lists judged in parts."""
    if not any(votes_of(verdict) for verdict in test.verdicts):
        return None
    models = settings.models
    names = models.member_names or (ONE_ANSWER,)
    metric = settings.search.metric
    on_validation = {name: validation.of_member(name, settings).value(settings) for name in names}
    on_test = {name: test.of_member(name, settings) for name in names}
    best = max(names, key=lambda name: -2.0 if (value := on_validation[name]) is None else value)
    pairs = VerdictPairs.of(on_test[best].verdicts, test.verdicts)
    first, second = (measured(verdicts, test.samples, settings) for verdicts in (pairs.first, pairs.second))
    p_value, interval = _compared(pairs, test.samples, settings)
    return PanelTest(
        alpha=test.alpha(settings),
        members=[
            PanelMember(member=name, validation=on_validation[name], test=on_test[name].value(settings))
            for name in names
        ],
        best_member=best,
        panel=strict_reading(second, metric),
        difference=strict_value(second, metric) - strict_value(first, metric),
        difference_ci95=list(interval),
        p_value=p_value,
    )


def _compared(pairs: VerdictPairs, samples: Sequence[Sample], settings: Settings) -> tuple[float, tuple[float, float]]:
    if settings.task_names:
        p_value, interval, _ = compare_on_tasks(pairs.first, pairs.second, samples, settings)
        return p_value, interval
    labels, ratings = [sample.label for sample in samples], [sample.rating for sample in samples]
    groups, search = [sample.group for sample in samples], settings.search
    compared = (labels, settings.task, search.metric, search.seed, groups, ratings)
    return compare_prompts(pairs.first, pairs.second, *compared)


def _own(verdict: Verdict, votes: Sequence[Vote], name: str, task: TaskSettings) -> Verdict:
    own = votes[:1] if name == ONE_ANSWER else [vote for vote in votes if vote.member == name]
    if not own:
        return verdict
    alone = [vote.alone for vote in own]
    answers = [Verdict(verdict.sample_id, vote.status, vote.label, vote.reason) for vote in alone]
    return voted(verdict.sample_id, [CastVote(Ballot(), answer) for answer in answers], task)
