"""Chat server in a separate process: the work of the server must not count as work of the client."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def chat_process(latency: float = 0.0) -> Iterator[str]:
    """Serve the same verdict to every request until the end of the block; yield the address."""
    command = [sys.executable, "-m", "tests.servers.chat_server", "--plain", "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
