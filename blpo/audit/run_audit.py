"""Audit of a judge by label-free probes: change the question, and see whether the verdict changes."""

from collections.abc import Callable, Sequence
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
from blpo.audit.probe import AuditContext, Probe
from blpo.audit.results import FORMAT, AuditResult, ProbeResult
from blpo.deployment.judge_identity import JudgeIdentity
from blpo.inference.fan_out import fan_out
from blpo.inference.open_models import OpenModels
from blpo.inference.verdicts import Judgement, judgement_of
from blpo.metrics.probe_rates import biased
from blpo.runs.judge_file import JudgeFile
from state.errors import BudgetSpent, DataError
from state.sample import Sample
from state.verdict import Verdict

_NOT_PAIRS = "it asks about pairs in both orders (task.kind: pairwise, task.order: both)"
_NO_GROUPS = "no group of pairs has three images or more; groups share a text or data.group"


@dataclass
class Audit:
    """An audit at work."""

    file: JudgeFile
    models: OpenModels
    context: AuditContext
    advance: Callable[[str], None]
    """Called with the name of each probe when it begins."""
    versions: set[str]
    """Versions of the model, as far as told."""

    async def run(self, samples: Sequence[Sample], names: Sequence[str]) -> AuditResult:
        """Run the probes `names` over `samples`. The results so far are kept where the budget ends."""
        probes: dict[str, ProbeResult] = {}
        status = "complete"
        try:
            before = await self._verdicts(samples)
            for name in names:
                self.advance(name)
                probes[name] = await self._probe(name, samples, before)
        except BudgetSpent:
            status = "budget"
        self._mark_biased(probes)
        usage = (await self.models.caller.usage())["judge"]
        return AuditResult(
            format=FORMAT,
            judge=JudgeIdentity.of(self.file, sorted(self.versions)).fields,
            samples=len(samples),
            status=status,
            calls=usage["issued"],
            probes=probes,
        )

    def _mark_biased(self, probes: dict[str, ProbeResult]) -> None:
        p_values = {name: result["p_value"] for name, result in probes.items() if "p_value" in result}
        leaning = biased(p_values)
        for name in p_values:
            probes[name]["biased"] = name in leaning

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

        async def ask(place: int) -> Verdict:
            question = questions[place]
            prompt = question.judge_prompt or self.file.judge_prompt
            return await self._verdict(question.sample, prompt, question.repeat)

        after = await fan_out(ask, range(len(questions)), self.models.width("judge"))
        pairs = zip(rows, after, strict=True)
        changes = [Change(s, v, new) for (s, v), new in pairs if "error" not in (v.status, new.status)]
        return probe_result(probe, changes, len(rows) - len(changes), self.context.task)

    async def _transitivity(self, samples: Sequence[Sample]) -> ProbeResult:
        if not self.context.task.has_both_orders:
            return ProbeResult(assumption=TRANSITIVITY_ASSUMPTION, off=_NOT_PAIRS)
        groups = groups_of_images(samples)
        if not groups:
            return ProbeResult(assumption=TRANSITIVITY_ASSUMPTION, off=_NO_GROUPS)
        rows = [(name, len(items), await self._verdicts(pairs_of(name, items))) for name, items in groups.items()]
        return transitivity_result(rows)

    async def _verdicts(self, samples: Sequence[Sample]) -> list[Verdict]:
        async def ask(sample: Sample) -> Verdict:
            return await self._verdict(sample, self.file.judge_prompt, 0)

        return await fan_out(ask, samples, self.models.width("judge"))

    async def _verdict(self, sample: Sample, judge_prompt: str, repeat: int) -> Verdict:
        try:
            judgement = await judgement_of(self.models, judge_prompt, sample, repeat)
        except DataError as error:
            judgement = Judgement(Verdict(sample.id, "error", None, str(error)), ())
        self.versions.update(reply.model_version for reply in judgement.replies if reply.model_version)
        return judgement.verdict
