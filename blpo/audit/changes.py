"""Comparison of verdicts before and after the change of a probe."""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.audit.probe import Probe, top_label
from blpo.audit.results import MOST_EXAMPLES, ChangedVerdict, ProbeResult
from blpo.deployment.verdict_lines import image_places
from blpo.metrics.probe_rates import ProbeRates
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """A sample with the verdicts before and after the change; neither is an error."""

    sample: Sample
    before: Verdict
    after: Verdict

    @property
    def is_flip(self) -> bool:
        """True if the answers differ; for a pair, in any order."""
        return _answers(self.before) != _answers(self.after)

    def shift(self, task: TaskSettings) -> int:
        """Return the change to a higher rating (in steps), or to the label that pressure asks for (1, -1 away)."""
        before, after = self.before.label, self.after.label
        if before is None or after is None or task.kind not in ("ordinal", "categorical"):
            return 0
        if task.kind == "ordinal":
            return int(after) - int(before)
        top = top_label(task)
        return int(after == top) - int(before == top)


def probe_result(probe: Probe, changes: Sequence[Change], errors: int, task: TaskSettings) -> ProbeResult:
    """Return the rates of a probe. For a degraded image the flips that count are those to a better rating."""
    sign = -1 if probe.expects == "not better" and task.higher_is == "worse" else 1
    shifts = [sign * change.shift(task) for change in changes]
    up, down = sum(shift > 0 for shift in shifts), sum(shift < 0 for shift in shifts)
    is_one_sided = probe.expects == "not better"
    rates = ProbeRates(len(changes), up if is_one_sided else sum(c.is_flip for c in changes), up, down)
    flips = [
        (shift, change)
        for shift, change in zip(shifts, changes, strict=True)
        if (shift > 0 if is_one_sided else change.is_flip)
    ]
    flips.sort(key=lambda flip: -abs(flip[0]))
    return ProbeResult(
        assumption=probe.assumption,
        n=rates.n,
        errors=errors,
        flips=rates.flips,
        rate=rates.rate,
        ci95=None if rates.interval is None else list(rates.interval),
        up=up,
        down=down,
        p_value=rates.p_up if is_one_sided else rates.p_value,
        examples=[_example(change) for _, change in flips[:MOST_EXAMPLES]],
    )


def answer_text(verdict: Verdict) -> str:
    """Return the label, or the status without a label; for a pair the answers in all orders."""
    return ", ".join(_answers(verdict))


def _answers(verdict: Verdict) -> list[str]:
    parts = verdict.orders or (verdict,)
    return [str(part.label) if part.label is not None else part.status for part in parts]


def _example(change: Change) -> ChangedVerdict:
    return ChangedVerdict(
        id=change.sample.id,
        images=image_places(change.sample),
        before=answer_text(change.before),
        after=answer_text(change.after),
        reason=change.after.reason,
    )
