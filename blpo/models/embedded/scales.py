"""How a raw measure becomes a value from 0 to 100.

A logistic curve with a fixed middle (50) and width: the middle is about the median over photographs and AI images, and
the width spreads them over all five levels. The curves rise, so that more of an attribute is always a higher value, and
they know nothing of the dataset at hand. Measures that span orders of magnitude are put on a logarithmic axis first.
"""

import math
from dataclasses import dataclass

_FURTHEST = 30.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A rising curve from the raw measure to 0..100."""

    middle: float
    """The raw measure that is worth 50."""
    width: float
    """One width from the middle is 27 or 73, two are 12 or 88; on a logarithmic axis in natural logarithms."""
    log_from: float | None = None
    """Added to the raw measure before its logarithm is taken; None: the axis is linear."""

    def value(self, raw: float) -> float:
        """Return the value, from 0 to 100; a raw measure that is not finite counts as the middle."""
        if not math.isfinite(raw):
            return 50.0
        steps = (self._axis(raw) - self._axis(self.middle)) / self.width
        return 100 / (1 + math.exp(-min(max(steps, -_FURTHEST), _FURTHEST)))

    def _axis(self, raw: float) -> float:
        return raw if self.log_from is None else math.log(max(raw + self.log_from, 1e-9))


SCALES: dict[str, Scale] = {
    # colour.tone: luma from 0 to 255
    "brightness": Scale(107, 20),
    "contrast": Scale(62, 10),
    "entropy": Scale(3.7, 0.25),
    "shadow clipping": Scale(0.02, 1.1, log_from=0.001),
    "highlight clipping": Scale(0.01, 1.2, log_from=0.001),
    # colour.colour
    "colourfulness": Scale(44, 0.4, log_from=3),
    "warmth": Scale(14, 22),
    "green tint": Scale(1.5, 8),
    "saturation": Scale(0.74, 0.17),
    "colour clipping": Scale(0.03, 1.1, log_from=0.001),
    "hue variety": Scale(1.9, 0.33),
    "share of blue": Scale(0.05, 0.8, log_from=0.01),
    "share of green": Scale(0.05, 0.8, log_from=0.01),
    "share of skin tones": Scale(0.05, 0.8, log_from=0.01),
    # texture: grey levels, or free of units
    "sharpness": Scale(26, 0.3, log_from=1),
    "blur": Scale(1.7, 0.3, log_from=0.0),
    "noise": Scale(1.5, 0.9, log_from=0.1),
    "blockiness": Scale(0.25, 0.5, log_from=0.3),
    "texture variance": Scale(0.2, 0.26, log_from=0.05),
    "texture skew": Scale(0.04, 0.065),
    "texture smoothness": Scale(0.33, 0.06),
    "texture unevenness": Scale(1.3, 0.35),
    # spectrum
    "fine detail": Scale(-3.5, 0.6),
    "spectral slope": Scale(-2.95, 0.3),
    "spectral bend": Scale(-0.85, 0.6),
    "spectral residual": Scale(0.37, 0.1),
    # layout
    "edge density": Scale(0.125, 0.4, log_from=0.01),
    "flat area": Scale(0.21, 0.5, log_from=0.01),
    "local contrast": Scale(17.5, 0.27, log_from=1),
    "edge coherence": Scale(0.685, 0.085),
    "symmetry": Scale(0.33, 0.18),
    "focus on the centre": Scale(0.45, 0.38),
    "light from above": Scale(20, 25),
}
