"""A finished run without a tracker, and a service that speaks LangSmith's protocol."""

import asyncio
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import blpo
from tests.blpo.tracking.tracked import KEY, settings
from tests.servers.langsmith_server import LangsmithServer, langsmith_server
from tests.small_set import draw_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("tracked") / "set", 24)


@pytest.fixture(scope="session")
def plain(dataset: Path) -> Path:
    """Run directory that tests copy."""
    path = dataset.parent / "plain"
    return asyncio.run(blpo.optimize(overrides=settings(dataset, path), progress=False)).directory


@pytest.fixture
def run(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(plain, tmp_path / "run"))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangsmithServer]:
    monkeypatch.setattr(logging.getLogger("langsmith.client"), "disabled", True)  # long traces of every conflict
    with langsmith_server() as service:
        monkeypatch.setenv("LANGSMITH_ENDPOINT", service.url)
        monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
        monkeypatch.delenv("LANGSMITH_PROJECT", raising=False)
        yield service
