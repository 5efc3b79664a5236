"""A real browser for pages from disk, watched: no request, no message, no dialog."""

import os
from collections.abc import Iterator
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
    """Chromium, headless; skips where it is missing, and fails there in CI."""
    if not Path(EXECUTABLE).exists():
        reason = f"{EXECUTABLE} is missing: install Chromium to test pages"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield opened
        opened.close()


@contextmanager
def opened(
    chromium: "Browser", page: Path, width: int = 1200, scheme: Literal["light", "dark"] = "light"
) -> Iterator["Page"]:
    """A page from disk, under watch: at the end it must have asked for nothing, said nothing and opened no dialog."""
    seen: list[str] = []
    view = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    address = page.absolute().as_uri()

    def requested(request: Any) -> None:
        if request.url.split("#")[0] != address and not request.url.startswith("data:"):
            seen.append(f"request {request.url}")

    def asked(dialog: Any) -> None:
        seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    view.on("request", requested)
    view.on("dialog", asked)
    view.on("console", lambda message: seen.append(f"console {message.text}"))
    view.on("pageerror", lambda error: seen.append(f"error {error}"))
    view.on("popup", lambda popup: seen.append(f"popup {popup.url}"))
    view.goto(address)
    yield view
    view.close()
    assert seen == []
