"""Figures against table.json: tests read the values of marks from the SVG, by the ticks of the axes."""

import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

import pytest

from blpo.cli.evals import _draw
from evals.cell_results import CellResult, Readings
from evals.experiment_settings import EvalSettings
from evals.figure_data import AXES
from evals.figures import figure_svg, main, write_figure
from evals.methods import METHODS
from evals.paired_tests import PairedTest
from evals.published import Published
from evals.table import TableRow
from state.errors import RunError
from tests.chromium import browser, watched_page

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"
TICK = 0.002
"""Tolerance of a value read from the drawing."""
NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def experiment(sweeps: dict[str, list[int]], methods: list[str], datasets: int = 2) -> dict[str, Any]:
    """The content of a table.json: three seeds of each method and value, drawn by a formula."""
    evals = EvalSettings.model_validate(
        {
            "methods": methods,
            "datasets": [{"name": f"set{place}"} for place in range(datasets)],
            "judges": [{"name": "embedded"}],
            "seeds": [0, 1, 2],
            "budget": {"calls": 800},
            "search": {"error_batch": 10, "inner_steps": 5},
            "sweeps": sweeps,
        }
    )
    varied = [
        "",
        *(
            f"{name}={value}"
            for name, values in sweeps.items()
            for value in values
            if value != getattr(evals.search, name)
        ),
    ]
    cells, rows = [], []
    for place, dataset in enumerate(evals.datasets):
        for change, what in enumerate(varied):
            for number, method in enumerate(methods):
                values = [0.3 + 0.2 * place + 0.02 * number + 0.01 * change + 0.02 * seed for seed in evals.seeds]
                cells += [
                    CellResult(f"{method}-{seed}", method, dataset.name, "embedded", seed, what, "done", value=value)
                    for seed, value in zip(evals.seeds, values, strict=True)
                ]
                rows.append(row(method, dataset.name, what, fmean(values)))
    return {
        "experiment": evals.model_dump(mode="json"),
        "rows": [asdict(each) for each in rows],
        "cells": [asdict(cell) for cell in cells],
    }


def row(method: str, dataset: str, varied: str, mean: float) -> TableRow:
    test = None if method == "blpo" else PairedTest(0.1, (0.03, 0.17), 0.004, 0.0123, 3, 100, 100, 0)
    paper = Published(0.41, 0.5) if method == "none" and dataset == "set0" else None
    return TableRow(
        method, METHODS[method].title, dataset, "embedded", varied, "select best", "macro_f1", "search", 3, 3,
        mean, 0.02, 0.3, 0.4, None, None, Readings(mean, mean), None, None, 1.0, 300, 800.0, 800, 1e5, 0.0, 1.0, test,
        paper, (),
    )  # fmt: skip


METHODS_SHOWN = experiment({}, list(METHODS))
LINES_SHOWN = experiment({"error_batch": [1, 5, 10, 30], "inner_steps": [0, 3]}, ["apo_image", "blpo"])


def groups(parent: ET.Element, role: str) -> list[ET.Element]:
    return [group for group in parent.iter(f"{SVG}g") if f"role-{role}" in group.get("class", "").split()]


def moved(element: ET.Element) -> tuple[float, float]:
    """The translation of an element."""
    match = re.match(rf"translate\(({NUMBER}),({NUMBER})\)", element.get("transform", ""))
    assert match is not None
    return float(match[1]), float(match[2])


def ticks(panel: ET.Element, axis: Literal["x", "y"]) -> dict[float, float]:
    """Places of the ticks of an axis, by their values."""
    side = 0 if axis == "x" else 1
    places = {}
    for group in groups(panel, "axis"):
        if group.get("aria-label", "").startswith(f"{axis.upper()}-axis"):
            frame = group.find(f"{SVG}g")
            assert frame is not None
            marks = [line for each in groups(frame, "axis-tick") for line in each]
            texts = [text.text or "" for each in groups(frame, "axis-label") for text in each]
            for mark, text in zip(marks, texts, strict=True):
                places[float(text.replace("\N{MINUS SIGN}", "-"))] = moved(frame)[side] + moved(mark)[side]
    return places


def value_at(places: dict[float, float], place: float) -> float:
    """The value of a place on an axis."""
    (low, start), (high, end) = min(places.items()), max(places.items())
    return low + (place - start) / (end - start) * (high - low)


def panels(root: ET.Element) -> list[ET.Element]:
    scopes = [group for group in groups(root, "scope") if groups(group, "axis")]
    return [group for group in scopes if all(inner is group or inner not in scopes for inner in group.iter(f"{SVG}g"))]


def described(panel: ET.Element) -> dict[str, ET.Element]:
    """Marks of a panel by their descriptions."""
    marks = [mark for group in groups(panel, "mark") for mark in group.iter(f"{SVG}path")]
    return {mark.get("aria-label", ""): mark for mark in marks}


def test_each_mean_stands_where_the_table_says() -> None:
    root = ET.fromstring(figure_svg(METHODS_SHOWN))
    means = {}
    for panel in panels(root):
        across = ticks(panel, "x")
        for name, mark in described(panel).items():
            if ": mean " in name:
                x, y = moved(mark)
                means[name] = (value_at(across, x), y)
    rows = METHODS_SHOWN["rows"]
    names = [f"{row['dataset']}, judge embedded, {row['title']}: mean {row['mean']:.3f}" for row in rows]
    assert list(means) == names
    for name, row in zip(names, rows, strict=True):
        assert means[name][0] == pytest.approx(row["mean"], abs=TICK)
    heights = [height for _, height in means.values()][: len(METHODS)]
    assert heights == sorted(heights), "the first method is at the top"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert all(f"{row['mean']:.3f}" in texts for row in rows)
    assert texts.count("0.012") == 2 * (len(METHODS) - 1)
    assert "does not show how multimodal LLMs behave" in " ".join(root.itertext())


def test_lines_pass_through_the_means() -> None:
    settings = {title: setting for setting, title in AXES.items()}
    methods = {METHODS[name].title: name for name in METHODS}
    means = {}
    for panel in panels(ET.fromstring(figure_svg(LINES_SHOWN))):
        across, up = ticks(panel, "x"), ticks(panel, "y")
        for name, path in described(panel).items():
            dataset, _, method, title, *_ = [*name.split(", "), "", "", ""]
            if title not in settings:
                continue  # a seed, an interval, or a mean, whose title ends with the value
            for x, y in re.findall(rf"[ML]({NUMBER}),({NUMBER})", path.get("d", "")):
                value, setting = value_at(across, float(x)), settings[title]
                varied = "" if (setting, round(value)) == ("error_batch", 10) else f"{setting}={value:.0f}"
                means[dataset, varied, methods[method]] = value_at(up, float(y))
    expected = {
        (row["dataset"], row["varied"], row["method"]): row["mean"]
        for row in LINES_SHOWN["rows"]
        if row["varied"] != "error_batch=10"
    }
    assert means == {key: pytest.approx(mean, abs=TICK) for key, mean in expected.items()}


@pytest.mark.parametrize("content", [METHODS_SHOWN, LINES_SHOWN], ids=["methods", "lines"])
def test_a_figure_refers_to_nothing_outside_it_and_is_the_same_again(content: dict[str, Any]) -> None:
    text = figure_svg(content)
    assert text.startswith("<svg")
    assert set(re.findall(r"https?:[^\"<>]*", text)) == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
    assert all(link.startswith("#") for each in ET.fromstring(text).iter() if (link := each.get(XLINK)))
    assert set(re.findall(r"url\((.)", text)) <= {"#"}
    assert figure_svg(content) == text


def test_labels_are_readable_in_a_browser(tmp_path: Path) -> None:
    """All texts lie within the drawing, no two texts overlap, and the figure requests nothing."""
    boxes = """[...document.querySelectorAll("text")].map(text => {
        const box = text.getBoundingClientRect();
        return {text: text.textContent, box: [box.left, box.top, box.right, box.bottom]};
    })"""
    size = "(({right, bottom}) => [right, bottom])(document.documentElement.getBoundingClientRect())"
    with browser() as chromium:
        for content in (METHODS_SHOWN, LINES_SHOWN):
            path = write_figure(content, tmp_path)
            with watched_page(chromium, path, width=1700) as page:
                width, height = page.evaluate(size)
                texts = page.evaluate(boxes)
            assert len(texts) > 30
            for place, one in enumerate(texts):
                start, top, end, bottom = one["box"]
                assert start >= 0 and top >= 0 and end <= width and bottom <= height, one
                assert all(apart(one["box"], other["box"]) for other in texts[place + 1 :]), one


def apart(one: list[float], other: list[float]) -> bool:
    """True if two boxes do not overlap; lines of text may touch."""
    touching = 1.5
    return any(one[k + 2] <= other[k] + touching or other[k + 2] <= one[k] + touching for k in (0, 1))


@pytest.mark.parametrize("content", [METHODS_SHOWN, LINES_SHOWN], ids=["methods", "lines"])
def test_every_seed_is_within_its_panel(content: dict[str, Any]) -> None:
    for panel in panels(ET.fromstring(figure_svg(content))):
        background = next(path for path in panel.iter(f"{SVG}path") if path.get("class") == "background")
        corner = re.fullmatch(rf"M({NUMBER}),({NUMBER})h({NUMBER})v({NUMBER})h-\d+Z", background.get("d", ""))
        assert corner is not None
        start, top, width, height = map(float, corner.groups())
        symbols = [group for group in groups(panel, "mark") if "mark-symbol" in group.get("class", "")]
        marks = [moved(path) for group in symbols for path in group]
        assert len(marks) > 6
        assert all(start - 1 <= x <= start + width + 1 and top - 1 <= y <= top + height + 1 for x, y in marks)


def test_a_method_without_results_keeps_its_place() -> None:
    content = experiment({}, ["none", "opro", "blpo"])
    for cell in content["cells"]:
        if (cell["method"], cell["dataset"]) == ("opro", "set1"):
            cell["status"] = "failed"
    root = ET.fromstring(figure_svg(content))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("no result") == 1
    heights = [
        [moved(mark)[1] for name, mark in described(panel).items() if ", BLPO: mean" in name] for panel in panels(root)
    ]
    assert len(heights[0]) == 1
    assert heights[0] == heights[1]


def test_nothing_to_draw_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = experiment({}, ["none"])
    for cell in content["cells"]:
        cell["status"] = "open"
    with pytest.raises(RunError, match="no cell has a result"):
        figure_svg(content)
    _draw(content, tmp_path)
    assert capsys.readouterr().err == "blpo: no figure: there is nothing to draw: no cell has a result\n"
    assert main([str(tmp_path)]) == 2
    assert "finish the experiment first" in capsys.readouterr().err
