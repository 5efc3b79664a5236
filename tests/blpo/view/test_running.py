"""Runs begun, watched, stopped and answered from a page, in a real browser and real processes."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import blpo
from blpo.storage.locks import holder, lock_folder
from blpo.view.run_process import launch_blpo
from blpo.view.server import ViewServer
from state.errors import RunError
from tests.small_set import draw_dataset
from tests.viewed import client, fork_blpo, opened, picture, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    """A project with a config of a long search, and a run that waits for an answer."""
    folder = tmp_path_factory.mktemp("project")
    draw_dataset(folder / "photos", 40)
    search = {"outer_rounds": 400, "inner_steps": 3, "trials": "scored", "error_batch": 12, "adopt": "always"}
    config: dict[str, Any] = {"data": {"path": "photos/labels.csv"}, "search": {**search, "patience": None}}
    (folder / "long.yaml").write_text(yaml.safe_dump(config))
    (folder / "bad.yaml").write_text("nonsense: 1\n")
    config["data"] = {"path": str(folder / "photos" / "labels.csv")}
    config["search"] = {**search, "outer_rounds": 3, "inner_steps": 1}
    overrides = [f"run.dir={folder}/runs/waiting", "approval=judge"]
    asyncio.run(blpo.optimize(config, overrides=overrides, progress=False))
    with served(folder) as running:
        running.site.processes.launch = fork_blpo
        yield running


def question(server: ViewServer) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((server.site.home / "waiting" / "result.json").read_text())
    asked: dict[str, Any] = result["question"]
    return asked


def test_a_run_is_begun_watched_stopped_and_resumed(chromium: "Browser", server: ViewServer) -> None:
    server.site.processes.launch = launch_blpo  # one process with its imports, as people have it
    with opened(chromium, server, "/start") as view:
        view.locator("select[name=config]").select_option("long.yaml")
        view.get_by_label("Name of the run").fill("mine")
        picture(view, "start")
        view.get_by_role("button", name="Start").click()
        view.wait_for_url("**/runs/mine", wait_until="commit")
        view.locator("#live th[scope=row]").first.wait_for()  # a round is judged
        picture(view, "live")
        assert "round" in view.locator("#live .hero").inner_text()
        assert holder(server.site.home / "mine") is not None
        server.site.processes.launch = fork_blpo
        view.get_by_role("button", name="Stop").click()
        resume = view.get_by_role("button", name="Resume")
        resume.wait_for()
        resume.click()
        events = server.site.home / "mine" / "events.jsonl"
        while events.read_text().count('"started"') < 2:
            time.sleep(0.1)
        view.get_by_role("button", name="Stop").click()
        resume.wait_for()
        assert view.locator(".status").first.inner_text() == "interrupted"


def test_a_question_is_rejected_edited_and_approved(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, "/runs/waiting", width=1100) as view:
        view.locator("ins").first.wait_for()
        picture(view, "question")
        view.keyboard.press("r")
        view.keyboard.type("It names no colours.")
        view.get_by_role("button", name="Reject").click()
        view.get_by_text("of round 1 waits").wait_for()
        view.keyboard.press("e")
        with client(server) as asking:
            form = {"question": "1 judge", "decision": "edit", "text": "Rate the grain {{here}}."}
            assert "can&#39;t be used" in asking.post("/runs/waiting/answer", data=form).text
        assert question(server)["round"] == 1
        view.get_by_label("Another text instead").fill("Rate the grain. Start from 3.")
        view.get_by_role("button", name="Adopt the edited text").click()
        view.get_by_text("of round 2 waits").wait_for()
        view.keyboard.press("Escape")
        view.keyboard.press("a")
        view.get_by_text("Round by round").wait_for()
    result = json.loads((server.site.home / "waiting" / "result.json").read_text())
    decisions = [each["decision"] for record in result["rounds"] for each in record.get("decisions", [])]
    assert decisions == ["reject", "edit", "approve"]
    assert result["rounds"][2]["judge_prompt"] == "Rate the grain. Start from 3."


def test_bad_starts_are_a_sentence(server: ViewServer) -> None:
    with client(server) as asking:
        for form, sentence in (
            ({"config": "bad.yaml", "name": "x"}, "nonsense"),
            ({"config": "../x.yaml", "name": "x"}, "is not in"),
            ({"config": "long.yaml", "name": "../x"}, "a run&#39;s name has letters"),
            ({"config": "long.yaml", "name": "waiting"}, "is there already"),
            ({"config": "long.yaml", "name": "x", "calls": "many"}, "&#39;many&#39; is no number"),
        ):
            reply = asking.post("/start", data=form)
            assert reply.status_code in (400, 404) and sentence in reply.text, reply.text
        assert "by a page" in asking.post("/runs/waiting/stop").text
        late = asking.post("/runs/waiting/answer", data={"question": "7 judge", "decision": "approve"})
        assert "does not ask this question any more" in late.text
        too_large = asking.post("/start", content=b"x" * 2_000_000)
        assert too_large.status_code == 413
    assert not (server.site.home / "x").exists()


def test_a_process_that_a_page_did_not_begin_is_left_alone(server: ViewServer) -> None:
    run = server.site.home / "waiting"
    lock = lock_folder(run)
    try:
        assert holder(run) is not None and not server.site.processes.can_stop("waiting")
        with pytest.raises(RunError, match="stop it where it was begun"):
            server.site.processes.stop("waiting")
    finally:
        lock.close()
    assert holder(run) is None
