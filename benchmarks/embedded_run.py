"""CPU of an embedded run of the built-in sample, without start-up.

    python -m benchmarks.embedded_run [--runs 10] [KEY=VALUE ...]

All runs are made in one process. The first run perceives the images and imports the libraries; the further runs count.
The lines give the processor time of all threads: of the search with its test, and of `blpo.optimize`, which writes the
report too. A busy machine needs more time for the same work, so the smallest value is the bound, and a loop in Python
is timed beside every run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import blpo
from blpo.runs.start_and_resume import start_run

MOST_SECONDS = 2.5
"""Largest processor time of `blpo.optimize`, in seconds."""
_STEPS = 1_500_000


async def search(overrides: list[str]) -> None:
    """Run the search and the test."""
    await start_run(None, overrides=overrides)


async def search_and_report(overrides: list[str]) -> None:
    """Run the search and the test, and write the report."""
    await blpo.optimize(None, overrides=overrides, progress=False)


def seconds_of_run(run: Callable[[list[str]], Awaitable[None]], overrides: Sequence[str]) -> float:
    """Return the processor time of a run in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="blpo-embedded-run-") as folder:
        begin = time.process_time()
        asyncio.run(_awaited(run([f"run.dir={folder}/run", *overrides])))
        return time.process_time() - begin


def seconds_of_loop() -> float:
    """Return the processor time of a fixed loop in Python."""
    begin, cells = time.process_time(), {}
    for step in range(_STEPS):
        cells[step & 1023] = str(step)
    return time.process_time() - begin


async def _awaited(work: Awaitable[None]) -> None:
    await work


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the lines, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings of the runs")
    options = parser.parse_args(arguments)
    seconds_of_run(search_and_report, options.overrides)
    least = 0.0
    for name, run in (("search and test", search), ("with its report", search_and_report)):
        pairs = [(seconds_of_run(run, options.overrides), seconds_of_loop()) for _ in range(options.runs)]
        runs, loops = [seconds for seconds, _ in pairs], [seconds for _, seconds in pairs]
        least = min(runs)
        print(
            f"{name}: {least:.2f} s at least, {median(runs):.2f} s in the median"
            f" (loop: {min(loops):.3f} s, {median(loops):.3f} s)",
            flush=True,
        )
    return 1 if least > MOST_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
