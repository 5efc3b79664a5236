"""A worker process ends with its parent."""

import subprocess
import sys

import pytest

from tests.small_set import ENVIRONMENT, ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("last_words", [b"", b'{"method": "bl', b'{"out": "/tmp", "models": []}\n{"method'])
def test_a_worker_ends_at_the_end_of_stdin_also_after_half_a_message(last_words: bytes) -> None:
    command = [sys.executable, "-m", "evals.worker"]
    ended = subprocess.run(
        command, input=last_words, cwd=ROOT, env=ENVIRONMENT, capture_output=True, timeout=60, check=False
    )
    assert ended.returncode == 0
