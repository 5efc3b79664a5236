"""Comparison of runs: paired tests against the first run, and refusals."""

import json
import shutil
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.config.settings_file import dump_settings, load_settings
from blpo.data.run_dataset import dataset_of
from blpo.reports.compare_page import comparison_headline
from blpo.reports.comparison import compare_runs
from blpo.runs.run_record import RunRecord
from state.sample import Sample
from tests.made_run import draw_images, make_run

TASK: dict[str, object] = {"kind": "categorical", "labels": ["no", "yes"]}
OTHER = {"yes": "no", "no": "yes"}


def right(share: float, shift: int = 0) -> object:
    return lambda i, sample: sample.label if ((i + shift) * 37) % 100 < 100 * share else OTHER[str(sample.label)]


def made(folder: Path, name: str, share: float, shift: int = 0) -> Path:
    """Write a run over the dataset in `folder`; the selected prompt is right on about `share`."""

    def before(i: int, sample: Sample) -> object:
        return sample.label if i % 2 else OTHER[str(sample.label)]

    prompts = ["Is it good?", f"Is it good?\nAs {name} says."]
    run = make_run(folder, TASK, prompts, before=before, after=right(share, shift))  # type: ignore[arg-type]
    target = folder.parent / name
    run.rename(target)
    return target


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("compare") / "set"
    draw_images(folder, ["yes" if i % 2 else "no" for i in range(160)], 8)
    shares = {"good": (0.9, 0), "poor": (0.4, 0), "alike": (0.88, 3)}
    return [made(folder, name, *share_and_shift) for name, share_and_shift in shares.items()]


def read(paths: list[Path]) -> list[RunRecord]:
    return [RunRecord.read(path) for path in paths]


def test_each_run_is_tested_against_the_first_on_the_shared_samples(runs: list[Path]) -> None:
    comparison = compare_runs(read(runs))
    assert len(comparison.shared) == 80
    first, poor, alike = comparison.entries
    assert first.against is None and poor.against is not None and alike.against is not None
    assert poor.against.difference < 0 and poor.against.high < 0 and poor.against.adjusted < 0.05
    assert alike.against.adjusted > 0.05 and alike.against.low < 0 < alike.against.high
    assert comparison_headline(comparison) == "Worse than good: poor"
    assert comparison.differing and set(comparison.differing) <= set(comparison.shared)
    assert "Holm" in comparison.notes[-1]


def test_a_run_does_not_differ_from_its_copy(runs: list[Path], tmp_path: Path) -> None:
    shutil.copytree(runs[0], tmp_path / "copy")
    comparison = compare_runs(read([runs[0], tmp_path / "copy"]))
    against = comparison.entries[1].against
    assert against is not None and (against.difference, against.p_value) == (0, 1)
    assert comparison.differing == [] and comparison_headline(comparison) == "No difference from good could be shown"


def test_the_command_writes_a_page_and_prints_a_table_or_numbers(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert main(["compare", *map(str, runs), "--out", str(page)]) == 0
    out, err = capsys.readouterr()
    assert "on 80 shared test samples" in out and "Worse than good: poor." in out and "wrote" in err
    html = page.read_text(encoding="utf-8")
    assert html.count("data:image/webp") > 10 and "As poor says." in html
    assert main(["compare", *map(str, runs), "--out", str(page), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert [run["name"] for run in numbers["runs"]] == ["good", "poor", "alike"]
    assert numbers["runs"][0]["against_first"] is None and numbers["runs"][1]["against_first"]["p_value"] < 0.05


def test_other_splits_of_the_same_data_are_compared_where_both_are_untouched(runs: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(runs[1], other)
    rows = [json.loads(line) for line in (other / "verdicts" / "best.jsonl").read_text().splitlines()]
    ids = [row["id"] for row in rows if row["split"] == "test"][:30]
    for name in ("initial", "best"):
        file = other / "verdicts" / f"{name}.jsonl"
        verdicts = [json.loads(line) for line in file.read_text().splitlines()]
        for row in verdicts:
            row["split"] = "test" if row["id"] in ids else "train"
        file.write_text("".join(json.dumps(row) + "\n" for row in verdicts))
    info = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**info, "dataset": "another split"}))
    comparison = compare_runs(read([runs[0], other]))
    assert sorted(comparison.shared) == sorted(ids)
    assert "Only the 30 samples" in comparison.notes[0]


def corrected(run: Path, target: Path, count: int) -> Path:
    """Copy the run to a run on the same samples with `count` corrected labels in its test split."""
    shutil.copytree(run, target)
    rows = [json.loads(line) for line in (target / "verdicts" / "best.jsonl").read_text().splitlines()]
    changed = {row["id"]: OTHER[row["label"]] for row in [row for row in rows if row["split"] == "test"][:count]}
    for name in ("initial", "best"):
        file = target / "verdicts" / f"{name}.jsonl"
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        file.write_text(
            "".join(json.dumps(row | {"label": changed.get(row["id"], row["label"])}) + "\n" for row in lines)
        )
    table = target.with_suffix(".csv")
    table.write_text("id,label\n" + "".join(f"{name},{label}\n" for name, label in changed.items()))
    settings = load_settings(target / "config.yaml", [f"data.corrections={table}"])
    (target / "config.yaml").write_text(dump_settings(settings))
    info = json.loads((target / "run.json").read_text())
    (target / "run.json").write_text(json.dumps({**info, "dataset": dataset_of(settings).fingerprint}))
    return target


@pytest.mark.parametrize("order", [1, -1])
def test_a_run_on_corrected_labels_is_compared_where_labels_agree(
    runs: list[Path], tmp_path: Path, order: int, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = [runs[0], corrected(runs[1], tmp_path / "corrected", 5)][::order]
    assert main(["compare", *map(str, pair), "--out", str(tmp_path / "page.html")]) == 0
    out = capsys.readouterr().out
    assert "on 75 shared test samples" in out
    assert "5 test samples left out: the label was corrected in one of the runs." in out
    labels = [{key: run.best[key].label for key in compare_runs(read(pair)).shared} for run in read(pair)]
    assert labels[0] == labels[1]


def test_runs_without_a_common_label_are_refused(
    runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = corrected(runs[1], tmp_path / "corrected", 80)
    assert main(["compare", str(runs[0]), str(other), "--out", str(tmp_path / "page.html")]) == 2
    assert "every shared test sample has a corrected label" in capsys.readouterr().err


def no_verdicts(run: Path) -> None:
    (run / "verdicts" / "best.jsonl").unlink()


def spent(run: Path) -> None:
    no_verdicts(run)
    result = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps({**result, "status": "budget"}))


def other_task(run: Path) -> None:
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("- 'no'", "- maybe\n  - 'no'"))


def other_labels(run: Path) -> None:
    info = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**info, "dataset": "another"}))
    file = run / "verdicts" / "best.jsonl"
    file.write_text(file.read_text().replace('"label": "yes"', '"label": "no"'))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_verdicts, "has no verdicts on its test split (complete); finish it: blpo resume {run}\n"),
        (spent, "(budget); finish it: blpo resume {run} --set limits.calls=...\n"),
        (other_task, "has another task than"),
        (other_labels, "has another dataset than"),
    ],
)
def test_runs_that_cannot_be_compared_are_named(
    runs: list[Path], tmp_path: Path, spoil: object, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    shutil.copytree(runs[1], other)
    assert callable(spoil)
    spoil(other)
    assert main(["compare", str(runs[0]), str(other), "--out", str(tmp_path / "page.html")]) == 2
    err = capsys.readouterr().err
    assert message.format(run=other) in err and str(other) in err and len(err.splitlines()) == 1
    assert not (tmp_path / "page.html").exists()


def test_one_run_is_not_compared(runs: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(runs[0]), str(runs[0])]) == 2
    assert "needs two different runs" in capsys.readouterr().err
