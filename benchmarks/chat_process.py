"""A chat server in a process of its own, so that its work is not counted as the client's."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def chat_process(latency: float = 0.0) -> Iterator[str]:
    """Serve the same verdict to all until the end of the block; gives the address."""
    command = [sys.executable, "-m", "tests.servers.chat_server", "--plain", "--latency", str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
