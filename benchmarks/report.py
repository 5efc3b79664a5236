"""Time to make and to open a full report, and the size of the report: `python -m benchmarks.report`.

The gallery has 500 noisy images, so thumbnails use all allowed bytes. Interactive means: headless Chromium has loaded
and drawn the page in a fresh tab, and has answered a click on a filter. The processor time of the renderer is printed
too, because on a busy machine the clock mostly shows the work of other processes.
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
_REPEATS = 5


def full_run(folder: Path) -> Path:
    """Make a run with a full gallery."""
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
    """Return median seconds from navigation to the answer of a click: by the clock, and of the renderer's processor."""
    clock, processor = [], []
    with browser() as chromium:
        for _ in range(_REPEATS):
            view = chromium.new_page(viewport={"width": 1280, "height": 900})
            tools = view.context.new_cdp_session(view)
            tools.send("Performance.enable", {"timeDomain": "threadTicks"})
            began = time.perf_counter()
            view.goto(page.as_uri())
            view.locator("input[name=change][value=fixed]").check()
            view.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
            clock.append(time.perf_counter() - began)
            metrics = {each["name"]: each["value"] for each in tools.send("Performance.getMetrics")["metrics"]}
            processor.append(metrics["ProcessTime"])
            view.close()
    return median(clock), median(processor)


def main() -> None:
    """Print the numbers; exit with an error for a broken bound."""
    with tempfile.TemporaryDirectory() as folder:
        run = full_run(Path(folder) / "set")
        began = time.perf_counter()
        page = asyncio.run(blpo.report(run))
        making, size = time.perf_counter() - began, page.stat().st_size
        opening, processor = seconds_to_open(page)
    load = os.getloadavg()[0]
    print(f"made in {making:.1f} s, {size / 1e6:.1f} MB, {os.cpu_count()} processors at a load of {load:.1f}")
    print(
        f"interactive in {opening:.2f} s, {processor:.2f} s of it the renderer's processor time (medians of {_REPEATS})"
    )
    if size > 15e6 or opening > 2:
        sys.exit("a report must have at most 15 MB and be interactive in under 2 s")


if __name__ == "__main__":
    main()
