"""Sentences about the difference from an earlier judging."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from blpo.runs.wording import counted, figure, metric_name, probability, single_line

if TYPE_CHECKING:
    from blpo.deployment.baseline import DriftRecord, FlipRecord

_MOST_CHANGES = 10
_PARTS = {"prompt": "prompt", "model": "model", "version": "version as served"}


def drift_sentences(drift: "DriftRecord") -> Iterator[str]:
    """Yield flips with their interval, the flips by label, agreement at both times, and changes of the judge."""
    if drift["flips_share"] is None or drift["flips_ci95"] is None:
        yield "no sample of the baseline is among the inputs: nothing to compare"
        return
    interval = "{:.1%} to {:.1%}".format(*drift["flips_ci95"])
    size = counted(drift["samples"], "sample")
    yield f"{drift['flips']} of {size} changed the label since the baseline: {drift['flips_share']:.1%} ({interval})"
    if drift["changes"]:
        yield ", ".join(map(_change, drift["changes"][:_MOST_CHANGES]))
    if drift["unmatched"]:
        yield f"not in the baseline: {counted(drift['unmatched'], 'sample')} of the inputs"
    if (change := drift["agreement"]) is not None:
        low, high = change["difference_ci95"]
        values = f"{figure(change['before'])} before, {figure(change['after'])} after"
        yield (
            f"{metric_name(change['metric'])} {values}: difference {low:+.3f} to {high:+.3f},"
            f" {probability(change['p_value'])}"
        )
    for part, name in _PARTS.items():
        before, after = (_values(judges, part) for judges in (drift["judges_before"], drift["judges_after"]))
        if before != after and before:
            yield f"another {name} than in the baseline: {before} before, {after or 'not told'} after"


def _change(flip: "FlipRecord") -> str:
    before, after = ("none" if label is None else single_line(str(label)) for label in (flip["before"], flip["after"]))
    return f"{before} to {after}: {flip['samples']}"


def _values(judges: Sequence[Mapping[str, str]], part: str) -> str:
    return single_line(", ".join(sorted({judge[part] for judge in judges if part in judge})))
