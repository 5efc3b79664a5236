"""Reports in a real browser: pages load nothing, run no text of the data, and work by mouse and keyboard."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import altair
import pytest

import blpo
from blpo.reports.charts import ratings_chart, trials_chart, validation_chart
from blpo.reports.compare_page import write_comparison
from blpo.reports.confusions import RatingRow
from blpo.reports.label_source import label_source
from blpo.runs.run_record import RunRecord
from tests.chromium import browser, watched_page
from tests.hostile_run import HOSTILE_LABELS, hostile_config
from tests.made_run import draw_images, make_run
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a real run with scored trials."""
    folder = draw_dataset(tmp_path_factory.mktemp("small") / "set", 40)
    overrides = [f"run.dir={folder.parent / 'run'}", "search.trials=scored"]
    asyncio.run(blpo.optimize(folder / "config.yaml", overrides=overrides))
    return folder.parent / "run" / "report.html"


def test_charts_keep_to_the_schema_of_altair(small: Path) -> None:
    run = RunRecord.read(small.parent)
    rows = [RatingRow(human=1, n=3, mean=1.5, low=1, high=2)]
    charts = [
        validation_chart([("run", run)], [(0.1, 0.4)] * len(run.result["rounds"])),
        validation_chart([("run", run), ("again", run)]),
        trials_chart(run),
        ratings_chart(rows, rows, 1, 5, label_source(run.settings)),
    ]
    for chart in charts:
        assert chart is not None
        altair.LayerChart.from_dict(chart.specification).to_dict()  # refuses names and values outside of the schema


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report with a full gallery and labels of unsafe images."""
    folder = tmp_path_factory.mktemp("large") / "set"
    labels = ["safe", "unsafe"]
    draw_images(folder, [labels[i % 2] for i in range(700)], 64)
    task: dict[str, object] = {"kind": "categorical", "labels": labels}
    prompts = ["Is it safe?", "Is it safe?\nLook at the colours."]
    run = make_run(
        folder,
        task,
        prompts,
        before=lambda i, sample: labels[i % 3 % 2],
        after=lambda i, sample: sample.label if i % 4 == 0 else None if i % 50 == 1 else labels[i % 2],
    )
    return asyncio.run(blpo.report(run))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of a real run with hostile prompts, labels, names, texts and answers."""
    folder = tmp_path_factory.mktemp("hostile")
    run = folder / "<i>run</i> \"'&"
    asyncio.run(blpo.optimize(hostile_config(folder / "set", run)))
    return run / "report.html"


@pytest.fixture(scope="module")
def compared(hostile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Comparison of the hostile run with a copy of opposite verdicts, under a hostile name."""
    folder = tmp_path_factory.mktemp("compared")
    other = folder / "<script>alert('ran')<>"
    shutil.copytree(hostile.parent, other)
    verdicts = other / "verdicts" / "best.jsonl"
    rows = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        row["verdict"] = HOSTILE_LABELS[1 - HOSTILE_LABELS.index(row["verdict"])]
    verdicts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    asyncio.run(write_comparison([hostile.parent, other], folder / "compare.html"))
    return folder / "compare.html"


@pytest.fixture(scope="module")
def chromium(sample: Path, small: Path, large: Path, hostile: Path, compared: Path) -> Iterator["Browser"]:
    """Shared browser. The pages are written first, because the browser keeps an event loop running."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of a real run on the built-in sample."""
    run = tmp_path_factory.mktemp("sample") / "run"
    search = ["search.outer_rounds=3", "search.inner_steps=1"]
    asyncio.run(blpo.optimize(overrides=[f"run.dir={run}", *search], progress=False))
    return run / "report.html"


PAGE_SIZE = 12


def shown(view: "Page") -> int:
    return view.locator(".card:visible").count()


def matches(view: "Page") -> int:
    """Return the number of samples that the filters leave, on all pages."""
    return int(view.locator("output[name=shown]").inner_text().split()[0])


def test_a_small_report_shows_every_part(chromium: "Browser", small: Path) -> None:
    from playwright.sync_api import expect

    with watched_page(chromium, small) as view:
        for part in ("verdict", "search", "prompts", "confusions", "disagreements", "captions", "cost", "settings"):
            assert view.locator(f"#{part}").is_visible()
        assert view.locator("#search svg").count() == 2
        assert view.locator(".matrix table").count() == 2
        assert view.locator("#captions tbody tr").count() >= 1
        view.locator(".card img").first.scroll_into_view_if_needed()
        expect(view.locator(".card img").first).to_have_js_property("naturalWidth", 32)


def test_a_large_report_is_filtered_by_mouse(chromium: "Browser", large: Path) -> None:
    assert large.stat().st_size < 15_000_000
    with watched_page(chromium, large) as view:
        assert matches(view) == 500 and shown(view) == PAGE_SIZE
        counts = {}
        for change in ("fixed", "broken", "still wrong"):
            view.get_by_label(change, exact=False).click()
            counts[change] = matches(view)
            assert f"{change} ({counts[change]})" in view.locator(".filters").inner_text()
            assert shown(view) == min(counts[change], PAGE_SIZE)
        assert sum(counts.values()) == 500 and min(counts.values()) > 0
        view.get_by_label("all", exact=True).click()
        view.get_by_label("People's label").select_option("unsafe")
        view.get_by_label("Split").select_option("test")
        assert 0 < matches(view) < 500
        labels = view.locator(".card:visible .labels strong:first-of-type").all_text_contents()
        assert labels[::2] and set(labels[::2]) == {"unsafe"}


def test_the_gallery_begins_with_the_test_split_and_turns_pages(chromium: "Browser", large: Path) -> None:
    with watched_page(chromium, large) as view:
        pager = view.locator("[data-pager]")
        back, forth = pager.get_by_text("Previous"), pager.get_by_text("Next")
        assert set(view.locator(".card:visible").evaluate_all("all => all.map(each => each.dataset.split)")) == {"test"}
        first = view.locator(".card:visible .id").first.text_content()
        assert pager.inner_text().split("\n")[1] == "Page 1 of 42" and back.is_disabled()
        forth.click()
        assert pager.inner_text().split("\n")[1] == "Page 2 of 42"
        assert shown(view) == PAGE_SIZE and view.locator(".card:visible .id").first.text_content() != first
        back.click()
        assert view.locator(".card:visible .id").first.text_content() == first
        view.locator('.card[tabindex="0"]').focus()
        view.keyboard.press("End")
        assert forth.is_disabled() and shown(view) == 500 - 41 * PAGE_SIZE
        view.get_by_label("broken", exact=False).click()
        assert pager.inner_text().split("\n")[1].startswith("Page 1 of ")


def test_a_long_reason_has_three_lines_until_a_click(chromium: "Browser", sample: Path) -> None:
    with watched_page(chromium, sample) as view:
        reason = view.locator(".card .clamped").first
        lines = "each => Math.round(each.clientHeight / parseFloat(getComputedStyle(each).lineHeight))"
        assert reason.evaluate(lines) == 3
        reason.click()
        assert reason.evaluate(lines) > 3
        reason.click()
        assert reason.evaluate(lines) == 3
        view.locator(".card details summary").first.click()
        assert reason.evaluate(lines) > 3
        view.locator("details.edit > summary").first.click()
        view.locator("details.edit[open] .cases summary").click()
        reason = view.locator("details.edit[open] .clamped").first
        before = reason.evaluate(lines)
        reason.focus()
        view.keyboard.press("Enter")
        assert before <= 3 and reason.evaluate("each => each.classList.contains('unfolded')")


def test_the_page_of_the_sample_is_short_until_something_is_opened(chromium: "Browser", sample: Path) -> None:
    with watched_page(chromium, sample, width=1280) as view:
        assert view.evaluate("document.documentElement.scrollHeight") <= 8000
        assert view.locator("details[open]").count() == 0
        assert view.locator("details.edit").count() == 3
        for change in ("fixed", "broken"):
            examples = view.locator(f".examples figure:has-text('{change}')")
            counts = [int(word) for word in examples.locator("figcaption").inner_text().split() if word.isdigit()]
            assert examples.locator("img").count() == counts[0] == min(4, counts[1])
        bottom = view.locator(".examples").evaluate("each => each.getBoundingClientRect().bottom")
        assert bottom <= 900
        text = view.locator("body").inner_text()
        assert "people" not in text.lower() and "the sample's labels" in text


def test_a_phone_shows_every_p_value_of_a_comparison(chromium: "Browser", compared: Path) -> None:
    with watched_page(chromium, compared, width=390) as view:
        cell = view.locator(".verdicts td[data-name='paired test']")
        edges = cell.evaluate("each => [each.getBoundingClientRect().left, each.getBoundingClientRect().right]")
        assert cell.inner_text().startswith("p ") and 0 <= edges[0] < edges[1] <= 390
        table = view.locator(".scroll:has(.verdicts)")
        assert table.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_sensitive_images_are_blurred_until_shown(chromium: "Browser", large: Path) -> None:
    with watched_page(chromium, large) as view:
        first = view.locator(".card img").first
        blur = "image => getComputedStyle(image).filter"
        assert "blur" in first.evaluate(blur)
        first.click()
        assert first.evaluate(blur) == "none"
        first.click()
        example = view.locator(".examples img").first
        assert "blur" in example.evaluate(blur)
        view.locator(".examples li").first.focus()
        view.keyboard.press("Enter")
        assert example.evaluate(blur) == "none"
        view.get_by_label("blur images").uncheck()
        assert first.evaluate(blur) == "none"
        assert view.locator(".examples img").last.evaluate(blur) == "none"


def test_the_gallery_is_one_tab_stop_moved_through_with_arrow_keys(chromium: "Browser", large: Path) -> None:
    with watched_page(chromium, large) as view:
        assert view.locator('.card[tabindex="0"]').count() == 1
        view.locator('.card[tabindex="0"]').focus()
        place = "[...document.querySelectorAll('.card')].indexOf(document.activeElement)"
        at = []
        for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "End", "ArrowRight", "Home"):
            view.keyboard.press(key)
            at.append(view.evaluate(place))
        columns = view.evaluate(
            "getComputedStyle(document.querySelector('.gallery')).gridTemplateColumns.split(' ').length"
        )
        assert at == [1, 2, 1, 1 + columns, 1, 499, 499, 0]
        view.keyboard.press("Enter")
        assert view.locator(".card.revealed").count() == 1


def test_filters_and_prompts_work_by_keyboard(chromium: "Browser", large: Path) -> None:
    with watched_page(chromium, large) as view:
        view.keyboard.press("Tab")
        assert view.evaluate("document.activeElement.className") == "skip"
        view.locator("input[name=change]").first.focus()
        view.keyboard.press("ArrowRight")
        assert view.locator(".card:visible").first.get_attribute("data-change") == "fixed"
        view.locator("input[name=overall]").first.focus()
        assert view.locator("[data-view=changes] ins").first.is_visible()
        view.keyboard.press("ArrowRight")
        assert view.locator("[data-view=changes]").first.is_hidden()
        assert view.locator("[data-view=before]").first.inner_text().strip() == "Is it safe?"
        view.keyboard.press("ArrowRight")
        assert "Look at the colours." in view.locator("[data-view=after]").first.inner_text()


def test_the_theme_follows_the_system_until_it_is_chosen(chromium: "Browser", small: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    with watched_page(chromium, small, scheme="dark") as view:
        dark = view.evaluate(background)
        view.locator("#theme").click()
        light = view.evaluate(background)
    with watched_page(chromium, small, scheme="light") as view:
        assert view.evaluate(background) == light != dark
        view.locator("#theme").focus()
        view.keyboard.press("Enter")
        assert view.evaluate(background) == dark
        assert view.locator("#theme").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("which", ["small", "large", "hostile", "compared"])
def test_a_phone_needs_no_sideways_scrolling(chromium: "Browser", which: str, request: pytest.FixtureRequest) -> None:
    with watched_page(chromium, request.getfixturevalue(which), width=360) as view:
        assert view.evaluate("document.documentElement.scrollWidth") <= 360


def test_tables_fit_a_phone_and_shade_the_edge_where_one_scrolls(chromium: "Browser", small: Path) -> None:
    with watched_page(chromium, small, width=375) as view:
        view.locator(".captions > summary").click()
        tables = view.locator(".scroll:has(.metrics, .carried, .cost)")
        fit = tables.evaluate_all("all => all.map(each => each.scrollWidth <= each.clientWidth)")
        assert len(fit) == 4 and all(fit)
        shade = tables.last.evaluate("each => getComputedStyle(each).backgroundAttachment")
        assert shade == "local, local, scroll, scroll"
    with watched_page(chromium, small) as view:
        assert view.locator(".cost").evaluate("table => getComputedStyle(table).display") == "table"


def test_hostile_text_stays_text(chromium: "Browser", hostile: Path) -> None:
    with watched_page(chromium, hostile) as view:
        for summary in view.locator("details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        for reason in view.locator(".clamped").all():
            if reason.is_visible():
                reason.click()
        for radio in view.locator("input[type=radio]").all():
            if radio.is_visible():
                radio.click()
        view.get_by_label("all", exact=True).click()
        view.locator(".card:visible .pictures").first.click()
        assert view.locator("body script").count() == 1
        assert view.locator("svg[onload], [onerror], [onclick], b, i").count() == 0
        text = view.locator("body").inner_text()
        assert "alert('ran')" in text and '<script>alert("label")</script>' in text
        assert "{{ 7*7 }}" in text and "😀" in text
        assert "‮" not in text
        options = view.locator("select[name=label] option").all_inner_texts()
        assert '<script>alert("label")</script>' in options


def test_a_comparison_works_and_keeps_hostile_text_as_text(chromium: "Browser", compared: Path) -> None:
    with watched_page(chromium, compared) as view:
        view.get_by_label("differences from the first run").click()
        assert view.locator("[data-view=changes]").first.is_visible()
        assert view.locator("[data-view=after]").first.is_hidden()
        everything = matches(view)
        view.get_by_label("People's label").select_option(index=1)
        assert 0 < matches(view) < everything
        view.locator(".card:visible").first.focus()
        view.keyboard.press("ArrowRight")
        assert view.locator("body script").count() == 1
        assert "<script>alert('ran')<>" in view.locator(".verdicts").inner_text()


def test_the_policy_forbids_what_is_not_ours(chromium: "Browser", small: Path, tmp_path: Path) -> None:
    """Page with a foreign script, style and image."""
    page = tmp_path / "broken.html"
    strange = "<script>document.title = 'ran'</script><img src='https://example.org/a.png'><p style='color: red'>"
    page.write_text(small.read_text(encoding="utf-8").replace("</main>", f"{strange}</main>"), encoding="utf-8")
    view = chromium.new_page()
    refused: list[str] = []
    view.on("console", lambda message: refused.append(message.text))
    view.goto(page.as_uri())
    assert view.title() != "ran"
    assert len(refused) == 3 and all("Content Security Policy" in text for text in refused)
    view.close()


def test_without_script_everything_can_still_be_read(chromium: "Browser", large: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    view = context.new_page()
    view.goto(large.as_uri())
    assert view.locator(".card").count() == 500
    assert view.locator(".filters").is_hidden() and view.locator("#theme").is_hidden()
    assert view.locator("[data-view=changes]").first.is_visible()
    context.close()


def test_it_prints(chromium: "Browser", small: Path) -> None:
    with watched_page(chromium, small) as view:
        view.emulate_media(media="print")
        assert view.locator(".bar").is_hidden() and view.locator(".filters").is_hidden()
        assert len(view.pdf()) > 10_000
