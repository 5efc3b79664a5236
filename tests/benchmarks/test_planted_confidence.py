"""Planted log-probabilities, the whole way from a server to the summary: the benchmark in small."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.planted_confidence import measure


def test_the_calibration_error_of_a_servers_log_probabilities_is_that_by_hand(tmp_path: Path) -> None:
    errors = asyncio.run(measure(tmp_path, 60, 0.3))
    assert errors.told == pytest.approx(errors.by_hand, abs=1e-6)
    assert abs(errors.told - errors.planted) < 0.2  # of few answers; of 20,000 at most 0.01
