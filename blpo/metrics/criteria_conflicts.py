"""Metrics of pairs under several criteria, as in Multi-Crit (Xiong et al. 2025, arXiv 2511.21662).

Two criteria are in conflict about a pair if people prefer different sides by the two criteria. `all_right` is the
paper's pluralistic accuracy; `trade_off_sensitivity` and `conflict_match` (conflict matching rate) have the paper's
names. They are computed as by the public code of the benchmark: sensitivity over pairs with a conflict, match over all
conflicts of all pairs together. A failure, a tie, and a pair whose orders have different labels are no preference.
"""

from collections.abc import Collection, Sequence
from itertools import combinations

from state.criteria_metrics import CriteriaAgreement
from state.sample import Label, Sample
from state.settings import Settings
from state.verdict import Verdict

CriterionAnswer = tuple[Label, Label | None]
"""Preference of people, and that of the judge; None for no preference."""

_PREFERENCES = ("a", "b")


def criteria_agreement(pairs: Collection[Sequence[CriterionAnswer]]) -> CriteriaAgreement:
    """Return the metrics of pairs, each with the answers of all its criteria.

    A share is None without anything to count.
    """
    conflicts = [_conflicts(answers) for answers in pairs]
    divided = [each for each in conflicts if each]
    matches = [_is_right(one) and _is_right(other) for each in divided for one, other in each]
    return CriteriaAgreement(
        pairs=len(pairs),
        all_right=_share([all(map(_is_right, answers)) for answers in pairs]),
        divided_pairs=len(divided),
        trade_off_sensitivity=_share([any(_is_seen(*conflict) for conflict in each) for each in divided]),
        conflicts=len(matches),
        conflict_match=_share(matches),
    )


def conflicts_on(
    verdicts: Sequence[Verdict], samples: Sequence[Sample], settings: Settings
) -> CriteriaAgreement | None:
    """Return the metrics of a run with criteria of pairs; None for other runs.

    The sequences list the same samples in the same order. A pair with an `error` under a criterion is left out.
    """
    kinds = {settings.of_task(name).task.kind for name in settings.task_names}
    if not settings.criteria or len(settings.task_names) < 2 or kinds != {"pairwise"}:
        return None
    pairs: dict[str, list[CriterionAnswer]] = {}
    failed = {s.item for s, verdict in zip(samples, verdicts, strict=True) if verdict.status == "error"}
    for sample, verdict in zip(samples, verdicts, strict=True):
        if sample.label is not None and sample.item not in failed:
            pairs.setdefault(sample.item, []).append((sample.label, verdict.label))
    return criteria_agreement(pairs.values())


def _conflicts(answers: Sequence[CriterionAnswer]) -> list[tuple[CriterionAnswer, CriterionAnswer]]:
    """Return every two criteria by which people prefer different sides."""
    preferences = [answer for answer in answers if answer[0] in _PREFERENCES]
    return [(one, other) for one, other in combinations(preferences, 2) if one[0] != other[0]]


def _is_right(answer: CriterionAnswer) -> bool:
    human, judge = answer
    return human == judge


def _is_seen(one: CriterionAnswer, other: CriterionAnswer) -> bool:
    """Return True if the judge prefers different sides, also if each is the wrong one."""
    return {one[1], other[1]} == set(_PREFERENCES)


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
