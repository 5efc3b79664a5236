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
from collections.abc import Callable, Coroutine, Sequence
from statistics import median
from typing import Any

import blpo
from blpo.runs.start_and_resume import start_run
from state.errors import BlpoError

MOST_SECONDS = 2.5
"""Largest processor time of `blpo.optimize`, in seconds."""
_STEPS = 1_500_000
Work = Callable[[Sequence[str]], Coroutine[Any, Any, None]]
"""A run with overrides of its settings."""


async def search(overrides: Sequence[str]) -> None:
    """Run the search and the test."""
    await start_run(None, overrides=overrides)


async def search_and_report(overrides: Sequence[str]) -> None:
    """Run the search and the test, and write the report."""
    await blpo.optimize(None, overrides=overrides, progress=False)


def seconds_of_run(run: Work, overrides: Sequence[str]) -> float:
    """Return the processor time of a run in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="blpo-embedded-run-") as folder:
        begin = time.process_time()
        asyncio.run(run([f"run.dir={folder}/run", *overrides]))
        return time.process_time() - begin


def seconds_of_loop() -> float:
    """Return the processor time of a fixed loop in Python."""
    begin, cells = time.process_time(), {}
    for step in range(_STEPS):
        cells[step & 1023] = str(step)
    return time.process_time() - begin


def measure(name: str, run: Work, runs: int, overrides: Sequence[str]) -> float:
    """Print the processor times of `runs` runs, and return the smallest."""
    pairs = [(seconds_of_run(run, overrides), seconds_of_loop()) for _ in range(runs)]
    times, loops = [seconds for seconds, _ in pairs], [seconds for _, seconds in pairs]
    print(
        f"{name}: {min(times):.2f} s at least, {median(times):.2f} s in the median"
        f" (loop: {min(loops):.3f} s, {median(loops):.3f} s)",
        flush=True,
    )
    return min(times)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the lines, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="settings of the runs")
    options = parser.parse_args(arguments)
    if options.runs < 1:
        parser.error("--runs: give at least 1")
    try:
        seconds_of_run(search_and_report, options.overrides)
        measure("search and test", search, options.runs, options.overrides)
        least = measure("with its report", search_and_report, options.runs, options.overrides)
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 1 if least > MOST_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
