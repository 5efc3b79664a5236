"""A run with the ratings of several people, means and slices: result, terminal, verdicts and report."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from blpo.cli.main import main
from blpo.cli.summary import print_summary
from blpo.reports.label_source import label_source
from blpo.runs.run_record import RunRecord
from blpo.runs.wording import metric_name
from state.metrics_on_test import TestMetrics as MetricsOfTest
from state.rater_metrics import HumanCeiling
from tests.small_set import draw_dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    folder = draw_dataset(tmp_path_factory.mktemp("rated") / "set", 60)
    generator = random.Random(0)
    rows = ["id,image,maker\n"]
    ratings = ["id,rater,rating\n"]
    for i in range(60):
        rows.append(f"s{i},images/{i:03}.png,{'<b>sdxl</b>' if i % 2 else '=dalle'}\n")
        for rater in "abcd":
            ratings.append(f"s{i},{rater},{min(5, max(1, 5 - i % 5 + generator.choice([0, 0, 1, -1])))}\n")
    (folder / "labels.csv").write_text("".join(rows))
    (folder / "ratings.csv").write_text("".join(ratings))
    config: dict[str, Any] = yaml.safe_load((folder / "config.yaml").read_text())
    config["task"] = {"round": "none"}
    config["data"] |= {"raters": {"file": "ratings.csv"}, "slices": ["maker"]}
    config["search"] |= {"agreement": 0.5}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["optimize", str(folder / "config.yaml"), "--quiet", "--run-dir", str(folder / "run")]) == 0
    return RunRecord.read(folder / "run")


def metrics_of(run: RunRecord) -> MetricsOfTest:
    test = run.result["test"]
    assert test is not None
    return test


def ceiling(run: RunRecord) -> HumanCeiling:
    return metrics_of(run)["human_ceiling"]


def test_the_result_holds_the_ceiling_and_the_slices(run: RunRecord) -> None:
    test = metrics_of(run)
    assert (ceiling(run)["raters"], ceiling(run)["samples"]) == (4, test["best"]["n"])
    assert 0 < (ceiling(run)["alpha"] or 0) < 1 and ceiling(run)["judge"]["best"] is not None
    assert sum(each["n"] for each in test["slices"]["maker"].values()) == test["best"]["n"]
    assert any("their raters disagree; the test keeps all" in line for line in run.result.get("warnings", []))
    assert test["best"]["n"] == 18


def test_verdicts_name_the_mean_of_the_raters(run: RunRecord) -> None:
    rows = [json.loads(line) for line in (run.directory / "verdicts" / "best.jsonl").read_text().splitlines()]
    fractions = [row for row in rows if "rating" in row]
    assert fractions and all(abs(row["rating"] - row["label"]) <= 0.5 and row["rating"] % 1 for row in fractions)
    assert run.best[fractions[0]["id"]].rating == fractions[0]["rating"]


def test_the_terminal_says_if_the_judge_is_as_good_as_one_rater(
    run: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    print_summary(run.result, str(run.directory), label_source(run.settings))
    out = capsys.readouterr().out
    assert "of one rater (both by the other raters; difference " in out
    name = metric_name(run.result["metric"])
    assert f"{name} of one rater, by other raters" in out
    assert f"By maker (2 slices, all below 20 samples): {name} " in out


def test_the_report_shows_raters_and_slices_with_clean_values(run: RunRecord) -> None:
    page = (run.directory / "report.html").read_text()
    assert "of one rater (both by the other raters" in page
    assert "4 raters on 18 test samples, Krippendorff&#39;s alpha 0." in page
    assert "<bdi>maker</bdi>: 2 slices of the test split" in page
    assert "&lt;b&gt;sdxl&lt;/b&gt;" in page and "<b>sdxl" not in page
    assert "Look at a slice again on new samples before you act on it." in page


def test_a_resume_gives_the_same_result(run: RunRecord) -> None:
    assert main(["resume", str(run.directory), "--quiet"]) == 0
    assert RunRecord.read(run.directory).result == run.result


def test_a_comparison_shows_raters_and_slices_of_both_runs(
    run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, page = tmp_path / "copy", tmp_path / "page.html"
    shutil.copytree(run.directory, copy)
    assert main(["compare", str(run.directory), str(copy), "--out", str(page)]) == 0
    out = capsys.readouterr().out
    name = metric_name(run.result["metric"])
    assert out.count("of one rater (both by the other raters; difference ") == 2
    slices = metrics_of(run)["slices"]["maker"]
    cell = f"{slices['=dalle']['best']:.3f} ({slices['=dalle']['n']})"
    assert f"{name} by maker, each run on its own test split" in out
    assert any(line.split("  ")[0] == "=dalle" and line.count(cell) == 2 for line in out.splitlines())
    html = page.read_text()
    assert html.count("of one rater (both by the other raters") == 2 and "&lt;b&gt;sdxl&lt;/b&gt;" in html
    assert main(["compare", str(run.directory), str(copy), "--out", str(page), "--json"]) == 0
    entry = json.loads(capsys.readouterr().out)["runs"][1]
    assert (entry["human_ceiling"], entry["slices"]) == (ceiling(run), metrics_of(run)["slices"])


def test_a_comparison_leaves_out_what_a_run_lacks(
    run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.directory, copy)
    result = json.loads((copy / "result.json").read_text())
    del result["test"]["slices"], result["test"]["human_ceiling"]
    (copy / "result.json").write_text(json.dumps(result))
    assert main(["compare", str(run.directory), str(copy), "--out", str(tmp_path / "page.html")]) == 0
    out = capsys.readouterr().out
    assert "one rater" not in out and "by maker" not in out
