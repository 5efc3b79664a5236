"""Pairs in report, comparison, disagreements and exports: both images side by side, both orders, the lean."""

import asyncio
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import blpo
from blpo.cli.main import main
from blpo.reports.compare_page import comparison_page
from blpo.reports.comparison import compare_runs
from blpo.reports.evidence import gather
from blpo.reports.gallery import gallery
from blpo.reports.named_pictures import most_samples, named_pictures, named_texts, picture_names
from blpo.reports.relabelling import correct
from blpo.runs.run_record import RunRecord
from state.image_names import numbered
from state.sample import Sample
from state.settings import TaskSettings
from tests.chromium import browser, watched_page
from tests.made_run import draw_image_pairs, make_run
from tests.small_set import write_labels

PAIRS = TaskSettings(kind="pairwise")
COLUMNS: dict[str, object] = {"image": ["image_a", "image_b"]}
PROMPTS = ["Which is better?", "Which is better?\nLook at the colours."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run whose judge says "first" to every second pair, and then only to every fifth pair."""
    folder = tmp_path_factory.mktemp("pairs") / "set"
    draw_image_pairs(folder, ["ab"[i % 3 % 2] for i in range(60)], 48)
    return make_run(
        folder,
        {"kind": "pairwise"},
        PROMPTS,
        before=lambda i, sample: ("a", "b") if i % 2 else (sample.label, sample.label),
        after=lambda i, sample: (sample.label, sample.label) if i % 5 else ("a", "b"),
        metric="consistent_accuracy",
        columns=COLUMNS,
    )


@pytest.fixture(scope="module")
def page(run: Path) -> Path:
    return asyncio.run(blpo.report(run))


def test_the_page_tells_the_lean_and_both_orders(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    # test: 30 pairs, 6 of them "first" twice: 24 are right in both orders
    assert "In both orders the answer is the same for 80.0% of the pairs, and right for 80.0%." in html
    assert "60.0% of the answers" in html
    assert "the judge agreed with people in both orders on 15 under the first prompt and on 24" in html
    assert "<em>first in both orders</em>" in html
    assert "consistency of the two orders" in html
    assert "two answers about each pair" in html
    assert '<b aria-hidden="true">a</b>' in html
    assert "In a reason about the swapped order, the first image or text is b." in html
    assert "None" not in html.replace("None:", "")


def test_the_matrices_count_answers(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    # 30 pairs are 60 answers; a pair with "first" twice is right once
    assert "Before: 45 of 60 right" in html
    assert "After: 54 of 60 right" in html


async def test_the_gallery_names_the_images(run: Path) -> None:
    record = RunRecord.read(run)
    items = gallery(record, await gather(record))
    assert items.is_wide
    assert {tuple(picture.name for picture in item.images) for item in items.items} == {("a", "b")}
    assert all(len(item.after.orders) == 2 for item in items.items)


@pytest.mark.slow
def test_images_stand_side_by_side_in_a_browser(page: Path) -> None:
    with browser() as chromium:
        for width in (1280, 390):
            with watched_page(chromium, page, width) as view:
                boxes = [
                    view.locator("#disagreements .card").first.locator("img").nth(place).bounding_box()
                    for place in range(2)
                ]
                one, other = (box for box in boxes if box is not None)
                assert one["x"] + one["width"] <= other["x"]
                assert abs(one["y"] - other["y"]) < 1
                assert one["width"] > 120
                assert view.evaluate("document.documentElement.scrollWidth") == width
                view.locator("#disagreements summary").first.click()
                assert view.locator("#disagreements .orders").first.is_visible()


def test_disagreements_hold_pairs_wrong_in_one_order(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    differing = blpo.disagreements(run)
    assert len(differing) == 12
    for each in differing:
        assert (each.verdict, each.answer, each.distance, each.confidence) == (None, "first in both orders", 0.5, None)
        assert each.image.count("images/") == 2
    assert main(["disagreements", str(run), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {row["verdict"] for row in rows} == {"first in both orders"}
    assert "answer" not in rows[0]
    assert main(["disagreements", str(run), "--json"]) == 0
    assert {each["verdict"] for each in json.loads(capsys.readouterr().out)} == {None}
    assert main(["disagreements", str(run)]) == 0
    assert "first in both" in capsys.readouterr().out


def test_labels_of_pairs_are_corrected(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run.parent, tmp_path / "set")
    config = copy / "run" / "config.yaml"
    config.write_text(config.read_text().replace(str(run.parent), str(copy)))
    wrong = blpo.disagreements(copy / "run")[0]
    other = "b" if wrong.label == "a" else "a"
    (tmp_path / "review.csv").write_text(f"id,label\n{wrong.id},{other}\n")
    version = correct(copy / "run", tmp_path / "review.csv", "Ada")
    assert sum(version.changed.values()) == 1
    record = json.loads(version.file.with_suffix(".json").read_text())
    assert (record["task"], record["scale"]) == ("pairwise", ["a", "b"])


def test_all_verdicts_as_a_table(run: Path) -> None:
    assert main(["export", str(run), "--to", "csv"]) == 0
    rows = list(csv.DictReader((run / "exports" / "verdicts.csv").read_text().splitlines()))
    assert len(rows) == 60
    for row in rows:
        labels = row["best_ab"], row["best_ba"]
        assert row["best"] == (labels[0] if labels[0] == labels[1] else "")
        assert row["change"] in ("fixed", "broken", "wrong", "right")
    assert sum((row["initial_ab"], row["initial_ba"]) == ("a", "b") for row in rows) == 30


def test_a_label_studio_project_shows_both_images(run: Path, tmp_path: Path) -> None:
    assert main(["export", str(run), "--to", "label-studio", "--out", str(tmp_path)]) == 0
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    assert len(tasks) == 12
    assert all(task["data"]["image_a"].startswith("data:") and task["data"]["image_b"] for task in tasks)
    assert tasks[0]["data"]["judge_label"] == "first in both orders"
    assert tasks[0]["predictions"] == []  # no single label to propose
    interface = (tmp_path / "config.xml").read_text()
    assert '<Choice value="a"' in interface
    assert '<Choice value="b"' in interface


def test_runs_of_pairs_are_compared(run: Path, tmp_path: Path) -> None:
    second = shutil.copytree(run, tmp_path / "second")
    shutil.copy(run / "verdicts" / "initial.jsonl", second / "verdicts" / "best.jsonl")
    comparison = compare_runs([RunRecord.read(run), RunRecord.read(second)])
    against = comparison.entries[1].against
    assert against is not None
    assert against.difference == pytest.approx(15 / 30 - 24 / 30)
    assert against.high < 0
    initial = RunRecord.read(run).initial
    first_twice = {key for key, row in RunRecord.read(run).best.items() if row.verdict is None}
    differ = {key for key in comparison.shared if (key in first_twice) != (initial[key].verdict is None)}
    assert set(comparison.differing) == differ
    html = comparison_page(comparison)
    assert "first in both orders" in html
    assert "gallery wide" in html


def test_an_answer_in_one_order_is_compared_with_both_orders(run: Path, tmp_path: Path) -> None:
    one = shutil.copytree(run, tmp_path / "one")
    config = one / "config.yaml"
    text = config.read_text().replace("order: both", "order: one")
    config.write_text(text.replace("metric: consistent_accuracy", "metric: accuracy"))
    file = one / "verdicts" / "best.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        line["orders"], line["verdict"] = line["orders"][:1], line["orders"][0]["label"]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    comparison = compare_runs([RunRecord.read(run), RunRecord.read(one)])
    assert any("task.order differs (run both, one one)" in note for note in comparison.notes)
    twice = {key for key, row in RunRecord.read(run).best.items() if row.verdict is None and row.split == "test"}
    assert set(comparison.differing) == twice
    assert "not asked" in comparison_page(comparison)


def test_two_texts_about_an_image_stand_under_the_image(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    rows = []
    for i in range(40):
        Image.new("RGB", (24, 24), (6 * i, 90, 90)).save(tmp_path / "images" / f"{i}.png")
        texts = {"text_a": f"It shows {i} dogs.", "text_b": f"It shows {i} <b>cats</b>."}
        rows.append({"id": f"t{i}", "image": f"images/{i}.png", **texts, "label": "ab"[i % 2]})
    write_labels(tmp_path, rows)
    path = make_run(
        tmp_path,
        {"kind": "pairwise"},
        PROMPTS,
        before=lambda i, sample: ("a", "b"),
        after=lambda i, sample: (sample.label, sample.label),
        columns={"text": ["text_a", "text_b"]},
    )
    html = asyncio.run(blpo.report(path)).read_text(encoding="utf-8")
    assert '<span class="tag">a</span> It shows' in html
    assert "&lt;b&gt;cats&lt;/b&gt;" in html
    correct_first = [row.id for row in RunRecord.read(path).best.values()][:3]
    file = path / "verdicts" / "best.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    rows_of_best = [{**line, "verdict": None, "orders": []} if line["id"] in correct_first else line for line in lines]
    file.write_text("".join(json.dumps(line) + "\n" for line in rows_of_best))
    assert main(["export", str(path), "--to", "label-studio", "--out", str(tmp_path / "studio")]) == 0
    tasks = json.loads((tmp_path / "studio" / "tasks.json").read_text())
    assert len(tasks) == 3
    assert all(task["data"]["text_a"].endswith("dogs.") and "cats" in task["data"]["text_b"] for task in tasks)
    assert 'value="$text_b"' in (tmp_path / "studio" / "config.xml").read_text()


def test_names_of_pictures() -> None:
    image = _Source()
    two, one = Sample("p", (image, image), "a"), Sample("s", (image,), "a", texts=("x", "y"))
    assert picture_names(two, PAIRS) == ["a", "b"]
    assert picture_names(one, PAIRS) == [""]
    assert picture_names(two, TaskSettings()) == ["", ""]
    views = replace(two, image_names=("front", "side"))
    assert picture_names(views, TaskSettings()) == ["front", "side"]
    frames = replace(two, images=(image,) * 16, image_names=numbered(16), context=(("reference", image),))
    assert picture_names(frames, TaskSettings()) == [*map(str, range(1, 17)), "reference"]
    assert (most_samples([views, frames], 500), most_samples([two], 500)) == (125, 500)
    edit = Sample("e", (image, image), "a", context=(("before", image), ("reference", image)))
    assert picture_names(edit, PAIRS) == ["a", "b", "before the edit", "reference"]
    assert named_texts(one) == [("a", "x"), ("b", "y")]
    assert named_texts(two) == []
    assert [picture.name for picture in named_pictures([edit], PAIRS)["e"]] == picture_names(edit, PAIRS)


class _Source:
    """A small image in memory."""

    name = "memory"

    def read(self) -> bytes:
        from io import BytesIO

        buffer = BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, "PNG")
        return buffer.getvalue()
