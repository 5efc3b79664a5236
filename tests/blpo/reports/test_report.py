"""Contents of reports; test_report_browser.py opens the pages."""

import asyncio
import json
import re
import shutil
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import blpo
from blpo.cli.main import main
from blpo.inference.ended_runs import ended_runs_kept
from blpo.metrics.readings import strict_reading
from blpo.reports.captions import separation
from blpo.reports.differences import word_diff
from blpo.reports.evidence import gather
from blpo.reports.intervals import interval
from blpo.reports.label_source import PEOPLE
from blpo.reports.outcome import headline, meaning
from blpo.reports.thumbnails import thumbnails
from blpo.reports.validation_band import validation_bands
from blpo.runs.run_record import RunRecord
from blpo.runs.start_and_resume import start_run
from state.errors import RunError
from state.sample import Sample
from tests.made_run import draw_images, make_run
from tests.small_set import draw_dataset

CSS = Path(__file__).parents[3] / "blpo" / "reports" / "page.css"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_dataset(tmp_path_factory.mktemp("report") / "set")
    assert main(["optimize", str(folder / "config.yaml"), "--run-dir", str(folder.parent / "run"), "--quiet"]) == 0
    return folder.parent / "run"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_ends_with_its_report_and_making_it_again_changes_nothing_else(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(finished)
    assert "report.html" in before
    assert main(["report", str(finished)]) == 0
    assert capsys.readouterr().out.strip().endswith("run/report.html")
    assert files(finished) == before


def test_captions_and_verdicts_of_each_round_are_found_again(finished: Path) -> None:
    html = (finished / "report.html").read_text(encoding="utf-8")
    assert html.count('class="caption"') >= 4
    assert "What the edit fixed and broke" in html or "judge prompt kept" in html
    assert "No captions" not in html and "No images" not in html


async def test_a_report_on_a_run_that_has_just_ended_reads_no_stored_answer(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set")
    with ended_runs_kept():
        run = await start_run(folder / "config.yaml", overrides=[f"run.dir={tmp_path / 'run'}"])
        stored = await gather(RunRecord.read(shutil.copytree(run.directory, tmp_path / "copy")))
        with sqlite3.connect(run.directory / "responses.sqlite") as store:
            store.execute("DELETE FROM responses")
        store.close()
        assert await gather(run) == stored
    assert not (await gather(run)).captions


def test_the_curve_has_a_band_and_says_that_it_flatters(finished: Path, tmp_path: Path) -> None:
    html = (finished / "report.html").read_text(encoding="utf-8")
    result = json.loads((finished / "result.json").read_text())
    claim = result["test"]["best"]["strict"][result["metric"]]
    assert re.search(r"<li>round 0: -?[01]\.\d{3}[^<]*, 95 % interval -?[01]\.\d{3} to -?[01]\.\d{3}</li>", html)
    assert "flatters the selected prompt, because the curve took part in the choice" in html
    assert f"The claim is the value on the test split: {claim:.3f}." in html
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "responses.sqlite").unlink()
    html = asyncio.run(blpo.report(run)).read_text(encoding="utf-8")
    assert (
        "The band is" not in html and re.search("<li>round 0: -?0[.]", html) and "flatters the selected prompt" in html
    )


def test_a_band_needs_all_verdicts_of_its_round(finished: Path) -> None:
    run = RunRecord.read(finished)
    evidence = asyncio.run(gather(run))
    bands = validation_bands(run, evidence)
    values = [strict_reading(record["validation"], run.result["metric"]) for record in run.result["rounds"]]
    for band, value in zip(bands, values, strict=True):
        assert band is not None and value is not None and band[0] <= value <= band[1] and band[0] < band[1]
    wrong = next(key for key, row in evidence.verdicts.items() if row.split == "validation" and not row.is_right)
    fewer = replace(evidence, verdicts={key: row for key, row in evidence.verdicts.items() if key != wrong})
    prompts = [record["judge_prompt"] for record in run.result["rounds"]]
    assert [band is None for band in validation_bands(run, fewer)] == [prompt == wrong[0] for prompt in prompts]


def test_moved_data_leaves_out_images_and_says_so(finished: Path, tmp_path: Path) -> None:
    run, data = tmp_path / "run", finished.parent / "set"
    shutil.copytree(finished, run)
    moved = tmp_path / "elsewhere"
    shutil.copytree(data, moved)
    config = (run / "config.yaml").read_text().replace(str(data), str(tmp_path / "gone"))
    (run / "config.yaml").write_text(config)
    assert main(["report", str(run)]) == 0
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "<strong>No images.</strong>" in html and "data:image" not in html
    assert main(["report", str(run), "--set", f"data.path={moved / 'labels.csv'}"]) == 0
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "No images" not in html and "data:image/webp" in html


def test_a_changed_dataset_is_not_shown_as_the_old_one(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    other = tmp_path / "changed"
    shutil.copytree(finished.parent / "set", other)
    (other / "images" / "000.png").write_bytes((other / "images" / "001.png").read_bytes())
    html = asyncio.run(blpo.report(run, [f"data.path={other / 'labels.csv'}"])).read_text(encoding="utf-8")
    assert "the dataset is not the one that the run used" in html and "data:image" not in html


def test_a_lost_store_leaves_out_captions_and_says_so(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "responses.sqlite").unlink()
    html = asyncio.run(blpo.report(run)).read_text(encoding="utf-8")
    assert "<strong>No captions.</strong>" in html and "data:image/webp" in html
    assert not (run / "responses.sqlite").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda run: (run / "result.json").unlink(), "has no result yet; go on with it: blpo resume"),
        (lambda run: (run / "result.json").write_text("{"), "result.json is damaged"),
        (lambda run: (run / "result.json").write_text("[]"), "result.json is damaged"),
        (lambda run: (run / "verdicts" / "best.jsonl").write_text("{}\n"), "best.jsonl:1 is damaged"),
        (lambda run: (run / "run.json").unlink(), "is no run directory"),
    ],
)
def test_a_damaged_run_is_told_in_a_line(
    finished: Path, tmp_path: Path, spoil: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    assert callable(spoil)
    spoil(run)
    assert main(["report", str(run)]) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1


def test_a_report_that_fails_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = draw_dataset(tmp_path / "set")
    (tmp_path / "run" / "report.html").mkdir(parents=True)
    result = asyncio.run(blpo.optimize(folder / "config.yaml", overrides=[f"run.dir={tmp_path / 'run'}"])).result
    assert result["status"] == "complete"
    assert [record.message.split(": ")[0] for record in caplog.records] == [f"no report.html of {tmp_path / 'run'}"]


def test_a_failed_run_has_a_report_that_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set")
    unreachable = ["--set", "models.judge.name=vllm:m", "--set", "models.judge.base_url=http://127.0.0.1:9/v1"]
    more = ["--set", "models.judge.max_retries=0", "--set", "models.optimizer.name=embedded:optimizer"]
    run = tmp_path / "run"
    code = main(["optimize", str(folder / "config.yaml"), "--run-dir", str(run), "--quiet", *unreachable, *more])
    capsys.readouterr()
    assert code == 1
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "The run failed before the test" in html and "calls failed after retries" in html


def test_tokens_from_a_servers_cache_are_shown_if_any(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    result = json.loads((run / "result.json").read_text())
    del result["calls"]["judge"]["cached_tokens"]  # as in older runs
    (run / "result.json").write_text(json.dumps(result))
    assert main(["report", str(run)]) == 0
    assert "of these reused" not in (run / "report.html").read_text(encoding="utf-8")
    result["calls"]["optimizer"]["cached_tokens"] = 98_765
    (run / "result.json").write_text(json.dumps(result))
    assert main(["report", str(run)]) == 0
    html = (run / "report.html").read_text(encoding="utf-8")
    assert ">of these reused</th>" in html and "<td>98,765</td>" in html


def test_a_spent_budget_is_told_without_a_test(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set")
    overrides = [f"run.dir={tmp_path / 'run'}", "limits.calls=22"]
    asyncio.run(blpo.optimize(folder / "config.yaml", overrides=overrides))
    run = RunRecord.read(tmp_path / "run")
    assert headline(run.result, PEOPLE) == "Not tested: the budget was spent" or run.result["test"] is not None
    assert (tmp_path / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("share", "message"), [(0.95, "agrees better"), (0.52, "No improvement could be shown"), (0.02, "agrees worse")]
)
def test_the_headline_is_as_sure_as_the_test(tmp_path: Path, share: float, message: str) -> None:
    folder = tmp_path / "set"
    draw_images(folder, ["yes" if i % 2 else "no" for i in range(120)], 8)
    other = {"yes": "no", "no": "yes"}
    run = make_run(
        folder,
        {"kind": "categorical", "labels": ["yes", "no"]},
        ["first", "second"],
        before=lambda i, sample: sample.label if i % 2 else other[str(sample.label)],
        after=lambda i, sample: sample.label if (i * 37) % 100 < 100 * share else other[str(sample.label)],
    )
    record = RunRecord.read(run)
    assert message in headline(record.result, PEOPLE)
    words = " ".join(meaning(record))
    assert "60 samples that the search never saw" in words
    assert ("can't tell the two prompts apart" in words) == (message == "No improvement could be shown")
    assert ("Keep the first prompt" in words) == (message == "agrees worse")


def test_a_test_of_one_sample_is_told_in_the_singular_and_no_zero_is_negative(finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    for measured in (result["test"]["initial"], result["test"]["best"]):
        measured.update(n=1, kappa=-0.0001)
    (run / "result.json").write_text(json.dumps(result), encoding="utf-8")
    for name in ("initial", "best"):
        file = run / "verdicts" / f"{name}.jsonl"
        tested = [line for line in file.read_text(encoding="utf-8").splitlines() if '"split": "test"' in line]
        file.write_text(tested[0] + "\n", encoding="utf-8")
    html = asyncio.run(blpo.report(run)).read_text(encoding="utf-8")
    assert "Of 1 sample that" in html and "A test of 1 sample is small" in html and " 1 samples" not in html
    assert ">kappa</th><td>0.000</td><td>0.000</td><td>=</td>" in html


def test_lineage_is_shown(finished: Path, tmp_path: Path) -> None:
    fork = tmp_path / "fork"
    asyncio.run(blpo.fork(finished, 1, overrides=[f"run.dir={fork}"]))
    html = (fork / "report.html").read_text(encoding="utf-8")
    assert "forked from" in html and str(finished) in html


TEXT = st.lists(st.sampled_from(["Rate it. ", "lower ", "noise\n", "\n", "🙂 ", "<b>", "a", ""]), max_size=30).map(
    "".join
)


@given(TEXT, TEXT)
def test_a_diff_holds_both_texts(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old + "\n"
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new + "\n"
    assert all(piece.text for piece in pieces)
    assert all(a.kind != b.kind for a, b in pairwise(pieces))


def test_a_diff_marks_words() -> None:
    pieces = word_diff("Keep this.\nLower it when noise is high.", "Keep this.\nLower it when blur is high.")
    assert [(p.kind, p.text) for p in pieces if p.kind != "same"] == [("removed", "noise"), ("added", "blur")]


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_lies_on_its_line(value: float, below: float, above: float) -> None:
    place = interval(value - below, value, value + above)
    assert 0 <= place.low <= place.value <= place.high <= 100 and 0 < place.zero < 100


def test_separation_is_one_half_where_captions_say_nothing_and_one_where_they_tell() -> None:
    labels = [i % 2 for i in range(20)]
    telling = [f"The picture is {'noisy' if label else 'clean'} and large." for label in labels]
    value, p_value = separation(telling, labels)
    assert value == 1.0 and p_value is not None and p_value < 0.01
    value, p_value = separation(["The same words."] * 20, labels)
    assert value == 0.5 and p_value == 1.0
    assert separation(["a", "b"], [0, 1]) == (None, None)
    assert separation(["...", "!"] * 5, labels[:10])[0] == 0.5


def test_thumbnails_keep_within_their_bound(tmp_path: Path) -> None:
    """Noise compresses worst."""
    import numpy as np
    from PIL import Image

    from blpo.data.image_sources import file_sample

    samples: list[Sample] = []
    for i in range(6):
        pixels = np.random.default_rng(i).integers(0, 255, (300, 500, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.png")
        samples.append(file_sample(tmp_path / f"{i}.png"))
    for most in (400_000, 20_000, 3_000):
        urls_by_sample = thumbnails(samples, most_bytes=most)
        assert len(urls_by_sample) == 6
        assert sum(len(url) for urls in urls_by_sample.values() for url in urls) <= most * 4 / 3 + 6 * 40
    (tmp_path / "0.png").write_bytes(b"gone")
    assert len(thumbnails(samples)) == 5


PAIRS = [
    (text, ground) for ground in ("page", "panel") for text in ("text", "quiet", "accent", "good", "bad", "second")
] + [("text", "added"), ("text", "removed"), ("third", "page")]


@pytest.mark.parametrize(("text", "ground"), PAIRS)
@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(text: str, ground: str, scheme: int) -> None:
    """WCAG 2.2 AA: a contrast of 4.5 for text."""
    assert contrast(colour(text, scheme), colour(ground, scheme)) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_shades_and_edges_can_be_told(scheme: int) -> None:
    page, shade = colour("page", scheme), colour("shade", scheme)
    share = max(int(match) for match in re.findall(r"var\(--shade\) (\d+)%", CSS.read_text())) / 100
    darkest = [share * s + (1 - share) * p for s, p in zip(shade, page, strict=True)]
    assert contrast(colour("text", scheme), darkest) >= 4.5
    assert contrast(colour("edge", scheme), page) >= 3
    assert contrast(colour("accent", scheme), page) >= 3


def colour(name: str, scheme: int) -> list[float]:
    match = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\);", CSS.read_text())
    assert match, name
    return [int(match[1 + scheme][i : i + 2], 16) / 255 for i in (1, 3, 5)]


def contrast(one: list[float], other: list[float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(rgb: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_missing_run_is_an_error() -> None:
    with pytest.raises(RunError):
        RunRecord.read(Path("/nowhere/at/all"))
