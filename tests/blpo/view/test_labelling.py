"""Labelling in a real browser: by keyboard, by two people at once, across a kill, pairs, criteria and first labels."""

import csv
import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from blpo.runs.run_record import RunRecord
from blpo.view.labelling.answer_log import AnswerLog, RaterAnswers
from blpo.view.labelling.outcome import agreed
from blpo.view.server import ViewServer
from tests.forked_blpo import ForkedBlpo
from tests.made_run import draw_image_pairs, draw_images, make_run
from tests.viewed import client, opened, origin, picture, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LABELS = ["safe", "unsafe"]
KINDS: dict[str, object] = {"kind": "categorical", "labels": LABELS}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, criteria_run: Path) -> Iterator[ViewServer]:
    """A project with runs of single images, of pairs and of criteria, and a folder without labels."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "runs").mkdir()
    draw_images(folder / "photos", [LABELS[i % 2] for i in range(60)], 64)
    run = make_run(
        folder / "photos",
        KINDS,
        ["Is it safe?", "Is it safe? Look."],
        lambda i, _: LABELS[i % 2],
        lambda i, sample: sample.label if i % 2 else LABELS[0],
    )
    shutil.move(run, folder / "runs" / "first")
    draw_image_pairs(folder / "sides", ["a" if i % 2 else "b" for i in range(16)], 64)
    pairs = make_run(
        folder / "sides",
        {"kind": "pairwise"},
        ["Which?", "Which one?"],
        lambda i, _: ("a", "a"),
        lambda i, _: ("b", "a"),
        columns={"image": ["image_a", "image_b"]},
    )
    shutil.move(pairs, folder / "runs" / "pairs")
    shutil.copytree(criteria_run, folder / "runs" / "criteria")
    draw_images(folder / "new", ["x"] * 3, 64)
    (folder / "new" / "labels.csv").unlink()
    with served(folder) as running:
        yield running


def test_twenty_samples_are_labelled_by_keyboard(chromium: "Browser", server: ViewServer) -> None:
    run = server.site.home / "first"
    with opened(chromium, server, "/runs/first/label") as view:
        view.get_by_label("Your name").fill("Ada")
        view.get_by_label("Samples").select_option("test")
        view.keyboard.press("Enter")
        view.wait_for_selector(".label-image img")
        assert "blur" in view.locator(".label-image img").evaluate("image => getComputedStyle(image).filter")
        view.keyboard.press("v")
        assert view.locator(".label-image img").evaluate("image => getComputedStyle(image).filter") == "none"
        picture(view, "label")
        assert "judge" not in view.locator("main").inner_text()  # the verdict is hidden until there is an answer
        for place in range(21):
            with view.expect_navigation():
                view.keyboard.press("2")
            view.locator(f".label-head strong:text-is('{place + 1}')").wait_for()
        assert "judge safe" in view.locator(".last").inner_text().replace("\n", " ") or "unsafe" in view.content()
        with view.expect_navigation():
            view.keyboard.press("u")
        with view.expect_navigation():
            view.keyboard.press("f")
        assert view.get_by_role("button", name="Flag").get_attribute("aria-pressed") == "true"
        view.goto(origin(server) + "/runs/first/labels")
        with view.expect_navigation():
            view.keyboard.press("s")
        picture(view, "labels")
        note = view.get_by_role("status").inner_text()
    assert "Version 2 is written" in note
    file = note.partition("data.corrections: ")[2].partition(" runs on it")[0]
    settings = load_settings(run / "config.yaml", [f"data.corrections={json.dumps(file)}"])
    before, after = RunRecord.read(run).settings, settings
    test = dataset_of(after).splits["test"]
    labelled = AnswerLog(run / "labelling").of("Ada").labels
    assert len(labelled) == 20 and sum(s.label == "unsafe" for s in test) >= 20
    changed = [s.id for s in dataset_of(before).splits["test"] if s.label != {x.id: x.label for x in test}[s.id]]
    assert changed and set(changed) < set(labelled)
    with open(file, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["by"] for row in rows} == {"Ada"} and len(rows) == 20


def test_two_browsers_at_once_lose_nothing(chromium: "Browser", server: ViewServer) -> None:
    address = "/runs/first/label?of=train&verdict=never&rater="
    with opened(chromium, server, address + "Bo") as one, opened(chromium, server, address + "Cy") as two:
        for key in "1221":
            for view in (one, two):
                with view.expect_navigation():
                    view.keyboard.press(key if view is one else "1")
        assert one.locator(".last").inner_text().count("judge") == 0
    log = AnswerLog(server.site.home / "first" / "labelling")
    assert list(log.of("Bo").labels.values()) == ["safe", "unsafe", "unsafe", "safe"]
    assert list(log.of("Cy").labels.values()) == ["safe"] * 4
    with client(server) as asking:
        text = asking.post("/runs/first/labels/ratings").text
    ratings = server.site.home / "first" / "labelling" / "ratings.csv"
    assert str(ratings) in text
    raters = [f"data.raters={{file: {ratings}, by: rater}}", "data.unlabelled=skip", "data.raters.label_from=column"]
    samples = dataset_of(load_settings(server.site.home / "first" / "config.yaml", raters)).by_id
    first = next(iter(log.of("Bo").labels))
    assert {rating.rater for rating in samples[first].ratings} >= {"Bo", "Cy"}


def test_a_kill_of_the_server_loses_no_answer(server: ViewServer, tmp_path: Path) -> None:
    shutil.copytree(server.site.home / "first", tmp_path / "runs" / "first")
    shutil.rmtree(tmp_path / "runs" / "first" / "labelling", ignore_errors=True)
    log = AnswerLog(tmp_path / "runs" / "first" / "labelling")
    form = {"rater": "Di", "of": "validation", "verdict": "after", "label": "safe"}
    with ForkedBlpo("view", tmp_path, "--port", "0") as process:
        while "token=" not in process.stdout:
            assert process.is_running, process.stderr
        address = process.stdout.strip()
        own, _, token = address.partition("/?token=")
        cookie = {f"blpo-view-{own.rpartition(':')[2]}": token}
        with httpx.Client(base_url=own, headers={"Origin": own}, cookies=cookie, timeout=60) as asking:
            while "In a moment" in (reply := asking.get("/runs/first/label?rater=Di&of=validation")).text:
                continue
            for answered in range(5):
                name = reply.text.split('name="id" value="')[1].split('"')[0]
                reply = asking.post("/runs/first/label", data={**form, "id": name}, follow_redirects=True)
                assert len(log.of("Di").labels) == answered + 1  # on the disk before the page goes on
        process.signal(signal.SIGKILL)
        process.wait()
    assert len(log.of("Di").labels) == 5


def test_pairs_stand_side_by_side(chromium: "Browser", server: ViewServer) -> None:
    with opened(chromium, server, "/runs/pairs/label?rater=Ada&of=test&verdict=after") as view:
        boxes = [box.bounding_box() for box in view.locator(".label-image").all()]
        assert len(boxes) == 2 and boxes[0] and boxes[1] and boxes[0]["y"] == boxes[1]["y"]
        picture(view, "label-pairs")
        with view.expect_navigation():
            view.keyboard.press("b")
        assert view.locator(".label-head strong").inner_text() == "1"


def test_criteria_come_one_after_the_other(server: ViewServer) -> None:
    with client(server) as asking:
        text = asking.get("/runs/criteria/label", params={"rater": "Ada", "of": "test"}).text
        name = text.split('name="id" value="')[1].split('"')[0]
        form = {"rater": "Ada", "of": "test", "verdict": "after", "id": name, "label": "2"}
        text = asking.post("/runs/criteria/label", data=form, follow_redirects=True).text
        following = text.split('name="id" value="')[1].split('"')[0]
        assert name.startswith("quality/") and following == name.replace("quality/", "light/")
        assert 'value="light"' in text and "corrections" not in asking.get("/runs/criteria/labels").text
        assert "ratings.0.csv" in asking.post("/runs/criteria/labels/ratings").text


def test_first_labels_begin_a_project(chromium: "Browser", server: ViewServer, tmp_path: Path) -> None:
    from blpo.cli.main import main

    with opened(chromium, server, "/label") as view:
        view.get_by_role("link", name="new").click()
        view.get_by_label("Your name").fill("Ada")
        view.get_by_label("Labels").fill("good, bad")
        view.get_by_role("button", name="Begin").click()
        view.wait_for_url("**/label/new/label?**")
        for key in "121":
            with view.expect_navigation():
                view.keyboard.press(key)
        assert "All 3 are labelled" in view.locator("h1").inner_text()
        with view.expect_navigation():
            view.keyboard.press("s")
        with view.expect_navigation():
            view.keyboard.press("s")
        assert "labels.csv is written" in view.get_by_role("status").inner_text()
    folder = server.site.folder / "new"
    assert (folder / "labels.csv").read_text().splitlines()[1:] == [
        "images/0000.jpg,good",
        "images/0001.jpg,bad",
        "images/0002.jpg,good",
    ]
    assert main(["init", str(tmp_path / "judge"), "--data", str(folder), "--yes"]) == 0
    (folder / "labels.csv").write_text("image,label\nmine,1\n")
    with client(server) as asking:
        assert "was not written here" in asking.post("/label/new/labels/file").text


def test_bad_answers_are_a_sentence(server: ViewServer) -> None:
    form = {"rater": "Ada", "of": "test", "verdict": "after", "id": "none", "label": "safe"}
    with client(server) as asking:
        assert "is not among those to label" in asking.post("/runs/first/label", data=form).text
        assert "give the name" in asking.get("/runs/first/label?rater=%20").text
        assert "is no part" in asking.get("/runs/first/label?rater=Ada&of=nothing").text
        assert asking.get("/runs/first/image?id=none").status_code == 400
        for name in ("runs", ".hidden", "photos%2fimages"):
            assert asking.get(f"/label/{name}/label").status_code == 404


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    log = AnswerLog(tmp_path / "log")
    log.label("Ada", "a", 1)
    (file,) = (tmp_path / "log").iterdir()
    file.write_text(file.read_text() + '{"id": "b", "la')
    log.label("Ada", "c", 3)
    assert log.of("Ada").labels == {"a": 1, "c": 3}
    log.undo("Ada")
    log.undo("Ada")
    log.undo("Ada")
    assert log.of("Ada").labels == {} and [each.rater for each in log.raters] == ["Ada"]


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3)), max_size=5))
def test_the_label_of_most_raters_counts(answers: list[dict[str, int]]) -> None:
    outcome = agreed([RaterAnswers(str(place), labels) for place, labels in enumerate(answers)], "abc")
    for name in "abc":
        votes = [labels[name] for labels in answers if name in labels]
        if name in outcome.labels:
            own = votes.count(int(outcome.labels[name]))
            assert all(votes.count(other) < own for other in set(votes) - {outcome.labels[name]})
        assert (name in outcome.split) == (bool(votes) and name not in outcome.labels)
