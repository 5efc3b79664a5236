"""Pages of hostile runs in a real browser: text stays text, and axe-core finds no violation in the rarer pages."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

import blpo
from blpo.storage.locks import lock_folder
from blpo.view.server import ViewServer
from tests.axe import serious_violations
from tests.chromium import watched, watched_page
from tests.hostile_run import HOSTILE_LABELS, LONG_WORD, hostile_config
from tests.viewed import opened, origin, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RUN, WAITING = "<i>run \"'&", "<i>waits \"'&"
RATER = "<b onclick=alert('ran')>Ada</b> \"'&"
STRANGE = "[onclick], [onerror], [onload], main b, main i, main style, main script, iframe"

_TOO_WIDE = """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? []
  : [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > innerWidth)
    .map((each) => `${each.tagName}.${each.className}`)"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    """A finished run and a run with a question, both hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    config = hostile_config(folder / "set", folder / "runs" / RUN)
    asyncio.run(blpo.optimize(config, progress=False))
    waiting = {**config, "run": {"dir": str(folder / "runs" / WAITING)}, "approval": "judge"}
    asyncio.run(blpo.optimize(waiting, progress=False))
    with served(folder) as running:
        yield running


def address(run: str, page: str = "") -> str:
    return f"/runs/{quote(run, safe='')}{page}"


def assert_text_stays_text(view: "Page") -> str:
    """Assert that no markup or bidi mark of the data has come into the page, and return the page's text."""
    view.wait_for_selector("[data-reload]", state="detached")
    for summary in view.locator("main details:not([open]) > summary").all():
        if summary.is_visible():
            summary.click()
    assert view.locator(STRANGE).count() == 0
    assert "\u202e" not in view.content()
    assert view.evaluate(_TOO_WIDE) == []
    return view.locator("body").inner_text()


def test_hostile_text_stays_text_on_pages_to_read(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, width=375) as view:
        for path, words in (
            ("/", (RUN, WAITING, '<script>alert("label")</script>')),
            (address(RUN), (RUN, "alert('ran')", LONG_WORD)),
            (address(RUN, "/prompts?from=0&to=1"), (RUN, "<script>alert('ran')</script>", LONG_WORD)),
            (address(RUN, "/label"), (RUN,)),
            (address(WAITING), (WAITING, "<script>alert('ran')</script>", LONG_WORD)),
        ):
            view.goto(origin(server) + path)
            text = assert_text_stays_text(view)
            assert all(word in text for word in words), path


def test_hostile_text_stays_text_for_a_hostile_rater(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, address(RUN, "/label"), width=375) as view:
        view.get_by_label("Your name").fill(RATER)
        view.get_by_label("Samples").select_option("test")
        view.keyboard.press("Enter")
        view.wait_for_selector(".label-image img")
        text = assert_text_stays_text(view)
        assert HOSTILE_LABELS[0] in text and "<script>alert('ran')</script>" in text
        with view.expect_navigation():
            view.keyboard.press("1")
        assert HOSTILE_LABELS[0] in assert_text_stays_text(view)
        with view.expect_navigation():
            view.keyboard.press("f")
        for page in ("/labels", "/label"):
            view.goto(origin(server) + address(RUN, page))
            assert "Ada" in assert_text_stays_text(view) or page == "/label"


def test_hostile_text_stays_text_beside_a_judged_picture(chromium: "Browser", server: ViewServer) -> None:
    image = next((server.site.folder / "set" / "images").iterdir())
    with opened(chromium, server, address(RUN, "/judge"), width=375) as view:
        view.locator("input[type=file]").set_input_files(image)
        view.get_by_label("also by the prompts of all rounds").check()
        view.get_by_role("button", name="Judge").click()
        view.locator(".judged .hero").first.wait_for()
        assert "<script>alert('ran')</script>" in assert_text_stays_text(view)


def test_rarer_pages_have_no_serious_violation(chromium: "Browser", server: ViewServer) -> None:
    home: Path = server.site.home
    with opened(chromium, server, address(WAITING)) as view:
        assert view.get_by_role("button", name="Reject").count() == 1
        assert serious_violations(view) == []
        lock = lock_folder(home / RUN)  # at work, as the pages see it
        try:
            view.goto(origin(server) + address(RUN))
            view.wait_for_selector("#live .hero")
            assert serious_violations(view) == []
        finally:
            lock.close()
    with watched_page(chromium, home / RUN / "report.html") as view:
        assert serious_violations(view) == []


def test_the_page_of_the_first_address_has_no_serious_violation(chromium: "Browser", server: ViewServer) -> None:
    with chromium.new_context() as context:
        view = context.new_page()
        with watched(view, lambda url: url.startswith(f"{origin(server)}/")):
            view.route(f"{origin(server)}/", lambda route: route.fulfill(status=204))  # no step to the next page
            view.goto(server.address)
            assert view.get_by_role("link", name="Go on").is_visible()
            assert serious_violations(view) == []
