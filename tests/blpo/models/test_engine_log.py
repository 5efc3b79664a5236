"""Output of an engine that writes to stdout as vLLM, Gloo and child processes do."""

import os
import subprocess
import sys
from pathlib import Path

ENGINE = """
import json, logging, os, subprocess, sys

logging.basicConfig(
    stream={"ext://sys.stderr": sys.stderr}.get(os.environ.get("VLLM_LOGGING_STREAM"), sys.stdout), level="INFO"
)

class LLM:
    def __init__(self, **arguments):
        logging.info("log of the engine")
        os.write(1, b"native library\\n")
        subprocess.run([sys.executable, "-c", "print('child process')"], check=True)
        sys.stderr.write(json.dumps(arguments) + "\\n")
"""
PROGRAM = """
import sys
from blpo.models.vllm_engine.engine import _shared_engine
stream = sys.stdout
print("first line")
_shared_engine("m", sys.argv[1])
_shared_engine("m", sys.argv[1])
print("second line")
print("third line", file=stream)
"""


def run_engine(folder: Path, arguments: str = "{}", *options: str, **environment: str) -> tuple[str, str]:
    (folder / "vllm.py").write_text(ENGINE)
    paths = os.pathsep.join([str(folder), str(Path(__file__).parents[3])])
    done = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM, arguments],
        env={**os.environ, "PYTHONPATH": paths, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout, done.stderr


def test_stdout_holds_only_our_lines(tmp_path: Path) -> None:
    for options in ((), ("-u",)):
        out, err = run_engine(tmp_path, "{}", *options)
        assert out.splitlines() == ["first line", "second line", "third line"]
        for text in ("log of the engine", "native library", "child process"):
            assert err.count(text) == 1


def test_a_users_own_stream_of_the_log_stays(tmp_path: Path) -> None:
    out, _ = run_engine(tmp_path, VLLM_LOGGING_STREAM="ext://sys.stdout")
    assert "INFO:root:log of the engine" in out.splitlines()


def test_the_engine_forbids_white_space_unless_the_user_configures_structured_outputs(tmp_path: Path) -> None:
    _, err = run_engine(tmp_path, '{"max_model_len": 512}')
    assert '"structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": true}' in err
    assert '"max_model_len": 512' in err
    _, err = run_engine(tmp_path, '{"structured_outputs_config": {"backend": "guidance"}}')
    assert '"structured_outputs_config": {"backend": "guidance"}' in err
