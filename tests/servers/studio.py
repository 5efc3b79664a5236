"""The real API server behind Studio, as a separate process on a free port."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FLAGS = ("--no-browser", "--no-reload", "--server-log-level", "ERROR", "--host", "127.0.0.1")


class StudioServer:
    """`langgraph dev` over a folder of runs; the server's files are in the same folder."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = runs / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start or restart the server, and wait for the first answer."""
        self.kill()
        self.runs.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "langgraph_cli", "dev", "--config", str(ROOT / "langgraph.json")]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "BLPO_RUNS": str(self.runs),
            "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *FLAGS, "--port", str(self.port)],
                cwd=self.runs,
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 120
        while not self._answers():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.kill()
                raise RuntimeError(f"the server did not start: {self.log.read_text()[-3000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill the server (SIGKILL) by process id."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/ok", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False
