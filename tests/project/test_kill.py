"""Runs, killed at random moments and resumed, end as an undisturbed run and pay for no request twice.

A small dataset keeps the processes short; `python -m benchmarks.kill` is the long form, with 50 kills.
"""

from pathlib import Path

import pytest

from benchmarks.kill import kill_until_done
from benchmarks.kill_storage import Files, Postgres, Storage
from tests.criteria_set import draw_criteria
from tests.pair_set import draw_pairs
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

CRITERIA = ("criteria=[{name: quality}, {name: light, kind: categorical, labels: [dark, light]}]",)
PAIRS = ("task.kind=pairwise", "data.image=[image_a, image_b]")
SEARCH = ("search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=6")


@pytest.fixture(params=["files", "postgres"])
def storage(request: pytest.FixtureRequest) -> Storage:
    return Files() if request.param == "files" else Postgres(request.getfixturevalue("postgres"))


@pytest.mark.parametrize("kind", ["images", "pairs"])
def test_killed_runs_end_as_the_uninterrupted_one(kind: str, storage: Storage, tmp_path: Path) -> None:
    is_pairs = kind == "pairs"
    dataset = draw_pairs(tmp_path / "dataset", 24) if is_pairs else draw_dataset(tmp_path / "dataset", 60)
    settings = (f"data.path={dataset / 'labels.csv'}", *(PAIRS if is_pairs else ()), *SEARCH)
    kills = 3 if isinstance(storage, Files) and not is_pairs else 1
    outcome = kill_until_done(tmp_path, kills=kills, seed=kills, settings=settings, storage=storage)
    assert outcome.kills >= kills
    assert outcome.differences == []
    assert outcome.paid_twice == 0
    assert outcome.integrity == []


def test_killed_runs_of_criteria_end_as_the_uninterrupted_one(tmp_path: Path) -> None:
    labels = draw_criteria(tmp_path / "dataset", 40) / "labels.csv"
    outcome = kill_until_done(tmp_path, kills=1, seed=1, settings=(f"data.path={labels}", *CRITERIA, *SEARCH))
    assert outcome.kills >= 1
    assert (outcome.differences, outcome.paid_twice, outcome.integrity) == ([], 0, [])
