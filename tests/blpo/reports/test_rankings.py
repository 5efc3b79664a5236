"""Pages, tables, checks and exports of a run on rankings."""

import csv
import json
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from blpo.reports.ranking_places import place_rows
from blpo.reports.run_page import write_report
from blpo.runs.verdict_rows import VerdictRow
from state.ranking import agrees
from tests.list_set import draw_lists

SEARCH = ["search.outer_rounds=1", "search.inner_steps=1"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a dataset and two finished runs."""
    place = tmp_path_factory.mktemp("rankings")
    draw_lists(place / "set")
    for name, extra in (("first", []), ("second", ["prompts.judge=Rank the images. Start from a rating of 3."])):
        overrides = [word for key in (*SEARCH, *extra) for word in ("--set", key)]
        command = [
            "optimize",
            str(place / "set" / "config.yaml"),
            "--run-dir",
            str(place / name),
            "--quiet",
            *overrides,
        ]
        assert main(command) == 0
    return place


def row(label: str, verdict: str | None) -> VerdictRow:
    return VerdictRow("x", label, verdict, "ok" if verdict else "refused", "", "test")


def test_places_tell_the_rank_of_the_best_image_and_the_lean_to_a_place() -> None:
    before = [row("2>1=3", "1>2>3"), row("1=2>3", "3>2>1"), row("1>2", "1>2"), row("1>2", None)]
    after = [row("2>1=3", "2>1>3"), row("1=2>3", "1>2>3"), row("1>2", "2>1")]
    first, second, third = place_rows((before, after))
    assert (first.best, second.best, third.best) == ((1, 2), (2, 1), (0, 0))
    assert (first.winners, second.winners, third.winners) == ((2, 1), (0, 2), (1, 0))
    assert [each.expected for each in (first, second, third)] == pytest.approx([7 / 6, 7 / 6, 2 / 3])
    assert place_rows(([], [])) == []


async def test_the_report_shows_places_and_no_matrix(runs: Path) -> None:
    page = (await write_report(runs / "first")).read_text()
    assert "best image ranked here" in page and "image shown here ranked first" in page
    assert "outlined cells are agreement" not in page and 'name="label"' not in page
    assert "top-1" in page and "NDCG" in page and "majority baseline" not in page


def test_runs_are_compared(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs / "compare.html"
    assert main(["compare", str(runs / "first"), str(runs / "second"), "--out", str(out)]) == 0
    assert "Kendall's tau-b on 10 shared test samples" in capsys.readouterr().out
    assert out.exists()


def test_verdicts_are_a_table_and_other_exports_are_refused(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(runs / "first"), "--to", "csv", "--out", str(runs / "verdicts.csv")]) == 0
    with (runs / "verdicts.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert all({"label", "initial", "best"} <= set(each) for each in rows) and ">" in rows[0]["best"]
    for kind in ("python", "mlflow", "label-studio"):
        assert main(["export", str(runs / "first"), "--to", kind]) == 2
        assert "--to csv has" in capsys.readouterr().err


def test_disagreements_are_lists_with_two_images_reversed(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disagreements", str(runs / "first"), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    lines = (runs / "first" / "verdicts" / "best.jsonl").read_text().splitlines()
    verdicts = {row["id"]: row for row in map(json.loads, lines)}
    wrong = [name for name, row in verdicts.items() if not agrees(row["verdict"], row["label"])]
    assert sorted(row["id"] for row in rows) == sorted(wrong)
    assert len(wrong) < sum(row["verdict"] != row["label"] for row in verdicts.values())


def test_a_corrected_ranking_is_a_version_of_the_dataset(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = runs / "corrected.csv"
    file.write_text("id,label\nlist 1,1>2=3\n")
    assert main(["disagreements", str(runs / "first"), "--correct", str(file)]) == 0
    (version,) = (runs / "set").glob("*.corrections.v2.csv")
    settings = load_settings(runs / "set" / "config.yaml", [f"data.corrections={version}"])
    assert dataset_of(settings).by_id["list 1"].label == "1>2=3"
    problems = {
        "1>2": "label 1>2 ranks 2 images, and the list list 1 has 3",
        "1=2=3": "label 1=2=3 has no order",
        "good": "label good is not a ranking of the images, such as 2>1=3",
    }
    for text, problem in problems.items():
        file.write_text(f"id,label\nlist 1,{text}\n")
        capsys.readouterr()
        assert main(["disagreements", str(runs / "first"), "--correct", str(file)]) == 2
        assert problem in capsys.readouterr().err


def test_check_counts_lists_by_size(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(runs / "set" / "config.yaml")]) == 0
    output = capsys.readouterr().out
    assert "lists: 8 of 2 images, 9 of 3 images, 9 of 4 images, 9 of 5 images" in output
    assert "accuracy" not in output


def test_a_server_that_takes_fewer_images_than_the_longest_list_is_refused(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["check", str(runs / "set" / "config.yaml"), "--set", "models.judge.name=embedded:judge"]
    assert main([*command, "--set", "models.judge.max_images=5"]) == 0
    capsys.readouterr()
    assert main([*command, "--set", "models.judge.max_images=4"]) == 2
    assert "embedded:judge takes 4 images a request (by its setting), and a sample has 5" in capsys.readouterr().out


async def test_estimate_bounds_the_calls_and_tokens_of_a_run(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = [word for key in SEARCH for word in ("--set", key)]
    main(["estimate", str(runs / "set" / "config.yaml"), *overrides, "--json"])
    estimate = json.loads(capsys.readouterr().out)
    calls = json.loads((runs / "first" / "result.json").read_text())["calls"]
    for role in ("judge", "verbalizer", "optimizer"):
        bounds = estimate["roles"][role]
        assert bounds["low"]["calls"] <= calls[role]["issued"] <= bounds["most"]["calls"]
        assert calls[role]["input_tokens"] <= bounds["most"]["input_tokens"]
