"""Judge many generated images with the embedded judge: memory by size, and SIGKILL with restarts.

    python -m benchmarks.judging [--few 2000] [--many 20000] [--kills 3]

Images have 48 x 48 pixels and are all different. Requirements:
- the peak memory for many images is at most 20 % above the peak memory for few images;
- the file of killed and restarted processes equals the file of an undisturbed process;
- every image has a single answer, and only requests in flight at a kill are repeated.
"""

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from blpo.runs.judge_file import JudgeFile
from state.settings import ModelSettings, TaskSettings

PROMPT = "Rate how natural the image looks from 1 to 5.\nLower the rating when noise is high or above."
CONCURRENCY = 16
_COMMAND = (
    "import json, resource, sys; from blpo.cli.main import main; code = main();"
    "print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)); sys.exit(code)"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Measurements."""

    few: int
    many: int
    peak_few_mib: float
    peak_many_mib: float
    growth: float
    """Growth of the peak; at most 0.2 is allowed."""
    images_per_second: float
    kills: int
    asked_again: int
    """Calls beyond the number of images; at most `CONCURRENCY` calls are in flight at a kill."""
    answered_twice: int
    same: bool
    """True if the file of the killed processes equals the file of the undisturbed process."""

    @property
    def holds(self) -> bool:
        """True if all requirements hold."""
        within = self.asked_again <= self.kills * CONCURRENCY
        return self.growth <= 0.2 and within and not self.answered_twice and self.same


def measure(place: Path, few: int, many: int, kills: int, seed: int = 0) -> Outcome:
    """Draw the images below `place`, judge few, judge many, and judge many again with `kills` kills."""
    judge = place / "judge.yaml"
    model = ModelSettings(name="embedded:judge", max_concurrency=CONCURRENCY)
    judge.write_text(JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=model).dump())
    _draw(place / "few", few)
    _draw(place / "many", many)
    peak_few, _ = _judge(judge, place / "few", place / "few.jsonl")
    peak_many, seconds = _judge(judge, place / "many", place / "calm.jsonl")
    out = place / "killed.jsonl"
    generator = random.Random(seed)
    for _ in range(kills):
        _judge_and_kill(judge, place / "many", out, generator.uniform(0.1, 0.9) * seconds / kills)
    _judge(judge, place / "many", out)
    calls = _calls(out)
    answered = Counter(key for key, outcome in calls if outcome == "ok")
    return Outcome(
        few,
        many,
        round(peak_few, 1),
        round(peak_many, 1),
        round(peak_many / peak_few - 1, 3),
        round(many / seconds, 1),
        kills,
        len(calls) - many,
        sum(count > 1 for count in answered.values()),
        out.read_bytes() == (place / "calm.jsonl").read_bytes(),
    )


def _draw(folder: Path, count: int) -> None:
    generator = np.random.default_rng(0)
    for i in range(count):
        if i % 1000 == 0:
            (folder / f"{i // 1000:03}").mkdir(parents=True)
        pixels = 128 + generator.normal(0, 5 + i % 40, (48, 48, 3))
        image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
        image.save(folder / f"{i // 1000:03}" / f"{i:06}.png", compress_level=1)


def _command(judge: Path, images: Path, out: Path) -> Sequence[str]:
    return [sys.executable, "-c", _COMMAND, "judge", str(judge), str(images), "--out", str(out), "--quiet"]


def _judge(judge: Path, images: Path, out: Path) -> tuple[float, float]:
    """Peak memory in MiB and seconds of a process that judges to the end."""
    started = time.monotonic()
    done = subprocess.run(_command(judge, images, out), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"blpo judge ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout) / 1024, time.monotonic() - started


def _judge_and_kill(judge: Path, images: Path, out: Path, seconds: float) -> None:
    """Kill a process `seconds` after the first new line of the file."""
    before = out.stat().st_size if out.exists() else 0
    with subprocess.Popen(_command(judge, images, out), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and (not out.exists() or out.stat().st_size <= before):
            time.sleep(0.05)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def _calls(out: Path) -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(out.with_name(out.name + ".judging") / "responses.sqlite")) as store:
        return store.execute("SELECT key, outcome FROM calls").fetchall()


def main() -> int:
    """Print the measurements as JSON; return 1 if a requirement fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=2000)
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blpo-judging-") as folder:
        outcome = measure(Path(folder), options.few, options.many, options.kills)
    print(json.dumps(asdict(outcome), indent=1))
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
