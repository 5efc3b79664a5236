"""`blpo.Run`: returned by `blpo.optimize`, read by `blpo.Run.read`."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import blpo
from state.errors import RunError
from tests.made_run import draw_images, make_run
from tests.small_set import draw_dataset

SMALL = ["search.outer_rounds=1", "search.inner_steps=1"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("public") / "set")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run in a directory with a hostile name."""
    folder = tmp_path_factory.mktemp("made")
    draw_images(folder, "abababab" * 2, 32)
    task: dict[str, object] = {"kind": "categorical", "labels": ["a", "b"]}
    run = make_run(folder, task, ["First.", "Second."], lambda i, _: "a", lambda i, sample: sample.label)
    return run.rename(folder / "<b>run\x1b[31m")


async def test_a_run_is_returned_and_read_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[Mapping[str, Any]] = []
    overrides = [f"run.dir={tmp_path / 'run'}", *SMALL, "search.trials=scored"]
    run = await blpo.optimize(folder / "config.yaml", overrides=overrides, on_event=events.append)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(f"  run {tmp_path / 'run'}")
    assert any("round 0, trial 1 of 1: " in line for line in lines) and len(lines) < 12
    assert {"started", "judged", "trial"} <= {event["event"] for event in events}
    assert run.directory == tmp_path / "run" and isinstance(run, blpo.Run)
    assert run.result == json.loads((tmp_path / "run" / "result.json").read_text())
    record = blpo.Run.read(str(run.directory))
    assert (record, record.result, repr(record)) == (run, run.result, repr(run))
    assert [past.judge_prompt for past in record.rounds] == [each["judge_prompt"] for each in run.result["rounds"]]
    assert run.judge().file == blpo.load_judge(run.directory).file
    page = tmp_path / "run" / "report.html"
    page.unlink()
    assert await run.report() == page and page.exists()
    again = await blpo.resume(run.directory, progress=False)
    assert again.result == run.result and capsys.readouterr().err == ""


async def test_progress_can_be_turned_off(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = [f"run.dir={tmp_path / 'run'}", *SMALL]
    run = await blpo.optimize(folder / "config.yaml", overrides=overrides, progress=False)
    fork = await blpo.fork(run.directory, 0, overrides=[f"run.dir={tmp_path / 'fork'}"], progress=False)
    assert fork.result["lineage"]["fork"]["run"] == str(run.directory)
    assert capsys.readouterr().err == ""


def test_a_closed_stderr_ends_no_run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "log").open("w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
    run = asyncio.run(blpo.optimize(folder / "config.yaml", overrides=[f"run.dir={tmp_path / 'run'}", *SMALL]))
    assert run.result["status"] == "complete"


def test_a_run_is_shown_in_three_lines_with_every_number_once(hostile: Path) -> None:
    status, verdict, directory = repr(blpo.Run.read(hostile)).splitlines()
    assert status == "blpo run, complete"
    assert verdict.startswith("No improvement could be shown: macro-F1 0.333 -> 1.000 on 8 untouched samples (")
    assert directory == f"{hostile.parent}/<b>run\N{REPLACEMENT CHARACTER}[31m"


def test_a_run_without_a_test_is_shown_with_its_validation(hostile: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(hostile, copy)
    result = json.loads((copy / "result.json").read_text())
    (copy / "result.json").write_text(json.dumps({**result, "test": None, "status": "interrupted"}))
    line = repr(blpo.Run.read(copy)).splitlines()[2]
    assert line == "macro-F1 on validation (which took part in the selection): 0.333 -> 1.000"


def test_a_notebook_shows_a_table_with_all_text_escaped(hostile: Path) -> None:
    run = blpo.Run.read(hostile)
    html = run._repr_html_()
    tags = TagList()
    tags.feed(html)
    assert tags.tags <= {"div", "p", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td", "code"}
    assert "&lt;b&gt;run" in html and "\x1b" not in html and "macro-F1 0.333 -&gt; 1.000" in html
    assert ">accuracy</th><td>0.500</td><td>1.000</td><td>+0.500</td>" in html


def test_a_run_without_a_result_says_how_to_go_on(hostile: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(hostile, tmp_path / "run")
    (copy / "result.json").unlink()
    run = blpo.Run.read(copy)
    assert repr(run) == f"blpo run without a result; go on with it: blpo resume {copy}"
    assert "No result yet." in run._repr_html_() and len(run.rounds) == 2
    with pytest.raises(RunError, match="has no result yet"):
        _ = run.result
    with pytest.raises(RunError, match="is no run directory"):
        blpo.Run.read(tmp_path)


class TagList(HTMLParser):
    """The names of all tags."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


async def test_a_report_takes_a_directory_as_text(hostile: Path) -> None:
    assert await blpo.report(str(hostile)) == hostile / "report.html"
