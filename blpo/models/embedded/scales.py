"""Scales from raw measures to values from 0 to 100.

A scale is a logistic curve with a fixed middle (50) and width. The middle is about the median over photographs and AI
images; the width spreads these images over all five levels. The curves rise, so that more of an attribute is always a
higher value. The curves do not depend on the dataset. Measures over orders of magnitude have a logarithmic axis.
"""

import math
from dataclasses import dataclass

_FURTHEST = 30.0


@dataclass(frozen=True, slots=True)
class AttributeScale:
    """Rising curve from the raw measure to 0..100."""

    middle: float
    """Raw measure with the value 50."""
    width: float
    """Width: a width from the middle is 27 or 73, two widths are 12 or 88. In natural logarithms on such an axis."""
    log_from: float | None = None
    """Summand before taking the logarithm; None for a linear axis."""

    def value(self, raw: float) -> float:
        """Return the value, from 0 to 100. A raw measure that is not finite counts as the middle."""
        if not math.isfinite(raw):
            return 50.0
        steps = (self._axis(raw) - self._axis(self.middle)) / self.width
        return 100 / (1 + math.exp(-min(max(steps, -_FURTHEST), _FURTHEST)))

    def _axis(self, raw: float) -> float:
        return raw if self.log_from is None else math.log(max(raw + self.log_from, 1e-9))


SCALES: dict[str, AttributeScale] = {
    # tone: luma from 0 to 255
    "brightness": AttributeScale(107, 20),
    "contrast": AttributeScale(62, 10),
    "entropy": AttributeScale(3.7, 0.25),
    "shadow clipping": AttributeScale(0.02, 1.1, log_from=0.001),
    "highlight clipping": AttributeScale(0.01, 1.2, log_from=0.001),
    # colour
    "colourfulness": AttributeScale(44, 0.4, log_from=3),
    "warmth": AttributeScale(14, 22),
    "green tint": AttributeScale(1.5, 8),
    "saturation": AttributeScale(0.74, 0.17),
    "colour clipping": AttributeScale(0.03, 1.1, log_from=0.001),
    "hue variety": AttributeScale(1.9, 0.33),
    "share of blue": AttributeScale(0.05, 0.8, log_from=0.01),
    "share of green": AttributeScale(0.05, 0.8, log_from=0.01),
    "share of skin tones": AttributeScale(0.05, 0.8, log_from=0.01),
    # texture: grey levels, or no unit
    "sharpness": AttributeScale(26, 0.3, log_from=1),
    "blur": AttributeScale(1.7, 0.3, log_from=0.0),
    "noise": AttributeScale(1.5, 0.9, log_from=0.1),
    "blockiness": AttributeScale(0.25, 0.5, log_from=0.3),
    "texture variance": AttributeScale(0.2, 0.26, log_from=0.05),
    "texture skew": AttributeScale(0.04, 0.065),
    "texture smoothness": AttributeScale(0.33, 0.06),
    "texture unevenness": AttributeScale(1.3, 0.35),
    # spectrum
    "fine detail": AttributeScale(-3.5, 0.6),
    "spectral slope": AttributeScale(-2.95, 0.3),
    "spectral bend": AttributeScale(-0.85, 0.6),
    "spectral residual": AttributeScale(0.37, 0.1),
    # composition
    "edge density": AttributeScale(0.125, 0.4, log_from=0.01),
    "flat area": AttributeScale(0.21, 0.5, log_from=0.01),
    "local contrast": AttributeScale(17.5, 0.27, log_from=1),
    "edge coherence": AttributeScale(0.685, 0.085),
    "symmetry": AttributeScale(0.33, 0.18),
    "focus on the centre": AttributeScale(0.45, 0.38),
    "light from above": AttributeScale(20, 25),
}
