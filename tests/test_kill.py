"""SIGKILL at random moments changes nothing and pays nothing twice (the long form is `python -m benchmarks.kill`)."""

from pathlib import Path

from benchmarks.kill import kill_until_done

SETTINGS = ("data.limit=60", "search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=6")


def test_killed_runs_end_as_the_uninterrupted_one(tmp_path: Path) -> None:
    outcome = kill_until_done(tmp_path, kills=4, seed=0, settings=SETTINGS)
    assert outcome.kills >= 4
    assert outcome.differences == []
    assert outcome.paid_twice == 0
    assert outcome.integrity == []
