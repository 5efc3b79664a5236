"""Wall time and memory of judging many images.

    python -m benchmarks.throughput [--calls 2000] [--images 10000] [--only wall|memory]

The benchmark judges distinct JPEGs like a run: threads prepare the images for the image cache, the call layer sends the
requests, and a store on disk holds the answers. The server is a separate process.
- Wall: 64 kB images, 200 ms latency, 64 calls at once. The ideal time is ceil(calls / 64) * 200 ms.
  Bare aiohttp with ready bodies shows the limit of the machine. Requirement: at most 1.05 times the ideal time.
- Memory: peak resident set of a process that judges 1 MB images. Requirement: at most 500 MB.
"""

import argparse
import asyncio
import math
import resource
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import aiohttp
import numpy as np
from PIL import Image

from benchmarks.chat_process import ROOT, chat_process
from blpo.inference.fan_out import fan_out
from blpo.inference.image_cache import ImageCache
from blpo.inference.open_models import open_models
from blpo.inference.verdicts import judge_sample
from state.sample import Sample
from state.settings import ModelSettings, ModelsSettings, Settings

LATENCY = 0.2
AT_ONCE = 64
MOST_WALL = 1.05
MOST_MEGABYTES = 500
PROMPT = "Rate how natural the image looks."
_DENSITY = 14
"""Place of the resolution in a JPEG from Pillow: four bytes that change no pixel."""


@lru_cache
def noise(size: int) -> bytes:
    """Return a JPEG of about `size` bytes."""
    side = round(math.sqrt(size / 2.75))
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=97, subsampling=0)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class Numbered:
    """Image with a number in the header: the pixels are equal, and the requests are distinct."""

    number: int
    size: int

    @property
    def name(self) -> str:
        """Name in error messages."""
        return f"image {self.number}"

    def read(self) -> bytes:
        """Return the bytes of the JPEG."""
        whole = noise(self.size)
        return whole[:_DENSITY] + struct.pack(">HH", 1 + self.number // 60_000, 1 + self.number % 60_000) + whole[18:]


async def judge_all(url: str, count: int, size: int, folder: Path) -> tuple[float, int]:
    """Judge `count` images; return wall seconds and the number of issued requests."""
    judge = ModelSettings(name="vllm:judge", base_url=url, max_concurrency=AT_ONCE)
    settings = Settings(models=ModelsSettings(judge=judge, optimizer=judge))
    samples = [Sample(str(number), (Numbered(number, size),), None) for number in range(count)]
    async with open_models(settings, folder / "responses.sqlite") as built:
        models = replace(built, images=ImageCache(folder / "images"))
        noise(size)
        start = time.perf_counter()
        verdicts = await fan_out(lambda sample: judge_sample(models, PROMPT, sample), samples, models.width("judge"))
        seconds = time.perf_counter() - start
        assert all(verdict.status == "ok" for verdict in verdicts), next(v for v in verdicts if v.status != "ok")
        return seconds, (await models.caller.usage())["judge"]["issued"]


async def send_all(url: str, count: int, size: int) -> float:
    """Send `count` ready bodies by bare aiohttp; return wall seconds."""
    body = b'{"image":"' + b"a" * (size * 4 // 3) + b'"}'
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send(_: int) -> None:
            async with session.post(f"{url}/chat/completions", data=body) as reply:
                await reply.read()

        start = time.perf_counter()
        await fan_out(send, range(count), AT_ONCE)
        return time.perf_counter() - start


def run_here(what: str, count: int) -> bool:
    """Measure in this process; return True if the requirement holds."""
    size, latency = (64_000, LATENCY) if what == "wall" else (1_000_000, 0.0)
    least, bare = math.ceil(count / AT_ONCE) * LATENCY, 0.0
    with chat_process(latency) as url, tempfile.TemporaryDirectory(prefix="blpo-throughput-") as folder:
        if what == "wall":
            bare = asyncio.run(send_all(url, count, size))
        seconds, issued = asyncio.run(judge_all(url, count, size, Path(folder)))
    assert issued == count, f"{issued} requests for {count} images"
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    summary = f"{count} images of {len(noise(size)) // 1000} kB: {seconds:.2f} s, {megabytes:.0f} MB at most"
    if what == "memory":
        print(f"{summary}; allowed: {MOST_MEGABYTES} MB")
        return megabytes <= MOST_MEGABYTES
    times = f"{seconds / least:.3f} times the least of {least:.2f} s (bare aiohttp {bare / least:.3f})"
    print(f"{summary}; {times}, allowed: {MOST_WALL}")
    return seconds <= MOST_WALL * least


def main() -> int:
    """Measure wall time and memory in separate processes; return 1 if a requirement fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--only", choices=("wall", "memory"))
    options = parser.parse_args()
    counts = {"wall": options.calls, "memory": options.images}
    if options.only:
        return 0 if run_here(options.only, counts[options.only]) else 1
    command = [sys.executable, "-m", "benchmarks.throughput", "--calls", str(options.calls), "--images"]
    command += [str(options.images), "--only"]
    return max(subprocess.run([*command, what], cwd=ROOT, check=False).returncode for what in counts)


if __name__ == "__main__":
    sys.exit(main())
