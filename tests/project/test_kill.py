"""SIGKILL at random moments changes nothing and pays nothing twice (the long form is `python -m benchmarks.kill`)."""

from pathlib import Path

import pytest

from benchmarks.kill import kill_until_done
from benchmarks.kill_storage import Files, Postgres, Storage

SETTINGS = ("data.limit=60", "search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=6")


@pytest.fixture(params=["files", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    return Files() if request.param == "files" else Postgres(request.getfixturevalue("postgres"))


def test_killed_runs_end_as_the_uninterrupted_one(storage: Storage, tmp_path: Path) -> None:
    kills = 4 if isinstance(storage, Files) else 2
    outcome = kill_until_done(tmp_path, kills=kills, seed=0, settings=SETTINGS, storage=storage)
    assert outcome.kills >= kills
    assert outcome.differences == []
    assert outcome.paid_twice == 0
    assert outcome.integrity == []
