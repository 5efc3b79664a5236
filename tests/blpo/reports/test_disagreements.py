"""Disagreements between judge and people, and corrected labels."""

import asyncio
import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns
from typing import Any

import numpy as np
import pytest
from PIL import Image

import blpo
from blpo.cli.main import main
from blpo.cli.summary import origin
from blpo.config.settings_file import load_settings
from blpo.data.corrections import read_corrections
from blpo.data.dataset import load_dataset, read_samples
from blpo.runs.verdict_sentence import verdict
from state.errors import DataError
from state.result import Result
from state.settings import TaskSettings
from tests.small_set import draw_dataset, write_labels


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    place = tmp_path_factory.mktemp("disagreements")
    folder = draw_dataset(place / "set", size=60)
    asyncio.run(blpo.optimize(folder / "config.yaml", overrides=[f"run.dir={place / 'run'}"]))
    return place / "run"


def verdicts(run: Path, name: str) -> dict[str, dict[str, Any]]:
    lines = (run / "verdicts" / f"{name}.jsonl").read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def corrections(run: Path) -> list[dict[str, Any]]:
    """Corrections by a person: the judge was right about two test samples, and people about a third."""
    differing = [each for each in blpo.disagreements(run) if each.split == "test"]
    assert len(differing) >= 3
    right = [{"id": each.id, "label": each.verdict, "note": "a second look"} for each in differing[:2]]
    return [*right, {"id": differing[2].id, "label": differing[2].label, "confirmed": "yes"}]


def write(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_most_confident_come_first(run: Path) -> None:
    differing = blpo.disagreements(run)
    best, initial = verdicts(run, "best"), verdicts(run, "initial")
    assert {each.id for each in differing} == {name for name, row in best.items() if row["verdict"] != row["label"]}
    for each in differing:
        assert each.reason == best[each.id]["reason"]
        assert each.verdict is not None
        assert each.answer == str(each.verdict)
        assert each.distance == abs(int(each.label) - int(each.verdict)) / 4
        assert each.steady == (initial[each.id]["verdict"] == each.verdict)
        assert Path(each.image).exists()
    keys = [(-each.distance, not each.steady, each.id) for each in differing]
    assert keys == sorted(keys)


def test_label_scores_are_the_confidence(run: Path, tmp_path: Path) -> None:
    scored = tmp_path / "run"
    (scored / "verdicts").mkdir(parents=True)
    for name in ("run.json", "config.yaml"):
        (scored / name).write_text((run / name).read_text())
    rows = [
        {"id": str(i), "label": 1, "verdict": 2, "status": "ok", "reason": "", "split": "test", "scores": {"2": sure}}
        for i, sure in enumerate((0.6, 0.9, 0.7))
    ]
    for name in ("initial", "best"):
        write(scored / "verdicts" / f"{name}.jsonl", rows)
    assert [(each.id, each.confidence) for each in blpo.disagreements(scored)] == [("1", 0.9), ("2", 0.7), ("0", 0.6)]


def test_the_command_lists_them(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    differing = blpo.disagreements(run)
    assert main(["disagreements", str(run)]) == 0
    out, err = capsys.readouterr()
    assert differing[0].id in out
    assert f"{len(differing)} disagreements, by distance from people's label" in err
    assert main(["disagreements", str(run), "--json"]) == 0
    assert [row["id"] for row in json.loads(capsys.readouterr().out)] == [each.id for each in differing]
    assert main(["disagreements", str(run), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["id"] for row in rows] == [each.id for each in differing]


def test_corrected_labels_are_a_new_version(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run.parent / "set"
    before = (folder / "labels.csv").read_text()
    rows = corrections(run)
    assert main(["disagreements", str(run), "--correct", str(write(tmp_path / "c.jsonl", rows)), "--by", "Ada"]) == 0
    out, err = capsys.readouterr()
    new = Path(out.strip())
    assert new == folder / "labels.corrections.v2.csv"
    assert "2 labels corrected (train 0, validation 0, test 2), 1 confirmed" in err
    assert "it is no longer untouched" in " ".join(err.split())
    assert (folder / "labels.csv").read_text() == before
    (first, second, third) = read_corrections(new, TaskSettings())
    best = verdicts(run, "best")
    assert (first.label, str(first.label_before)) == (rows[0]["label"], str(best[first.id]["label"]))
    assert (first.by, first.note, first.split, first.run) == ("Ada", "a second look", "test", "run")
    assert str(third.label) == str(third.label_before)
    record = json.loads(new.with_suffix(".json").read_text())
    assert (record["version"], record["by"], record["changed"]["test"]) == (2, "Ada", 2)
    assert "no longer untouched" in record["notes"][0]

    old, now = (load_dataset(s.data, s.task, 0) for s in (_settings(run), _settings(run, new)))
    assert [s.id for s in old.splits["test"]] == [s.id for s in now.splits["test"]]
    assert {s.id for s in now.splits["test"] if s.label != old.by_id[s.id].label} == {first.id, second.id}
    assert now.fingerprint != old.fingerprint

    more = [{"id": first.id, "label": first.label_before, "note": "people were right after all"}]
    version = blpo.correct(_on(run, new, tmp_path / "run2"), write(tmp_path / "d.jsonl", more), "Bob")
    assert version.file.name == "labels.corrections.v3.csv"
    again = {c.id: c for c in read_corrections(version.file, TaskSettings())}
    assert again.keys() == {first.id, second.id, third.id}
    assert (again[first.id].by, again[second.id].by) == ("Bob", "Ada")
    later = blpo.correct(
        run, write(tmp_path / "e.jsonl", [{"id": third.id, "label": third.label, "confirmed": True}]), "Cy"
    )  # another sitting
    assert later.file.name == "labels.corrections.v4.csv"
    by = {c.id: c.by for c in read_corrections(later.file, TaskSettings())}
    assert by == {first.id: "Bob", second.id: "Ada", third.id: "Cy"}


def test_rows_that_nobody_touched_say_nothing(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copytree(run.parent / "set", tmp_path / "set", ignore=ignore_patterns("*.corrections.*"))
    copytree(run, tmp_path / "run")
    settings = (tmp_path / "run" / "config.yaml").read_text()
    moved = settings.replace(str(run.parent / "set"), str(tmp_path / "set"))
    (tmp_path / "run" / "config.yaml").write_text(moved)
    assert main(["disagreements", str(tmp_path / "run"), "--csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    review = tmp_path / "review.csv"

    def answer(*changes: dict[str, Any]) -> int:
        with review.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(row | change for row, change in zip(rows, [*changes, *[{}] * len(rows)], strict=False))
        return main(["disagreements", str(tmp_path / "run"), "--correct", str(review)])

    assert answer() == 2
    assert "no label is changed and none is confirmed" in capsys.readouterr().err
    assert answer({"confirmed": "perhaps"}) == 2
    assert "review.csv:2: confirmed is perhaps; write yes, or leave the cell empty" in capsys.readouterr().err
    assert answer({"label": rows[0]["verdict"]}, {"confirmed": "Yes"}) == 0
    out, err = capsys.readouterr()
    assert "1 labels corrected" in err and "1 confirmed" in err
    assert f"{len(rows) - 2} unchanged rows left out" in err
    version = read_corrections(Path(out.strip()), TaskSettings())
    assert [(c.id, c.changes, c.confirmed) for c in version] == [
        (rows[0]["id"], True, False),
        (rows[1]["id"], False, True),
    ]
    assert answer({}, {}, {"label": rows[2]["verdict"]}) == 0  # the first row shows the label before the correction
    again = {c.id: str(c.label) for c in read_corrections(Path(capsys.readouterr().out.strip()), TaskSettings())}
    assert again == {
        rows[0]["id"]: rows[0]["verdict"],
        rows[1]["id"]: rows[1]["label"],
        rows[2]["id"]: rows[2]["verdict"],
    }


def test_versions_of_another_column_are_apart(run: Path, tmp_path: Path) -> None:
    labels = tmp_path / "set" / "labels.csv"
    copytree(run.parent / "set", labels.parent, ignore=ignore_patterns("*.corrections.*"))
    lines = labels.read_text().splitlines()
    labels.write_text("".join(f"{line},{'other' if i == 0 else 1 + i % 5}\n" for i, line in enumerate(lines)))
    versions = []
    for column in ("label", "other"):
        options = [
            f"run.dir={tmp_path / column}",
            f"data.label={column}",
            "search.outer_rounds=1",
            "search.inner_steps=0",
        ]
        asyncio.run(blpo.optimize(labels.parent / "config.yaml", overrides=options))
        sample = next(iter(verdicts(tmp_path / column, "best")))
        versions.append(
            blpo.correct(tmp_path / column, write(tmp_path / "c.jsonl", [{"id": sample, "label": 2}]), "Ada")
        )
    assert [version.number for version in versions] == [2, 3]
    assert len(read_corrections(versions[1].file, TaskSettings())) == 1
    assert json.loads(versions[1].file.with_suffix(".json").read_text())["based_on"] is None


def _settings(run: Path, file: Path | None = None) -> Any:
    return load_settings(run / "config.yaml", [f"data.corrections={file}"] if file else [])


def _on(run: Path, file: Path, directory: Path) -> Path:
    """Run on a version of the labels; the report names the version."""
    result = asyncio.run(blpo.optimize(_settings(run, file), overrides=[f"run.dir={directory}"])).result
    labels = result["lineage"]["labels"]
    assert (labels["file"], labels["train"], labels["validation"], labels["test"]) == (str(file), 0, 0, 2)
    assert json.loads((directory / "run.json").read_text())["lineage"] == result["lineage"]
    message = " ".join(origin(result))
    assert "labels.corrections.v2.csv: train 0, validation 0, test 2." in message
    assert "The test is not untouched" in message
    assert "untouched" not in verdict(result)
    return directory


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"id": "nobody", "label": 1}', "id nobody is no sample of the dataset"),
        ('{"id": "s1", "label": 9}', "c.jsonl:1: label 9 is not an integer from 1 to 5"),
        ('{"id": "s1", "label": 1}\n{"id": "s1", "label": 2}', "c.jsonl:2: id s1 is given twice"),
        ('{"id": "", "label": 1}', "c.jsonl:1: id is missing"),
        ('{"name": "s1"}', "has no column 'id'"),
        ("", "c.jsonl"),
    ],
)
def test_what_can_not_be_corrected_is_named(
    run: Path, content: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.jsonl").write_text(content)
    before = set((run.parent / "set").iterdir())
    assert main(["disagreements", str(run), "--correct", str(tmp_path / "c.jsonl")]) == 2
    assert message in capsys.readouterr().err
    assert set((run.parent / "set").iterdir()) == before


def test_a_file_of_corrections_must_be_there(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disagreements", str(run), "--correct", "gone.csv"]) == 2
    assert capsys.readouterr().err == "blpo: gone.csv: does not exist; give a file with the columns id and label\n"


def test_what_is_no_finished_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disagreements", str(tmp_path)]) == 2
    assert "is no run directory" in capsys.readouterr().err
    assert main(["disagreements", str(tmp_path), "--json", "--csv"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_corrections_of_another_dataset_are_refused(run: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "c.jsonl", [{"id": "nobody", "label": 1}])
    settings = _settings(run, file)
    with pytest.raises(DataError, match="no sample of the dataset"):
        load_dataset(settings.data, settings.task, 0)


def test_a_result_without_lineage_has_no_origin() -> None:
    result: Any = {}
    plain: Result = result
    assert origin(plain) == []


def draw_new(folder: Path, like: Path) -> Path:
    """Draw eight images, with a copy of the first in another format, one as it is, and an image of the dataset."""
    (folder / "new").mkdir(parents=True)
    generator = np.random.default_rng(5)
    for i in range(8):
        soft = Image.fromarray(generator.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((64, 64))
        soft.save(folder / "new" / f"{i}.png")
    with Image.open(folder / "new" / "0.png") as image:
        image.save(folder / "new" / "copy.jpg", quality=90)
    copyfile(folder / "new" / "1.png", folder / "new" / "same.png")
    copyfile(like, folder / "new" / "labelled.png")
    return folder / "new"


def calls(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "answers.sqlite")) as db:
        return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])


def test_the_least_sure_images_are_to_be_labelled_next(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, out = draw_new(tmp_path, run.parent / "set" / "images" / "000.png"), tmp_path / "out"
    command = ["disagreements", str(run), "--unlabelled", str(new), "--confidence", "words", "--out", str(out)]
    assert main([*command, "--calls", "3"]) == 4
    assert "--calls is spent" in capsys.readouterr().err
    assert main([*command, "-n", "6"]) == 0
    printed, err = capsys.readouterr()
    assert printed.strip() == str(out / "labels.csv")
    assert "judged 10 samples; the 6 least sure" in err and "1 with a label or in the run's dataset" in err
    with (out / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "image", "label", "verdict", "confidence"]
    sure = [float(row["confidence"]) for row in rows]
    assert sure == sorted(sure) and {row["label"] for row in rows} == {""}
    paid = calls(out)
    assert main([*command, "-n", "50"]) == 0
    assert calls(out) == paid  # all answers are there
    assert "2 near-duplicates" in capsys.readouterr().err
    with (out / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [Path(row["id"]).name for row in rows]
    assert len(names) == 8 and not {"0.png", "copy.jpg"} <= set(names) and "labelled.png" not in names
    tasks = json.loads((out / "label-studio" / "tasks.json").read_text())
    assert [task["data"]["sample_id"] for task in tasks] == [row["id"] for row in rows]
    assert [task["data"]["file"] for task in tasks] == [row["image"] for row in rows]

    write_labels(out, [{**row, "label": "3" if i else ""} for i, row in enumerate(rows)])
    data = load_settings(run / "config.yaml", [f"data.path={out}", "data.unlabelled=skip"]).data
    assert len(read_samples(data, TaskSettings()).usable) == 7  # the folder is a dataset
    assert main(command) == 2
    assert "people have begun to label" in capsys.readouterr().err


def test_a_judge_without_a_confidence_says_so(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["disagreements", str(run), "--unlabelled", str(run.parent / "set")]) == 2
    assert "this judge has no confidence; give --confidence repeats or words" in " ".join(
        capsys.readouterr().err.split()
    )
