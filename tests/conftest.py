"""Settings of all tests, a cache folder of the suite, and servers for several test files."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from tests.criteria_set import criteria_config, draw_criteria
from tests.servers.postgres import Cluster, cluster, programs

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")
collect_ignore = [] if find_spec("trl") else ["trained"]
"""Trainings have an environment of their own: make test-train."""
_CACHE = "BLPO_TESTS_CACHE"
"""Environment variable with the cache folder of the suite; workers inherit the variable."""


def pytest_configure() -> None:
    """Give all processes of the suite one cache folder of their own: the user's cache stays as it was."""
    if _CACHE not in os.environ:
        os.environ[_CACHE] = tempfile.mkdtemp(prefix="blpo-tests-cache-")
        os.environ["XDG_CACHE_HOME"] = os.environ[_CACHE]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the cache folder at the end of the suite, not of a worker."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(_CACHE), ignore_errors=True)


@pytest.fixture(scope="session")
def criteria_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a finished run over two criteria, `quality` and `light`; tests that change files copy it first."""
    import blpo

    folder = draw_criteria(tmp_path_factory.mktemp("criteria") / "set")
    search = {"outer_rounds": 2, "inner_steps": 1, "error_batch": 12}
    return asyncio.run(blpo.optimize(criteria_config(folder, folder / "run", search=search), progress=False)).directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Running PostgreSQL. Without an installation the test skips, or fails if CI=true."""
    if programs() is None:
        reason = "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with cluster() as running:
        yield running


@pytest.fixture
def database_url(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty database, also in BLPO_DATABASE_URL."""
    url = postgres.url(postgres.new_database())
    monkeypatch.setenv("BLPO_DATABASE_URL", url)
    return url
