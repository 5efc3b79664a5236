"""Settings of all tests, and servers for several test files."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.servers.postgres import Cluster, cluster, programs

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


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
