"""Section of the report on the confidence of the judge, with a reliability plot."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.deployment.run_confidence import RunConfidence, read_run_confidence
from blpo.reports.chart_svg import ACCENT, EDGE, Layer, specification
from blpo.reports.charts import Chart


@dataclass(frozen=True, slots=True)
class ConfidenceSection:
    """Numbers and plot of a run's confidence."""

    content: RunConfidence
    chart: Chart | None
    """Agreement by confidence; None without a sample."""

    @property
    def tells_right_from_wrong(self) -> bool:
        """True if the surer half agrees with people more often than all."""
        quality = self.content["confidence"]["quality"]
        return quality is not None and quality["agreement_at_half"] > quality["agreement"]


def confidence_section(run: Path) -> ConfidenceSection | None:
    """Return the section; None for a run whose confidence was not measured. Raises `RunError` for a damaged file."""
    content = read_run_confidence(run)
    return None if content is None else ConfidenceSection(content, reliability_chart(content))


def reliability_chart(content: RunConfidence) -> Chart | None:
    """Draw the agreement in each bin of confidence, beside the diagonal of an honest confidence."""
    rows: list[dict[str, Any]] = [
        {
            **each,
            "title": f"{each['samples']} of confidence {each['confidence']:.2f}: agreement {each['agreement']:.2f}",
        }
        for each in content["confidence"]["bins"]
    ]
    if not rows:
        return None
    share = {"type": "quantitative", "scale": {"domain": [0, 1]}}
    x = {"field": "confidence", "title": "confidence", "axis": {"tickCount": 5, "grid": False}, **share}
    y = {"field": "agreement", "title": None, "axis": {"tickCount": 5}, **share}
    size = {"field": "samples", "type": "quantitative", "legend": None, "scale": {"range": [30, 400]}}
    described = {"color": {"value": ACCENT}, "description": {"field": "title", "type": "nominal"}}
    layers: list[Layer] = [
        {
            "data": {"values": [{"confidence": end, "agreement": end} for end in (0, 1)]},
            "mark": {"type": "line", "color": EDGE, "strokeDash": [5, 4], "strokeWidth": 1.25},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1},
            "encoding": {"x": x, "y": y, "size": size, **described},
        },
    ]
    title = "Agreement with people by confidence, on the test split"
    return Chart(title, specification(layers, rows), tuple(row["title"] for row in rows))
