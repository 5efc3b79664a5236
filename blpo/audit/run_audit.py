"""Audit of a judge by label-free probes: change the question, and see whether the verdict changes."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from blpo.audit.all_probes import PROBES
from blpo.audit.changes import Change, probe_result
from blpo.audit.pair_probes import (
    SWAP,
    SWAP_ASSUMPTION,
    TRANSITIVITY,
    TRANSITIVITY_ASSUMPTION,
    groups_of_images,
    pairs_of,
    swap_result,
    transitivity_result,
)
from blpo.audit.probe import AuditContext, Probe, Question
from blpo.audit.results import ProbeResult, Status
from blpo.inference.fan_out import fan_out
from blpo.metrics.probe_rates import biased
from state.errors import BudgetSpent
from state.sample import Sample
from state.verdict import Verdict

_NOT_PAIRS = "it asks about pairs in both orders (task.kind: pairwise, task.order: both)"
_NO_GROUPS = "no group of pairs has three images or more; groups share a text or data.group"


@dataclass(frozen=True, slots=True)
class Audit:
    """Probes over samples."""

    ask: Callable[[Question], Awaitable[Verdict]]
    """The judge; raises `BudgetSpent` where no further call is allowed."""
    context: AuditContext
    width: int
    """Questions asked at the same time."""
    advance: Callable[[str], None]
    """Called with the name of each probe when it begins."""

    async def run(self, samples: Sequence[Sample], names: Sequence[str]) -> tuple[dict[str, ProbeResult], Status]:
        """Return the results of the probes `names`; the results so far where the budget ends."""
        probes: dict[str, ProbeResult] = {}
        status: Status = "complete"
        try:
            before = await self._verdicts(samples)
            for name in names:
                self.advance(name)
                probes[name] = await self._probe(name, samples, before)
        except BudgetSpent:
            status = "budget"
        _mark_biased(probes)
        return probes, status

    async def _probe(self, name: str, samples: Sequence[Sample], before: Sequence[Verdict]) -> ProbeResult:
        if name == SWAP:
            if not self.context.task.has_both_orders:
                return ProbeResult(assumption=SWAP_ASSUMPTION, off=_NOT_PAIRS)
            return swap_result(samples, before)
        if name == TRANSITIVITY:
            return await self._transitivity(samples)
        return await self._changed(PROBES[name], samples, before)

    async def _changed(self, probe: Probe, samples: Sequence[Sample], before: Sequence[Verdict]) -> ProbeResult:
        reasons = [probe.unfit(sample, self.context) for sample in samples]
        rows = [(s, v) for s, v, reason in zip(samples, before, reasons, strict=True) if reason is None]
        if not rows:
            return ProbeResult(assumption=probe.assumption, off=next(filter(None, reasons), "there is no sample"))
        questions = [probe.changed(sample, self.context) for sample, _ in rows]
        after = await fan_out(self.ask, questions, self.width)
        pairs = zip(rows, after, strict=True)
        changes = [Change(s, v, new) for (s, v), new in pairs if "error" not in (v.status, new.status)]
        return probe_result(probe, changes, len(rows) - len(changes), self.context.task)

    async def _transitivity(self, samples: Sequence[Sample]) -> ProbeResult:
        if not self.context.task.has_both_orders:
            return ProbeResult(assumption=TRANSITIVITY_ASSUMPTION, off=_NOT_PAIRS)
        groups = groups_of_images(samples)
        if not groups:
            return ProbeResult(assumption=TRANSITIVITY_ASSUMPTION, off=_NO_GROUPS)
        rows = [(name, items, await self._verdicts(pairs_of(name, items))) for name, items in groups.items()]
        return transitivity_result(rows)

    async def _verdicts(self, samples: Sequence[Sample]) -> list[Verdict]:
        return await fan_out(self.ask, list(map(Question, samples)), self.width)


def _mark_biased(probes: dict[str, ProbeResult]) -> None:
    p_values = {name: result["p_value"] for name, result in probes.items() if "p_value" in result}
    leaning = biased(p_values)
    for name in p_values:
        probes[name]["biased"] = name in leaning
