"""How long a full report takes to be made and to open, and how large it is: `python -m benchmarks.report`.

500 gallery images so noisy that thumbnails take the bytes they may. Interactive means: the page is loaded, has been
drawn, and a click on a filter has been answered, in headless Chromium with a fresh tab. The renderer's processor time
is told beside it: on a busy machine the clock shows mostly the others.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import blpo
from tests.chromium import browser
from tests.made_run import draw_images, make_run

IMAGES = 700
NOISE = 45.0
OPENED = 5


def made(folder: Path) -> Path:
    """A run whose gallery is full."""
    labels = ["good", "poor"]
    draw_images(folder, [labels[i % 2] for i in range(IMAGES)], 256, NOISE)
    prompts = ["Is it good?", "Is it good?\nLook at the colours."]
    other = {"good": "poor", "poor": "good"}
    return make_run(
        folder,
        {"kind": "categorical", "labels": labels},
        prompts,
        before=lambda i, sample: sample.label if i % 4 == 0 else other[str(sample.label)],
        after=lambda i, sample: sample.label if i % 4 == 1 else other[str(sample.label)],
    )


def seconds_to_open(page: Path) -> tuple[float, float]:
    """From the navigation to the answer to a click, and the renderer's processor time for it; medians."""
    clock, processor = [], []
    with browser() as chromium:
        for _ in range(OPENED):
            view = chromium.new_page(viewport={"width": 1280, "height": 900})
            tools = view.context.new_cdp_session(view)
            tools.send("Performance.enable", {"timeDomain": "threadTicks"})
            began = time.perf_counter()
            view.goto(page.as_uri())
            view.locator("input[name=change][value=fixed]").check()
            view.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            clock.append(time.perf_counter() - began)
            measured = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
            processor.append(measured["ProcessTime"])
            view.close()
    return median(clock), median(processor)


def main() -> None:
    """Print the numbers; fails where a promise is not kept."""
    with tempfile.TemporaryDirectory() as folder:
        run = made(Path(folder) / "set")
        began = time.perf_counter()
        page = asyncio.run(blpo.report(run))
        making, size = time.perf_counter() - began, page.stat().st_size
        opening, processor = seconds_to_open(page)
    load = os.getloadavg()[0]
    print(f"made in {making:.1f} s, {size / 1e6:.1f} MB, {os.cpu_count()} processors at a load of {load:.1f}")
    print(
        f"interactive in {opening:.2f} s, {processor:.2f} s of it the renderer's processor time (medians of {OPENED})"
    )
    if size > 15e6 or opening > 2:
        sys.exit("a report must have at most 15 MB and be interactive in under 2 s")


if __name__ == "__main__":
    main()
