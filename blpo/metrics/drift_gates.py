"""Gates on drift: bounds such as `drift:flips<=0.05` or `drift:difference>=-0.02`."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from blpo.metrics.drift import Drift
from blpo.metrics.gate import OPERATORS
from state.errors import ConfigError

_GATE = re.compile(
    r"(?:^|,)\s*drift:\s*(?P<name>\w+)\s*(?P<sign>[<>]=?)\s*(?P<bound>[+-]?(?:\d+\.?\d*|\.\d+))\s*(?=,|\Z)"
)
_VALUES: dict[str, Callable[[Drift], float | None]] = {
    "flips": lambda drift: drift.share,
    "p_value": lambda drift: None if drift.agreement is None else drift.agreement.p_value,
    "difference": lambda drift: _difference(drift),
}


@dataclass(frozen=True, slots=True)
class DriftGate:
    """A value of the drift and its bound: `flips`, `p_value`, or `difference` (agreement after - before)."""

    name: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"drift:{self.name}{self.sign}{self.bound:g}"

    def value(self, drift: Drift) -> float | None:
        """Return the value, rounded to 12 decimals; None if undefined."""
        number = _VALUES[self.name](drift)
        return None if number is None else round(number, 12)

    def is_kept(self, drift: Drift) -> bool:
        """Return True if the value keeps its bound. An undefined value keeps no bound."""
        number = self.value(drift)
        return number is not None and OPERATORS[self.sign](number, self.bound)

    def reason_undefined(self, drift: Drift) -> str:
        """Return the reason for an undefined value."""
        return "no sample of the baseline is among the inputs" if not drift.samples else "no such sample has a label"


def divide_gates(texts: Iterable[str]) -> tuple[list[DriftGate], list[str]]:
    """Return the gates on drift in the texts, and the texts without them; raises `ConfigError` for an unknown value."""
    drift, others = list[DriftGate](), list[str]()
    for text in texts:
        drift += [_drift_gate(match) for match in _GATE.finditer(text)]
        rest = _GATE.sub("", text).strip().removeprefix(",")
        if rest or not text.strip():
            others.append(rest)
    return drift, others


def _drift_gate(match: re.Match[str]) -> DriftGate:
    if match["name"] not in _VALUES:
        raise ConfigError(f"gate drift:{match['name']}: unknown value; known are {', '.join(_VALUES)}")
    return DriftGate(match["name"], match["sign"], float(match["bound"]))


def _difference(drift: Drift) -> float | None:
    change = drift.agreement
    return None if change is None or change.before is None or change.after is None else change.after - change.before
