"""Peak memory and time of hostile replies, for both clients.

    python -m benchmarks.hostile_replies [--concurrency 64] [--timeout 5] [--retries 1] [--only TEXT]

For every reply a fresh process opens a model, asks honest questions, and then as many questions at once as calls may
be in flight; the server gives the same hostile reply to all of these. Peak memory is the growth of the resident set
over the state after the honest questions, as the kernel counts it. The server is another process on loopback.
Requirement: at most 300 MB, and an end within timeout x tries, plus the machine's own seconds. Large replies of honest
servers are all answers of the lean client; `client: langchain` refuses so many log-probabilities.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from blpo.models.calls import ModelCaller
from blpo.models.messages import user
from blpo.models.retries import Backoff
from blpo.models.verdict_format import verdict_schema
from blpo.storage.response_store import ResponseStore
from state.errors import ModelError
from state.response import Response
from state.settings import LimitSettings, ModelSettings, ModelsSettings, TaskSettings
from tests.servers.chat_server import ChatServer
from tests.servers.hostile_replies import ALL, completion, plain

ROOT = Path(__file__).parent.parent
ALLOWED_MB = 300
ALLOWED_SECONDS = 10
"""Seconds of the machine's own work, beside timeout x tries."""
CLIENTS = ("lean", "langchain")
HONEST = ("1 MB of text", "7 MB of log-probabilities")
"""Large replies that the lean client must answer."""


def _peak_mb(name: str) -> float:
    """Return `VmHWM` (peak) or `VmRSS` (now) of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


async def measure(url: str, client: str, name: str, concurrency: int, timeout: float, retries: int) -> str:
    """Return megabytes, seconds, and the numbers of answers, failures and ends of a run."""
    judge = ModelSettings(
        name="vllm:m",
        base_url=url,
        client="lean" if client == "lean" else "langchain",
        max_concurrency=concurrency,
        timeout=timeout,
        max_retries=retries,
        logprobs="log-probabilities" in name,
    )
    store = await ResponseStore.open(":memory:")
    models = ModelsSettings(judge=judge, optimizer=judge)
    calls = await ModelCaller.create(models, LimitSettings(), store, Backoff(first=0.01))
    schema = verdict_schema(TaskSettings())

    async def ask(text: str) -> str:
        try:
            answer = await calls.ask("judge", [user(text)], schema=schema)
        except ModelError:
            return "ends"
        return "answers" if isinstance(answer, Response) else "failures"

    await asyncio.gather(*(ask(f"honest {i}") for i in range(concurrency)))
    Path("/proc/self/clear_refs").write_text("5")  # the kernel starts the peak anew
    before, start = _peak_mb("VmRSS"), time.monotonic()
    kinds = await asyncio.gather(*(ask(f"{name}: {i}") for i in range(concurrency)))
    seconds = time.monotonic() - start
    peak = _peak_mb("VmHWM") - before
    await calls.close()
    await store.close()
    counts = {kind: kinds.count(kind) for kind in ("answers", "failures", "ends")}
    return f"{peak:.0f} {seconds:.1f} {counts['answers']} {counts['failures']} {counts['ends']}"


async def serve() -> None:
    """Serve until killed: an honest reply to an honest question, else the reply named in the question."""

    def reply(request: dict[str, Any]) -> AsyncIterator[bytes]:
        name = request["messages"][-1]["content"].rpartition(":")[0]
        return ALL.get(name, plain(completion()))()

    async with ChatServer(raw=reply) as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


def _process(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.hostile_replies", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _measured(url: str, client: str, name: str, options: argparse.Namespace) -> list[float]:
    limits = (str(options.concurrency), str(options.timeout), str(options.retries))
    with _process("--measure", url, client, name, *limits) as process:
        assert process.stdout is not None
        line = process.stdout.read().strip()
    if process.returncode:
        raise RuntimeError(f"{client}, {name}: the process ended with {process.returncode}")
    return [float(word) for word in line.split()]


def compare(options: argparse.Namespace) -> int:
    """Print a table; return 1 if a reply takes more memory or time than allowed, or an honest reply is no answer."""
    longest = options.timeout * (options.retries + 1) + ALLOWED_SECONDS
    worst_mb = worst_seconds = 0.0
    unanswered: list[str] = []
    server = _process("--serve")
    assert server.stdout is not None
    try:
        url = server.stdout.readline().strip()
        print(f"{'reply':32}{'client':>10}{'peak MB':>9}{'s':>7}  answers, failures, ends", flush=True)
        for name in (name for name in ALL if options.only in name):
            for client in CLIENTS:
                peak, seconds, *counts = _measured(url, client, name, options)
                print(f"{name:32}{client:>10}{peak:>9.0f}{seconds:>7.1f}  {counts}", flush=True)
                if name in HONEST and client == "lean" and counts[0] < options.concurrency:
                    unanswered.append(name)
                worst_mb, worst_seconds = max(worst_mb, peak), max(worst_seconds, seconds)
    finally:
        server.terminate()
    print(f"peak {worst_mb:.0f} MB, allowed {ALLOWED_MB}; longest {worst_seconds:.1f} s, allowed {longest:.0f}")
    print(f"honest replies without an answer: {', '.join(unanswered) or 'none'}")
    return 0 if not unanswered and worst_mb <= ALLOWED_MB and worst_seconds <= longest else 1


def main() -> int:
    """Read the command line; compare, or serve, or measure a reply."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--timeout", type=float, default=5.0)
    parser.add_argument("--retries", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the name of a reply")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return 0
    if options.measure:
        url, client, name, concurrency, timeout, retries = options.measure
        print(asyncio.run(measure(url, client, name, int(concurrency), float(timeout), int(retries))))
        return 0
    return compare(options)


if __name__ == "__main__":
    sys.exit(main())
