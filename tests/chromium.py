"""Real browser for pages from disk. A page must send no request, print no message and open no dialog."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXECUTABLE = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def browser() -> Iterator["Browser"]:
    """Run a headless Chromium. Without Chromium the test skips, or fails if CI=true."""
    if not Path(EXECUTABLE).exists():
        reason = f"{EXECUTABLE} is missing: install Chromium to test pages"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def watched_page(
    chromium: "Browser", page: Path, width: int = 1200, scheme: Literal["light", "dark"] = "light"
) -> Iterator["Page"]:
    """Open a page from disk. At the end, assert that the page sent no request, printed nothing and opened no dialog."""
    address = page.absolute().as_uri()
    with chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        view = context.new_page()
        with watched(view, lambda url: url.split("#")[0] == address):
            view.goto(address)
            yield view


@contextmanager
def watched(view: "Page", may_ask: Callable[[str], bool]) -> Iterator[None]:
    """At the end, assert that the page asked for no other address, printed nothing and opened no dialog."""
    incidents: list[str] = []

    def record_request(request: Any) -> None:
        if not may_ask(request.url) and not request.url.startswith(("data:", "blob:")):
            incidents.append(f"request {request.url}")

    def record_dialog(dialog: Any) -> None:
        incidents.append(f"dialog {dialog.message}")
        dialog.dismiss()

    view.on("request", record_request)
    view.on("dialog", record_dialog)
    view.on("console", lambda message: incidents.append(f"console {message.text}"))
    view.on("pageerror", lambda error: incidents.append(f"error {error}"))
    view.on("popup", lambda popup: incidents.append(f"popup {popup.url}"))
    yield
    view.close()
    assert incidents == []
