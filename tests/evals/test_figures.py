"""What figures show is what table.json holds: marks are read back from the SVG through the ticks of their axis."""

import re
import xml.etree.ElementTree as ET
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from blpo.cli.evals import _draw
from evals.cell_results import CellResult
from evals.experiment_settings import EvalSettings
from evals.figures import main, svg, write_figure
from evals.methods import METHODS
from evals.published import Published
from evals.table import PairedTest, TableRow
from state.errors import RunError
from tests.chromium import browser, watched_page

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"
TICK = 0.002
"""How far a value read from the drawing may be from the true one: ticks are written with two decimals or so."""


def experiment(sweeps: dict[str, list[int]], methods: list[str], datasets: int = 2) -> dict[str, Any]:
    """The content of a table.json: three seeds of each method and value, drawn by a formula."""
    evals = EvalSettings.model_validate(
        {
            "methods": methods,
            "datasets": [{"name": f"set{place}"} for place in range(datasets)],
            "judges": [{"name": "embedded"}],
            "seeds": [0, 1, 2],
            "budget": {"calls": 800},
            "sweeps": sweeps,
        }
    )
    varied = ["", *(f"{name}={value}" for name, values in sweeps.items() for value in values)]
    cells, rows = [], []
    for place, dataset in enumerate(evals.datasets):
        for change, what in enumerate(varied):
            for number, method in enumerate(methods):
                values = [0.3 + 0.2 * place + 0.03 * number + 0.01 * change + 0.02 * seed for seed in evals.seeds]
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
    test = None if method == "blpo" else PairedTest(0.1, 0.004, 0.0123, 3, 100)
    paper = Published(0.41, 0.5) if method == "none" and dataset == "set0" else None
    return TableRow(
        method, METHODS[method].title, dataset, "embedded", varied, "macro_f1", 3, 3, mean, 0.02, 0.3, 0.4, 1.0, 300,
        800.0, 800, 1e5, 0.0, 1.0, test, paper, (),
    )  # fmt: skip


METHODS_SHOWN = experiment({}, list(METHODS))
LINES_SHOWN = experiment({"error_batch": [1, 5, 10, 30], "inner_steps": [0, 3]}, ["apo_image", "blpo"])


def places(axes: ET.Element, axis: str) -> dict[float, float]:
    """Where the ticks of an axis are, by the value written there."""
    found = {}
    for tick in (group for group in axes.iter(f"{SVG}g") if group.get("id", "").startswith(f"{axis}tick_")):
        mark, text = tick.find(f".//{SVG}use"), tick.find(f".//{SVG}text")
        if mark is not None and text is not None:
            found[float((text.text or "").replace("\N{MINUS SIGN}", "-"))] = float(mark.get(axis, "nan"))
    return found


def read(ticks: dict[float, float], place: float) -> float:
    """The value that a place on the axis stands for."""
    (low, start), (high, end) = min(ticks.items()), max(ticks.items())
    return low + (place - start) / (end - start) * (high - low)


def panels(root: ET.Element) -> list[ET.Element]:
    return [group for group in root.iter(f"{SVG}g") if group.get("id", "").startswith("axes_")]


def test_each_mean_stands_where_the_table_says() -> None:
    root = ET.fromstring(svg(METHODS_SHOWN))
    shown = {}
    for axes in panels(root):
        ticks = places(axes, "x")
        for group in axes.iter(f"{SVG}g"):
            if group.get("id", "").startswith("mean:"):
                mark = group.find(f".//{SVG}use")
                assert mark is not None
                shown[group.get("id")] = (read(ticks, float(mark.get("x", "nan"))), float(mark.get("y", "nan")))
    rows = METHODS_SHOWN["rows"]
    names = [f"mean:{row['dataset']}:embedded:{row['method']}" for row in rows]
    assert list(shown) == names
    for name, row in zip(names, rows, strict=True):
        assert shown[name][0] == pytest.approx(row["mean"], abs=TICK)
    heights = [height for _, height in shown.values()][: len(METHODS)]
    assert heights == sorted(heights), "the first method is at the top"
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert all(f"{row['mean']:.3f}" in texts for row in rows)
    assert texts.count("0.012") == 2 * (len(METHODS) - 1)
    assert any("does not show how multimodal LLMs behave" in (text or "") for text in texts)


def test_lines_pass_through_the_means() -> None:
    root = ET.fromstring(svg(LINES_SHOWN))
    shown = {}
    heights: dict[str, dict[float, float]] = {}
    for axes in panels(root):
        across, up = places(axes, "x"), places(axes, "y")
        for group in axes.iter(f"{SVG}g"):
            if group.get("id", "").startswith("line:"):
                _, dataset, _, setting, method = group.get("id", "").split(":")
                heights.setdefault(dataset, up)  # the panels of a row share the axis of the first
                path = group.find(f"{SVG}path")
                assert path is not None
                for x, y in re.findall(r"[ML] (\S+) (\S+)", path.get("d", "")):
                    value = read(across, float(x))
                    what = "" if (setting, round(value)) in {("error_batch", 10)} else f"{setting}={value:.0f}"
                    shown[dataset, what, method] = read(heights[dataset], float(y))
    expected = {
        (row["dataset"], row["varied"], row["method"]): row["mean"]
        for row in LINES_SHOWN["rows"]
        if row["varied"] != "error_batch=10"
    }
    assert shown == {key: pytest.approx(mean, abs=TICK) for key, mean in expected.items()}


@pytest.mark.parametrize("content", [METHODS_SHOWN, LINES_SHOWN], ids=["methods", "lines"])
def test_a_figure_refers_to_nothing_outside_it_and_is_the_same_again(content: dict[str, Any]) -> None:
    text = svg(content)
    assert text.startswith("<svg")
    assert set(re.findall(r"https?:[^\"<>]*", text)) == {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
    assert all(link.startswith("#") for each in ET.fromstring(text).iter() if (link := each.get(XLINK)))
    assert set(re.findall(r"url\((.)", text)) == {"#"}
    assert svg(content) == text


def test_labels_are_readable_in_a_browser(tmp_path: Path) -> None:
    """All text lies within the drawing, none over another, and nothing is asked for."""
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
                found = page.evaluate(boxes)
            assert len(found) > 30
            for place, one in enumerate(found):
                left, top, right, bottom = one["box"]
                assert left >= 0 and top >= 0 and right <= width and bottom <= height, one
                assert all(apart(one["box"], other["box"]) for other in found[place + 1 :]), one


def apart(one: list[float], other: list[float]) -> bool:
    """Whether two boxes do not overlap; lines of text may touch."""
    touching = 1.5
    return any(one[k + 2] <= other[k] + touching or other[k + 2] <= one[k] + touching for k in (0, 1))


@pytest.mark.parametrize("content", [METHODS_SHOWN, LINES_SHOWN], ids=["methods", "lines"])
def test_every_seed_is_within_its_panel(content: dict[str, Any]) -> None:
    for axes in panels(ET.fromstring(svg(content))):
        background = axes.find(f"{SVG}g/{SVG}path")
        assert background is not None
        corners = [float(number) for number in re.findall(r"[\d.]+", background.get("d", ""))]
        right, bottom = max(corners[::2]) + 0.01, max(corners[1::2]) + 0.01
        left, top = min(corners[::2]) - 0.01, min(corners[1::2]) - 0.01
        drawn = [group for group in axes if not group.get("id", "").startswith("legend")]
        marks = [
            (float(use.get("x", "nan")), float(use.get("y", "nan")))
            for group in drawn
            for use in group.iter(f"{SVG}use")
        ]
        assert len(marks) > 6
        assert all(left <= x <= right and top <= y <= bottom for x, y in marks)


def test_a_method_without_results_keeps_its_place() -> None:
    content = experiment({}, ["none", "opro", "blpo"])
    for cell in content["cells"]:
        if (cell["method"], cell["dataset"]) == ("opro", "set1"):
            cell["status"] = "failed"
    root = ET.fromstring(svg(content))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts.count("no result") == 1
    marks = {group.get("id"): group.find(f".//{SVG}use") for group in root.iter(f"{SVG}g")}
    first, second = (marks[f"mean:set{place}:embedded:blpo"] for place in (0, 1))
    assert first is not None and second is not None
    assert first.get("y") == second.get("y")


def test_nothing_to_draw_is_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = experiment({}, ["none"])
    for cell in content["cells"]:
        cell["status"] = "open"
    with pytest.raises(RunError, match="no cell has a result"):
        svg(content)
    _draw(content, tmp_path)
    assert capsys.readouterr().err == "blpo: no figure: there is nothing to draw: no cell has a result\n"
    assert main([str(tmp_path)]) == 2
    assert "finish the experiment first" in capsys.readouterr().err
