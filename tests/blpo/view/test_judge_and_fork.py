"""A picture for the judge of a run, and a fork with an edited prompt, in a real browser."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blpo.view.server import ViewServer
from tests.axe import serious_violations
from tests.viewed import client, fork_blpo, opened, origin, picture, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, criteria_run: Path) -> Iterator[ViewServer]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "runs").mkdir()
    shutil.copytree(criteria_run, folder / "runs" / "first")
    with served(folder) as running:
        running.site.processes.launch = fork_blpo
        yield running


def test_a_picture_is_judged_by_all_rounds(chromium: "Browser", server: ViewServer, criteria_run: Path) -> None:
    image = next((criteria_run.parent / "images").iterdir())
    with opened(chromium, server, "/runs/first/judge") as view:
        view.locator("input[type=file]").set_input_files(image)
        view.get_by_label("also by the prompts of all rounds").check()
        view.get_by_role("button", name="Judge").click()
        view.locator(".judged .hero").first.wait_for()
        picture(view, "judge")
        assert view.locator(".judged .hero").count() == 2  # a verdict for each criterion
        rounds = json.loads((server.site.home / "first" / "result.json").read_text())["rounds"]
        prompts = len({each["judge_prompt"] for each in rounds})
        assert prompts > 1 and view.locator(".by-round tbody tr").count() == 2 * prompts
        text = {"name": "text.png", "mimeType": "image/png", "buffer": b"no picture"}
        view.locator("input[type=file]").set_input_files(text)  # type: ignore[arg-type] # a plain mapping
        view.get_by_label("also by the prompts of all rounds").uncheck()


def test_pages_have_no_serious_violation(chromium: "Browser", server: ViewServer) -> None:
    pages = ("/start", "/runs/first/judge", "/runs/first/prompts", "/runs/first/label", "/runs/first/labels", "/label")
    with opened(chromium, server, width=375, scheme="dark") as view:
        for path in (*pages, "/runs/first/label?rater=Ada&of=test"):
            view.goto(origin(server) + path)
            assert serious_violations(view) == [], path
            assert view.evaluate("document.documentElement.scrollWidth") <= 375, path


def test_a_bad_picture_is_a_sentence(server: ViewServer) -> None:
    with client(server) as asking:
        assert "no picture was sent" in asking.post("/runs/first/judge").text
        reply = asking.post("/runs/first/judge", content=b"no picture")
        assert reply.status_code == 400 and "picture: " in reply.text and "blpo-picture" not in reply.text
        assert asking.post("/runs/first/judge", content=b"x" * 25_000_001).status_code == 413
        assert asking.post("/runs/none/judge", content=b"x").status_code == 404


def test_an_edited_prompt_is_forked(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, "/runs/first/prompts?from=0&to=1") as view:
        assert view.locator("ins").count() > 0
        picture(view, "prompts")
        view.get_by_role("link", name="fork from round 1").click()
        view.get_by_label("Name of the new run").fill("mine")
        view.get_by_label("Judge prompt").fill("Judge the image.\nStart from 2.")
        view.get_by_role("button", name="Fork").click()
        view.locator("#search").wait_for()
        view.goto(origin(server))
        assert "fork of first" in view.locator("tr", has_text="mine").inner_text()
    result = json.loads((server.site.home / "mine" / "result.json").read_text())
    assert result["rounds"][1]["judge_prompt"] == "Judge the image.\nStart from 2."
    assert result["lineage"]["fork"]["changed"] == ["judge prompt"]


def test_a_bad_fork_is_a_sentence(server: ViewServer) -> None:
    form = {"round": "1", "name": "other", "judge": "A prompt.", "i2t": "Describe.", "rounds": "2"}
    with client(server) as asking:
        for change, sentence in (
            ({"judge": " "}, "the judge prompt can&#39;t be used: it is empty"),
            ({"round": "9"}, "is no number from 0 to"),
            ({"name": "first"}, "is there already"),
            ({"i2t": "{{text}}"}, "the i2t prompt can&#39;t be used"),
        ):
            assert sentence in asking.post("/runs/first/fork", data={**form, **change}).text
