"""Gates of an audit: bounds of a probe's figures, as `audit:repeat.flips<=0.02`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from blpo.audit.results import AuditResult
from blpo.metrics.gate import OPERATORS
from state.errors import ConfigError

_GATE = re.compile(r"\s*audit:(?P<probe>\w+)\.(?P<figure>\w+)\s*(?P<sign>[<>]=?)\s*(?P<bound>\d+\.?\d*|\.\d+)\s*")
_FIGURES = ("flips", "violation")


@dataclass(frozen=True, slots=True)
class AuditGate:
    """A figure of a probe and its bound: `flips` is the share of flips, `violation` that of transitivity."""

    probe: str
    figure: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"audit:{self.probe}.{self.figure}{self.sign}{self.bound:g}"

    def value(self, result: AuditResult) -> float | None:
        """Return the figure; None if the probe was not run or has no sample."""
        probe = result["probes"].get(self.probe)
        if probe is None:
            return None
        return probe.get("rate") if self.figure == "flips" else probe.get("violation")

    def is_kept(self, result: AuditResult) -> bool:
        """Return True if the figure keeps its bound; a missing figure keeps none."""
        value = self.value(result)
        return value is not None and OPERATORS[self.sign](round(value, 12), self.bound)


def parse_audit_gates(text: str, names: Sequence[str]) -> list[AuditGate]:
    """Parse gates, separated by commas; raises `ConfigError` for other texts, and for probes that are not run."""
    gates = []
    for part in text.split(","):
        match = _GATE.fullmatch(part)
        if match is None or match["figure"] not in _FIGURES:
            raise ConfigError(f"gate {part.strip()}: must be audit:PROBE.flips<=NUMBER, as audit:repeat.flips<=0.02")
        if match["probe"] not in names:
            raise ConfigError(f"gate {part.strip()}: the probe is not run; the probes are {', '.join(names)}")
        gates.append(AuditGate(match["probe"], match["figure"], match["sign"], float(match["bound"])))
    return gates


def missed(gates: Sequence[AuditGate], result: AuditResult) -> list[AuditGate]:
    """Return the gates that the audit misses."""
    return [gate for gate in gates if not gate.is_kept(result)]
