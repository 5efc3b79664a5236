"""Pages to read, in a real browser: runs, reports, comparisons and experiments, also of hostile runs."""

import json
import shutil
from collections.abc import Iterator
from threading import Event
from typing import TYPE_CHECKING

import pytest

from blpo.view.server import ViewServer
from tests.axe import serious_violations
from tests.made_run import draw_images, make_run
from tests.servers.other_origin import other_origin
from tests.viewed import client, opened, origin, picture, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPT = "</script><script>alert('ran')</script><img src=x onerror=alert('ran')> \u202eevil"
HUGE = "word " * 20_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    """Three runs of one dataset, one of them hostile, and an experiment."""
    folder = tmp_path_factory.mktemp("project")
    labels = ["safe", "unsafe"]
    draw_images(folder / "photos", [labels[i % 2] for i in range(60)], 64)
    run = make_run(
        folder / "photos",
        {"kind": "categorical", "labels": labels},
        ["Is it safe?", "Is it safe?\nLook at the colours."],
        before=lambda i, _: labels[i % 3 % 2],
        after=lambda i, sample: sample.label if i % 8 else labels[i % 3 % 2],
    )
    for name in ("first", "second"):
        shutil.copytree(run, folder / "runs" / name)
    hostile = folder / "runs" / "<script>alert('ran')<>"
    shutil.copytree(run, hostile)
    result = json.loads((hostile / "result.json").read_text())
    for each in result["rounds"]:
        each["judge_prompt"] = SCRIPT + each["judge_prompt"] + HUGE
    (hostile / "result.json").write_text(json.dumps(result))
    (hostile / "report.html").write_text(SCRIPT)
    broken = folder / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text(SCRIPT)
    evals = folder / "runs" / "evals-small"
    evals.mkdir()
    (evals / "evals.yaml").touch()
    (evals / "table.json").write_text(json.dumps({"rows": [{"method": "blpo"}], "cells": [1, 2]}))
    table = f"# Methods\n\n| method | mean |\n|---|---:|\n| {SCRIPT} | 0.5 |\n\n[go](javascript:alert(1))\n"
    (evals / "table.md").write_text(table)
    (evals / "figure.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert('ran')</script></svg>")
    with served(folder) as running:
        yield running


def test_runs_are_listed_filtered_and_compared(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server) as view:
        view.wait_for_selector(".runs tbody tr:nth-child(4)")
        picture(view, "runs")
        view.get_by_label("Name or task").fill("second")
        view.keyboard.press("Enter")
        view.wait_for_url("**q=second**")
        assert view.locator(".runs tbody th a").all_inner_texts() == ["second"]
        view.goto(origin(server) + "/?sort=name")
        button = view.locator(".actions button")
        assert button.is_disabled()
        view.get_by_label("Compare first").focus()
        view.keyboard.press("Space")
        view.get_by_label("Compare second").check()
        button.click()
        view.wait_for_url("**/compare?**")
        assert "No difference from first could be shown" in view.locator("h1").inner_text()
        assert view.locator(".verdicts tbody tr").count() == 2


def test_a_run_is_its_report(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server) as view:
        view.get_by_role("link", name="first", exact=True).click()
        view.wait_for_selector("#disagreements")
        assert view.locator("h1").inner_text() == "The new prompt agrees better with people"
        assert view.locator(".run-name strong").inner_text() == "first"
        assert view.locator(".card:visible").count() == 12
        assert "blur" in view.locator(".card img").first.evaluate("image => getComputedStyle(image).filter")
        view.get_by_label("broken", exact=False).first.click()
        picture(view, "report")


def test_hostile_runs_stay_text(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server) as view:
        for link in ("<script>alert('ran')<>", "broken"):
            view.goto(origin(server))
            view.get_by_role("link", name=link, exact=True).click()
            view.wait_for_selector("h1")
            view.wait_for_selector("[data-reload]", state="detached")
            view.wait_for_selector("footer + script", state="attached")  # the end of a page of a hostile size
            assert view.locator("[onerror], [onclick]").count() == 0 and view.locator("script").count() == 2
            assert "\u202e" not in view.content()
        view.goto(f"{origin(server)}/experiments")
        view.get_by_role("link", name="evals-small").click()
        assert view.locator("td").first.inner_text().startswith("</script><script>alert('ran')")
        assert view.locator("[onerror], a[href^=javascript]").count() == 0
        assert view.locator("td").last.evaluate("cell => getComputedStyle(cell).textAlign") == "end"
    with client(server) as asking:
        policy = asking.get("/experiments/evals-small/figure.svg").headers["content-security-policy"]
        assert "default-src 'none'" in policy and "sandbox" in policy


def test_a_phone_and_the_dark(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, width=375, scheme="dark") as view:
        for path in ("/", "/runs/first", "/experiments", "/experiments/evals-small", "/compare?run=first&run=second"):
            view.goto(origin(server) + path)
            assert view.evaluate("document.documentElement.scrollWidth") <= 375, path
        dark = "getComputedStyle(document.body).backgroundColor"
        before = view.evaluate(dark)
        view.locator("#theme").click()
        view.wait_for_timeout(50)  # the click is told first
        view.goto(origin(server))
        assert view.evaluate(dark) != before  # the choice is kept from page to page


def test_pages_have_no_serious_violation(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server) as view:
        for path in ("/", "/runs/first", "/experiments", "/experiments/evals-small", "/compare?run=first&run=second"):
            view.goto(origin(server) + path)
            assert serious_violations(view) == [], path


def test_another_origin_can_neither_read_nor_write(chromium: "Browser", server: ViewServer) -> None:
    """Page of a second server on this machine: for cookies the same site."""
    with other_origin(origin(server)) as foreign, chromium.new_context() as context:
        own = context.new_page()
        own.goto(server.address)
        own.wait_for_url(f"{origin(server)}/")
        view = context.new_page()
        view.goto(foreign)
        view.wait_for_function("document.title == 'done'")
        assert json.loads(view.locator("pre").inner_text()) == {
            "read": "refused",
            "read without cors": "refused",
            "write": "refused",
            "image": "refused",
            "script": "refused",
            "frame": "empty",
        }
        view.locator("button").click()  # a form that posts to the pages
        view.wait_for_load_state()
        assert view.locator("body").inner_text().startswith("refused: a page of another origin asked")


def test_a_run_is_answered_before_its_report_is_read(server: ViewServer) -> None:
    """The thread of the reports is busy, as with a run of many samples."""
    may_read = Event()
    server.site.reports.when_idle(may_read.wait)
    try:
        with client(server) as asking:
            early = asking.get("/runs/second").text
            assert "data-reload" in early and 'class="hero"' in early and 'id="disagreements"' not in early
    finally:
        may_read.set()


def test_bad_addresses_are_a_sentence(server: ViewServer) -> None:
    with client(server) as asking:
        for path, sentence in {
            "/compare": "mark 2 to 12 runs to compare; 0 are marked",
            "/compare?run=first&run=none": "none&#39; is not in",
            "/compare?run=first&run=broken": "broken",
            "/nowhere": "there is no such page",
            "/?page=99999999999&sort=x&status=%00": "No run matches",
        }.items():
            assert sentence in asking.get(path).text, path
