"""Charts of a run's confidence: reliability, agreement by coverage, and agreement by cost of two judges."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from blpo.deployment.run_confidence import FOLDER, RunConfidence, TaskConfidence
from blpo.reports.chart_svg import ACCENT, EDGE, INKS, Layer, specification, standalone_svg
from blpo.reports.charts import Chart
from blpo.storage.whole_files import write_whole

_SHARE = {"type": "quantitative", "scale": {"domain": [0, 1]}}
_DESCRIBED = {"description": {"field": "title", "type": "nominal"}}
_OF_ONE, _OF_BOTH = "verdicts of the judge", "with the second judge"


def confidence_charts(content: TaskConfidence) -> list[Chart]:
    """Return the charts that the numbers allow, agreement by coverage first."""
    charts = coverage_chart(content), cost_chart(content), reliability_chart(content)
    return [chart for chart in charts if chart is not None]


def write_charts(run: Path, content: RunConfidence) -> list[Path]:
    """Write coverage.svg, and cost.svg of two judges, into RUN/confidence/; of several tasks coverage.TASK.svg."""
    return [path for name, part in content.by_task.items() for path in _write(run / FOLDER, name, part)]


def _write(folder: Path, task: str, content: TaskConfidence) -> Iterator[Path]:
    for name, chart in (("coverage", coverage_chart(content)), ("cost", cost_chart(content))):
        path = folder / (f"{name}.{task}.svg" if task else f"{name}.svg")
        path.unlink(missing_ok=True)
        if chart is not None:
            write_whole(path, standalone_svg(chart.specification, chart.title), durable=False)
            yield path


def coverage_chart(content: TaskConfidence) -> Chart | None:
    """Draw the agreement of the surest verdicts by their share, and that of both judges; None without a sample."""
    rows = [_point(_OF_ONE, row["coverage"], row["agreement"]) for row in content["replay"]]
    for each in content.get("cascade", []):
        rows.append(_point(_OF_BOTH, each["coverage"], each["agreement_of_both"]))
    if not rows:
        return None
    x = {**_SHARE, "field": "coverage", "title": "coverage", "axis": {"tickCount": 5, "grid": False, "format": "%"}}
    y = _agreement([row["agreement"] for row in rows])
    names = list(dict.fromkeys(row["series"] for row in rows))
    look = {"domain": names, "range": list(INKS[: len(names)])}
    legend = {"title": None} if len(names) > 1 else None
    base = {"x": x, "y": y, "color": {"field": "series", "type": "nominal", "scale": look, "legend": legend}}
    title = "Agreement with people by coverage, on the test split"
    return Chart(title, specification(_line(base), rows), tuple(row["title"] for row in rows))


def cost_chart(content: TaskConfidence) -> Chart | None:
    """Draw the agreement of both judges by their cost; None without a second judge, and for an unknown price."""
    rows: list[dict[str, Any]] = [
        {
            "usd": row["usd"],
            "agreement": row["agreement_of_both"],
            "title": f"{row['usd']:.4f} US $, coverage {row['coverage']:.1%}: agreement {row['agreement_of_both']:.1%}",
        }
        for row in content.get("cascade", [])
        if row["usd"] is not None
    ]
    if not any(row["usd"] for row in rows):
        return None
    x = {
        "field": "usd",
        "type": "quantitative",
        "title": "US $ of both judges",
        "axis": {"tickCount": 5, "grid": False},
    }
    y = _agreement([row["agreement"] for row in rows])
    base = {"x": x, "y": y, "color": {"value": ACCENT}}
    title = "Agreement with people by cost of both judges, on the test split"
    return Chart(title, specification(_line(base), rows), tuple(row["title"] for row in rows))


def reliability_chart(content: TaskConfidence) -> Chart | None:
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
    x = {**_SHARE, "field": "confidence", "title": "confidence", "axis": {"tickCount": 5, "grid": False}}
    y = {**_SHARE, "field": "agreement", "title": None, "axis": {"tickCount": 5}}
    size = {"field": "samples", "type": "quantitative", "legend": None, "scale": {"range": [30, 400]}}
    layers: list[Layer] = [
        {
            "data": {"values": [{"confidence": end, "agreement": end} for end in (0, 1)]},
            "mark": {"type": "line", "color": EDGE, "strokeDash": [5, 4], "strokeWidth": 1.25},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 1},
            "encoding": {"x": x, "y": y, "size": size, "color": {"value": ACCENT}, **_DESCRIBED},
        },
    ]
    title = "Agreement with people by confidence, on the test split"
    return Chart(title, specification(layers, rows), tuple(row["title"] for row in rows))


def _point(series: str, coverage: float, agreement: float) -> dict[str, Any]:
    title = f"{series}, coverage {coverage:.1%}: agreement {agreement:.1%}"
    return {"series": series, "coverage": coverage, "agreement": agreement, "title": title}


def _agreement(values: Sequence[float]) -> Layer:
    """Return the vertical axis. The axis covers at least a tenth: a tiny difference looks tiny."""
    low, high = min(values), max(values)
    spare = max(0.02, (0.1 - (high - low)) / 2)
    scale = {"domain": [max(0.0, low - spare), min(1.0, high + spare)], "nice": True}
    axis = {"tickCount": 5, "format": ".0%"}
    return {"field": "agreement", "type": "quantitative", "title": None, "scale": scale, "axis": axis}


def _line(base: Layer) -> list[Layer]:
    """Return a line with a described dot at each value."""
    dots = {"type": "point", "filled": True, "size": 45, "opacity": 1}
    return [{"mark": {"type": "line"}, "encoding": base}, {"mark": dots, "encoding": {**base, **_DESCRIBED}}]
