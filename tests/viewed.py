"""Pages of `blpo view` in tests: a server in a thread, and browsers that have the token."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Literal

import httpx
import uvicorn

from blpo.view.app import view_app
from blpo.view.server import ViewServer
from blpo.view.site import Site
from tests.chromium import watched
from tests.forked_blpo import ForkedBlpo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG = 180_000
"""Longest wait for a page, in milliseconds: a process imports everything, perhaps on a busy machine."""

_FORKED: list[ForkedBlpo] = []
"""Processes of pages. They end with the server of the test."""


@contextmanager
def served(folder: Path, *, is_read_only: bool = False) -> Iterator[ViewServer]:
    """Serve the pages of a folder on a free port, in a thread."""
    bound = ViewServer.bind(Site.of(folder, is_read_only=is_read_only, patience=LONG / 1000), "127.0.0.1", 0)
    config = uvicorn.Config(view_app(bound.site, bound.door), log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [bound.listener]})
    thread.start()
    try:
        yield bound
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        bound.listener.close()
        while _FORKED:
            _FORKED.pop().__exit__()


def fork_blpo(arguments: Sequence[str], folder: Path, output: Path) -> ForkedBlpo:
    """Begin `blpo` for a page, without the seconds of the imports."""
    _FORKED.append(ForkedBlpo(*arguments, folder=folder))
    return _FORKED[-1]


def origin(server: ViewServer) -> str:
    """Return the address without a path."""
    return f"http://127.0.0.1:{server.door.port}"


@contextmanager
def client(server: ViewServer) -> Iterator[httpx.Client]:
    """Return a client with the cookie, and with the Origin of the pages."""
    door, own = server.door, origin(server)
    with httpx.Client(base_url=own, headers={"Origin": own}, cookies={door.cookie: door.token}) as asking:
        yield asking


@contextmanager
def opened(
    chromium: "Browser",
    server: ViewServer,
    path: str = "/",
    width: int = 1280,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator["Page"]:
    """Open a page in a browser of its own. At the end, assert that the page asked for no other origin."""
    with chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        view = context.new_page()
        view.set_default_timeout(LONG)
        own = origin(server)
        with watched(view, lambda url: url.startswith(f"{own}/")):
            view.goto(server.address)
            view.wait_for_url(f"{own}/")
            if path != "/":
                view.goto(own + path)
            yield view


def picture(view: "Page", name: str) -> None:
    """Write a picture of the page into the folder BLPO_PICTURES, if the variable is set: docs/pictures is made so.

    The footer is left out, because it names the folder.
    """
    folder = os.environ.get("BLPO_PICTURES")
    box = view.locator("main").bounding_box()
    if folder and box:
        bottom = min(box["y"] + box["height"], 900)
        view.screenshot(
            path=Path(folder) / f"{name}.png",
            clip={"x": 0, "y": 0, "width": box["x"] * 2 + box["width"], "height": bottom},
        )
