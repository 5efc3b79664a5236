"""Judging of many images by Ray's workers: kills, memory, throughput, budget, scaling, on a loopback server.

    python -m benchmarks.many_images kills [--images 20000]       # SIGKILL of the driver and of workers
    python -m benchmarks.many_images memory [--images 200000]     # peaks of driver and workers, for a tenth and for all
    python -m benchmarks.many_images throughput [--images 4000]   # share of in flight / latency; 5 % fail
    python -m benchmarks.many_images budget [--images 4000]       # calls of four workers under a budget
    python -m benchmarks.many_images scaling [--images 4000]      # images a second of 1, 2 and 4 workers

Needs the extra `ray`. Images have 32 x 32 pixels and are all different. The server in this process counts the calls.
"""

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from os import kill
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image

from blpo.runs.judge_file import JudgeFile
from state.settings import ModelSettings, TaskSettings
from tests.servers.chat_server import ChatServer
from tests.servers.faults import Fault, weather

PLAIN = '{"reason": "plain", "label": 3}'
BLOCK = 1000
KILLED_AT = (0.3, 0.5, 0.7)
"""Shares of written rows at which a process is killed."""
LEAST_SHARE = 0.8
"""Of calls in flight / latency."""
_BUDGET_EXIT = 4


def draw(folder: Path, images: int) -> Path:
    """Write files of 5000 images each, in row groups of 250. The pixels of an image hold its number."""
    folder.mkdir()
    for start in range(0, images, 5000):
        numbers = range(start, min(start + 5000, images))
        table = pyarrow.table({"id": [f"p{number}" for number in numbers], "image": list(map(_image, numbers))})
        pyarrow.parquet.write_table(table, folder / f"photos-{start:07}.parquet", row_group_size=250)
    return folder


def _image(number: int) -> bytes:
    pixels = np.full((32, 32, 3), 128, np.uint8)
    pixels[0, :4, 0] = np.frombuffer(number.to_bytes(4, "big"), np.uint8)
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


class Bench:
    """Images, a judge of a loopback server, and commands."""

    def __init__(self, place: Path, server: ChatServer, images: int, in_flight: int, block: int) -> None:
        self.place = place
        self.server = server
        self.images = images
        self.block = block
        model = ModelSettings(name="vllm:judge", base_url=server.base_url, max_concurrency=in_flight)
        judge = JudgeFile(judge_prompt="Rate the image.", task=TaskSettings(), images=1, model=model)
        (place / "judge.yaml").write_text(judge.dump())
        self.shards = draw(place / "shards", images)

    async def start(self, out: str, actors: int, *options: str) -> asyncio.subprocess.Process:
        """Start `blpo judge` on Ray."""
        words = ["judge", "judge.yaml", str(self.shards), "--engine", "ray", "--actors", str(actors), "--out", out]
        command = [sys.executable, "-m", "blpo", *words, "--block-rows", str(self.block), *options]
        return await asyncio.create_subprocess_exec(*command, cwd=self.place)

    async def run(self, out: str, actors: int, *options: str, expected: int = 0) -> None:
        """Run `blpo judge` on Ray to its end."""
        code = await (await self.start(out, actors, *options)).wait()
        if code != expected:
            raise SystemExit(f"blpo judge ended with {code}")

    async def rate(self, out: str, actors: int) -> float:
        """Judge all images, and return the images a second from the first call to the last file."""
        process = await self.start(out, actors)
        while not self.server.count:
            await asyncio.sleep(0.01)
        start = time.monotonic()
        while self.written(out) < self.images and process.returncode is None:
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - start
        await process.wait()
        return self.images / seconds

    def written(self, out: str) -> int:
        """Return the rows of verdicts in the folder."""
        files = (self.place / out).glob("*.parquet")
        return sum(pyarrow.parquet.ParquetFile(file).metadata.num_rows for file in files)

    async def until(self, out: str, share: float) -> None:
        """Wait until this share of the rows has been written."""
        while self.written(out) < share * self.images:
            await asyncio.sleep(0.1)

    def check(self, out: str) -> dict[str, int]:
        """Return the number of lost rows, of rows that occur twice, and of rows without a verdict."""
        files = sorted((self.place / out).glob("*.parquet"))
        rows = pyarrow.concat_tables([pyarrow.parquet.read_table(each, columns=["id", "status"]) for each in files])
        ids = rows.column("id").to_pylist()
        failed = sum(status != "ok" for status in rows.column("status").to_pylist())
        return {"lost": self.images - len(set(ids)), "twice": len(ids) - len(set(ids)), "failed": failed}


@asynccontextmanager
async def bench(
    images: int, latency: float = 0.05, in_flight: int = 32, faults: float = 0.0, block: int = BLOCK
) -> AsyncIterator[Bench]:
    """Yield a bench; a share `faults` of the replies is a 500."""
    script = weather(faults, 0, (Fault(status=500),)) if faults else iter(())
    async with ChatServer(lambda messages: PLAIN, script, latency=latency, plain=not faults) as server:
        with tempfile.TemporaryDirectory(prefix="blpo-many-") as folder:
            yield Bench(Path(folder), server, images, in_flight, block)


def workers_of(driver: int) -> list[int]:
    """Return the process ids of Ray's workers on parts, below the driver."""
    parents = {int(each.name): _parent(each) for each in Path("/proc").iterdir() if each.name.isdigit()}
    return [
        process for process in parents if _name(process) == "ray::_WorkerActor" and driver in _line(process, parents)
    ]


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _line(process: int, parents: dict[int, int]) -> list[int]:
    line = [process]
    while parents.get(line[-1], 0) > 1:
        line.append(parents[line[-1]])
    return line


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")[0].partition(".")[0]
    except OSError:
        return ""


def peak(process: int) -> float:
    """Return the peak of the resident memory of a process, in MB."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)
    except OSError:
        return 0.0


async def kills(images: int, block: int = BLOCK, killed_at: Sequence[float] = KILLED_AT) -> dict[str, Any]:
    """Kill the driver, then workers, at these shares; rework is at most one block a worker, and the calls in flight."""
    results: dict[str, Any] = {}
    async with bench(images, block=block) as place:
        for name, actors in (("driver", 2), ("worker", 2)):
            calls = place.server.count
            process = await place.start(name, actors)
            for share in killed_at:
                await place.until(name, share)
                kill(process.pid if name == "driver" else workers_of(process.pid)[0], signal.SIGKILL)
                if name == "driver":
                    await process.wait()
                    process = await place.start(name, actors)
            code = await process.wait()
            rework = place.server.count - calls - images
            allowed = len(killed_at) * block * (actors if name == "driver" else 1)
            problems = place.check(name)
            is_good = code == 0 and not any(problems.values()) and rework <= allowed
            results[name] = {**problems, "rework": rework, "allowed": allowed, "kept": is_good}
            print(json.dumps({name: results[name]}), flush=True)
    return {**results, "holds": all(each["kept"] for each in results.values())}


async def memory(images: int) -> dict[str, Any]:
    """Judge a tenth of the images, then all; the peaks grow by less than a fifth."""
    peaks: dict[int, dict[str, float]] = {}
    for count in (images // 10, images):
        async with bench(count, latency=0.0) as place:
            process = await place.start("out", 2)
            highest = {"driver": 0.0, "worker": 0.0}
            while process.returncode is None:
                await asyncio.sleep(0.5)
                highest["driver"] = max(highest["driver"], peak(process.pid))
                highest["worker"] = max([highest["worker"], *map(peak, workers_of(process.pid))])
            peaks[count] = highest | {"failed": sum(place.check("out").values())}
            print(json.dumps({count: peaks[count]}), flush=True)
    few, many = peaks.values()
    return {"peaks": peaks, "holds": all(many[name] <= 1.2 * few[name] for name in ("driver", "worker"))}


async def throughput(images: int) -> dict[str, Any]:
    """Share of calls in flight / latency over all rows, from the first to the last call, without and with failures."""
    shares: dict[str, float] = {}
    for faults in (0.0, 0.05):
        latency, in_flight, actors = 1.0, 16, 2
        async with bench(images, latency, in_flight, faults) as place:
            rate = await place.rate("out", actors)
            shares[f"{faults:.0%} fail"] = round(rate * latency / (in_flight * actors), 3)
            print(json.dumps(shares), flush=True)
    return {"shares": shares, "holds": min(shares.values()) >= LEAST_SHARE}


async def budget(images: int) -> dict[str, Any]:
    """A budget of calls over four workers: not one call more, and the rest in a second command."""
    async with bench(images) as place:
        most = images // 3
        await place.run("out", 4, "--max-calls", str(most), expected=_BUDGET_EXIT)
        first = place.server.count
        await place.run("out", 4, "--max-calls", str(images))
        problems = place.check("out")
    holds = first <= most and place.server.count <= images and not any(problems.values())
    return {"budget": most, "calls": first, "all": images, "all calls": place.server.count, **problems, "holds": holds}


async def scaling(images: int) -> dict[str, Any]:
    """Images a second of 1, 2 and 4 workers, from the first call to the last file."""
    rates: dict[int, float] = {}
    for actors in (1, 2, 4):
        async with bench(images, latency=1.0, in_flight=16) as place:
            rates[actors] = round(await place.rate("out", actors), 1)
            print(json.dumps(rates), flush=True)
    return {"images a second": rates, "holds": True}


MEASURES = {
    "kills": (kills, 20_000),
    "memory": (memory, 200_000),
    "throughput": (throughput, 4_000),
    "budget": (budget, 4_000),
    "scaling": (scaling, 4_000),
}


def main() -> int:
    """Print a measure as JSON; return 1 if its requirement fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", choices=MEASURES)
    parser.add_argument("--images", type=int)
    options = parser.parse_args()
    measure, images = MEASURES[options.measure]
    result = asyncio.run(measure(options.images or images))
    print(json.dumps(result, indent=1))
    return 0 if result["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
