"""Browser of the tests of the pages."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from blpo.view.server import ViewServer
from tests.chromium import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def chromium(server: ViewServer) -> Iterator["Browser"]:
    """Running browser, which ends before the pages' server of the module."""
    with browser() as started:
        yield started
