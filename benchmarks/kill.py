"""Kill a run many times, resume the run until the end, and compare the result with an uninterrupted run.

    python -m benchmarks.kill [--kills 50] [--seed 0] [--postgres] [--set key=value ...]

A process gets SIGKILL at a random moment of its work (the imports are done before); the next process resumes.
Requirements:
- result.json equals the result of the uninterrupted run, except for times and counts of issued and cached calls;
- a request is issued again only if the request was in flight at a kill;
- all databases pass PRAGMA integrity_check (PostgreSQL: no missing answers, no remaining locks);
- the uninterrupted run issues no request twice.

--postgres starts a separate server.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.kill_storage import Files, Postgres, Storage
from tests.forked_blpo import ForkedBlpo
from tests.servers.postgres import cluster

ROOT = Path(__file__).parent.parent
FAST = ("data.limit=120", "search.outer_rounds=3", "search.inner_steps=2")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Measurements; `differences` is empty and `paid_twice` is 0 for a correct run."""

    kills: int
    processes: int
    issued: int
    issued_again: int
    """Requests sent a second time because the first request was in flight at a kill."""
    paid_twice: int
    """Requests sent again in spite of a stored answer."""
    differences: list[str]
    integrity: list[str]
    """Findings of the checks of the databases."""


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """Return result.json without times and without counts of issued and cached calls."""
    calls = {
        role: {k: v for k, v in usage.items() if k not in ("issued", "cached")}
        for role, usage in result["calls"].items()
    }
    return {**result, "calls": calls, "seconds": None}


def kill_until_done(
    folder: Path, kills: int, seed: int, settings: Sequence[str], storage: Storage | None = None
) -> Outcome:
    """Run once undisturbed, then run with `kills` SIGKILLs over as many runs as necessary. Default storage: files."""
    storage = storage or Files()
    options = [option for setting in (*settings, *storage.settings) for option in ("--set", setting)]
    _end(["--version"], {})  # the fork server imports everything
    started = time.monotonic()
    target = folder / "calm"
    _end(["optimize", "--quiet", "--set", f"run.dir={target}", *options], storage.environment(target))
    calm_seconds = time.monotonic() - started
    calm = json.loads((target / "result.json").read_text())
    again, paid_twice = _issued_again(storage.calls(target))
    differences = [f"the uninterrupted run issued {again + paid_twice} requests twice"] if again + paid_twice else []
    integrity: list[str] = []
    done, processes, issued = 0, 0, 0
    generator, number = random.Random(seed), 0
    while done < kills:
        target, number = folder / f"killed-{number}", number + 1
        first = ["optimize", "--quiet", "--set", f"run.dir={target}", *options]
        while True:
            resumable = (target / "run.json").exists()
            command = ["resume", "--quiet", str(target)] if resumable else first
            seconds = generator.uniform(0.05, 0.8 * calm_seconds) if done < kills else None
            survived = _end(command, storage.environment(target), seconds)
            processes += 1
            if survived:
                break
            done += 1
        result = json.loads((target / "result.json").read_text())
        differences += [f"{target.name}: {line}" for line in _differences(comparable(calm), comparable(result))]
        run_again, run_twice = _issued_again(storage.calls(target))
        again, paid_twice = again + run_again, paid_twice + run_twice
        issued += sum(usage["issued"] for usage in result["calls"].values())
        integrity += storage.integrity(target)
    return Outcome(done, processes, issued, again, paid_twice, differences, integrity)


def _end(arguments: Sequence[str], environment: Mapping[str, str], kill_after: float | None = None) -> bool:
    """Run `blpo` to the end, or kill the process after so many seconds; return True for an end without a kill."""
    with ForkedBlpo(*arguments, environment=environment, folder=ROOT) as process:
        try:
            code = process.wait(600 if kill_after is None else kill_after)
        except TimeoutError:
            if kill_after is None:
                raise
            return False
        if code != 0:
            raise SystemExit(f"blpo {' '.join(arguments)} ended with {code}: {process.stderr[-2000:]}")
    return True


def _issued_again(calls: Sequence[tuple[str, str | None]]) -> tuple[int, int]:
    """Return (repeated requests in flight at a kill, repeated requests with an answer)."""
    answered: set[str] = set()
    issued: set[str] = set()
    again = paid_twice = 0
    for key, outcome in calls:
        if key in answered:
            paid_twice += 1
        elif key in issued:
            again += 1
        issued.add(key)
        if outcome == "ok":
            answered.add(key)
    return again, paid_twice


def _differences(expected: Any, actual: Any, where: str = "result") -> list[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        return [
            line
            for key in sorted({*expected, *actual})
            for line in _differences(expected.get(key), actual.get(key), f"{where}.{key}")
        ]
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        pairs = enumerate(zip(expected, actual, strict=True))
        return [line for i, (a, b) in pairs for line in _differences(a, b, f"{where}[{i}]")]
    return [] if expected == actual else [f"{where}: {expected!r} is not {actual!r}"]


def main() -> int:
    """Print the measurements as JSON; return 1 if a requirement fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgres", action="store_true", help="keep the runs in a PostgreSQL of our own")
    parser.add_argument("--set", action="append", default=[], dest="settings", help="for both runs")
    options = parser.parse_args()
    settings = [*FAST, *options.settings]
    with tempfile.TemporaryDirectory(prefix="blpo-kill-") as folder, ExitStack() as stack:
        storage = Postgres(stack.enter_context(cluster())) if options.postgres else Files()
        outcome = kill_until_done(Path(folder), options.kills, options.seed, settings, storage)
    print(json.dumps({name: getattr(outcome, name) for name in Outcome.__slots__}, indent=1))
    return 1 if outcome.differences or outcome.paid_twice or outcome.integrity else 0


if __name__ == "__main__":
    sys.exit(main())
