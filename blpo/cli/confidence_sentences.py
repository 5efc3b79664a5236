"""Sentences about the confidences of a judged set."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blpo.runs.wording import counted, dollars, figure

if TYPE_CHECKING:
    from blpo.deployment.confidence_summary import ConfidenceRecord, TrustRecord
    from blpo.deployment.escalation import EscalationRecord
    from blpo.deployment.summary import TaskSummary

_CALIBRATIONS = {
    "none": "left as the model tells it: no calibration helped",
    "platt": "calibrated by Platt's curve",
    "isotonic": "calibrated by isotonic regression",
}


def confidence_sentences(summary: "TaskSummary") -> Iterator[str]:
    """Yield source and calibration, the quality on labelled samples, and the trusted share."""
    if (record := summary.get("confidence")) is None:
        return
    heading = f"confidence by {record['source']}: {record['samples']} of {counted(summary['judged'], 'sample')}"
    if record["calibrated_on"] is None:
        yield f"{heading}, as the model tells it; --calibrate-on FILE calibrates it"
    else:
        yield f"{heading}, {_CALIBRATIONS[record['calibration'] or 'none']} ({record['calibration_samples']} labelled)"
    yield from quality_sentences(record)
    if (trust := summary.get("trust")) is not None:
        yield _trusted(trust, summary["judged"])
        if trust.get("test_used_up"):
            yield (
                "the test split of the judge's run set this threshold and is used up: its agreement no longer tells how"
                " good the trusted verdicts are (test_used_up in judge.yaml)"
            )
    if (second := summary.get("escalation")) is not None:
        yield _escalated(second, summary["judged"])


def quality_sentences(record: "ConfidenceRecord") -> Iterator[str]:
    """Yield the quality of the confidences on labelled samples; nothing without any."""
    if (quality := record["quality"]) is not None:
        yield (
            f"over {quality['samples']} labelled: calibration error {figure(quality['ece'])}, Brier"
            f" {figure(quality['brier'])}, AUROC {figure(quality['auroc'])}; the surer half agrees in"
            f" {quality['agreement_at_half']:.1%}, all in {quality['agreement']:.1%}"
        )
        if quality["agreement_at_half"] <= quality["agreement"]:
            yield "the confidence does not tell right verdicts from wrong ones on these samples: don't rely on it"
    for name, figures in record.get("ratings", {}).items():
        yield f"{name} rating: MAE {figure(figures['mae'])}, Spearman {figure(figures['spearman'])}"


def _trusted(trust: "TrustRecord", samples: int) -> str:
    share = "undefined" if trust["coverage"] is None else f"{trust['coverage']:.1%}"
    return (
        f"trusted: {trust['trusted']} of {counted(samples, 'sample')} (coverage {share}), with an agreement of at least"
        f" {trust['target_agreement']:g} at delta {trust['delta']:g}; {trust['labelled_wrong']} of"
        f" {trust['labelled_trusted']} such labelled verdicts are wrong"
    )


def _escalated(second: "EscalationRecord", samples: int) -> str:
    calls = second["calls"]
    return (
        f"escalated to {second['model']}: {second['escalated']} of {counted(samples, 'sample')}, for"
        f" {counted(calls['issued'], 'call')} and {dollars(calls['usd'])} US $"
    )
