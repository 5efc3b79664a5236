"""`blpo init`: proposals for a labels file, files of the project, and no overwriting."""

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from state.settings import TaskSettings
from tests.clip_set import draw_clips
from tests.list_set import draw_lists
from tests.pair_set import draw_pairs
from tests.small_set import draw_dataset, edit_labels


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_csv(file: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([columns, *rows])


def test_an_empty_folder_gets_a_stub_and_check_says_what_to_fill_in(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "new", "--yes", "--labels", "safe,unsafe"]) == 0
    out = capsys.readouterr().out
    assert "put your images into new/images" in out and out.endswith("then: blpo check new/config.yaml\n")
    assert (place / "new/labels.csv").read_text().split() == [
        "image,label",
        "images/first.jpg,safe",
        "images/second.jpg,unsafe",
    ]
    assert (place / "new/images").is_dir()
    assert "safe, unsafe" in (place / "new/prompts/judge.md").read_text()
    assert main(["check", "new/config.yaml"]) == 2
    assert capsys.readouterr().out.splitlines() == [
        "labels.csv:2: image images/first.jpg does not exist in the dataset's folder",
        "labels.csv:3: image images/second.jpg does not exist in the dataset's folder",
    ]


def test_a_labels_file_that_is_there_is_used(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(place / "set")
    (place / "set" / "config.yaml").unlink()
    before = (place / "set" / "labels.csv").read_text()
    assert main(["init", "set", "--yes"]) == 0
    assert main(["check", "set/config.yaml"]) == 0
    assert "no problem found: 30 samples" in capsys.readouterr().out
    assert (place / "set" / "labels.csv").read_text() == before


@pytest.mark.parametrize(
    ("columns", "rows", "task", "data"),
    [
        (
            ("filename", "MOS"),
            [(f"{i}.png", 1 + i * 0.37) for i in range(9)],
            TaskSettings(min=1, max=5, round="nearest"),
            {"image": "filename", "label": "MOS", "threshold": None},
        ),
        (
            ("filename", "elo"),
            [(f"{i}.png", 900 + i * 30.5) for i in range(9)],
            TaskSettings(kind="categorical", labels=("low", "high"), positive="high"),
            {"image": "filename", "label": "elo", "threshold": "median"},
        ),
        (
            ("path", "safety_label", "category", "prompt_id", "split"),
            [(f"{i}.png", ("Unsafe", "Safe")[i % 2], i, i // 3, ("train", "val", "test")[i // 3]) for i in range(9)],
            TaskSettings(kind="categorical", labels=("Safe", "Unsafe"), positive="Safe"),
            {"image": "path", "label": "safety_label", "group": "prompt_id"},
        ),
        (("image", "label"), [("a.png", 2), ("b.png", 3), ("c.png", 7)], TaskSettings(min=1, max=7), {}),
        (
            ("image", "label"),
            [("a.png", 0), ("b.png", 1)],
            TaskSettings(kind="categorical", labels=("0", "1"), positive="1"),
            {},
        ),
        (
            ("image", "label", "text"),
            [("a.png", "cat", "x"), ("b.png", "dog", "y")],
            TaskSettings(kind="categorical", labels=("cat", "dog")),
            {"text": "text"},
        ),
        (
            ("image", "grade"),
            [("a.png", "-1"), ("b.png", 0), ("c.png", 1)],
            TaskSettings(min=-1, max=1),
            {"label": "grade"},
        ),
        (
            ("image_a", "image_b", "label"),
            [("a.png", "b.png", "a"), ("c.png", "d.png", "b")],
            TaskSettings(kind="pairwise"),
            {"image": ("image_a", "image_b")},
        ),
    ],
)
def test_columns_and_values_decide_the_proposals(
    columns: Sequence[str], rows: Sequence[Sequence[object]], task: TaskSettings, data: dict[str, object], place: Path
) -> None:
    write_csv(place / "their" / "ratings.csv", columns, rows)
    assert main(["init", "mine", "--data", "their/ratings.csv", "--yes"]) == 0
    project = load_settings("mine/config.yaml")
    assert project.task == task
    assert project.data.path == str(place / "their" / "ratings.csv")
    assert {name: getattr(project.data, name) for name in data} == data
    assert getattr(project.data.split, "column", None) == ("split" if "split" in columns else None)


def test_a_file_of_opinion_scores_goes_from_init_to_check(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(place / "set", 30)
    (place / "set" / "config.yaml").unlink()
    rows = [(f"images/{i:03}.png", 1 + i % 7 * 0.55, 4.9 - i % 5 * 0.7) for i in range(30)]
    write_csv(place / "set" / "labels.csv", ("image", "MOS_nat", "MOS_tech"), rows)
    assert main(["init", "mine", "--data", "set", "--yes", "--round", "none"]) == 0
    err = capsys.readouterr().err
    assert "MOS_nat is taken as the label; --label names another: MOS_tech" in err
    assert "holds numbers with fractions from 1 to 4.3, such as means of raters" in err
    assert load_settings("mine/config.yaml").task == TaskSettings(round="none")
    assert main(["check", "mine/config.yaml"]) == 0
    capsys.readouterr()
    assert main(["init", "other", "--data", "set", "--yes", "--label", "MOS_tech", "--scale", "1-6"]) == 0
    project = load_settings("other/config.yaml")
    assert (project.task, project.data.label) == (TaskSettings(max=6, round="nearest"), "MOS_tech")


def test_one_fraction_among_ratings_is_named_with_its_row(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(place / "set" / "labels.csv", ("image", "label"), [(f"{i}.png", i or 3.5) for i in range(6)])
    assert main(["init", "mine", "--data", "set", "--yes"]) == 0
    assert "warning: labels.csv:2: 3.5 is no whole rating; correct the row" in capsys.readouterr().err
    assert load_settings("mine/config.yaml").task == TaskSettings(min=1, max=5)


@pytest.mark.parametrize("form", ["long", "wide"])
def test_ratings_of_several_people_are_proposed_as_raters(
    form: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_dataset(place / "set", 30)
    votes = [(f"images/{i:03}.png", 1 + i % 5, 1 + (i + i % 2) % 5, ("sdxl", "dalle")[i % 2]) for i in range(30)]
    if form == "wide":
        write_csv(place / "set" / "labels.csv", ("image", "rater_1", "rater_2", "maker"), votes)
    else:
        rows = [
            (image, name, vote, maker) for image, *pair, maker in votes for name, vote in zip("ab", pair, strict=True)
        ]
        write_csv(place / "set" / "labels.csv", ("image", "annotator", "rating", "maker"), rows)
    assert main(["init", "mine", "--data", "set", "--yes"]) == 0
    raters = load_settings("mine/config.yaml").data.raters
    assert raters is not None and (raters.by, raters.columns) == (
        ("annotator", ()) if form == "long" else (None, ("rater_1", "rater_2"))
    )
    assert main(["check", "mine/config.yaml"]) == 0
    out = capsys.readouterr().out
    assert "raters: 2, 60 ratings of 30 samples, 2 a sample (median); Krippendorff's alpha 0." in out
    assert "columns that could be slices (data.slices): maker (2 values)" in out
    assert main(["check", "mine/config.yaml", "--set", "data.slices=[maker]"]) == 0
    assert "test by maker (2 values): " in capsys.readouterr().out


def test_images_without_labels_wait_for_them(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(place / "set", 3)
    for name in ("labels.csv", "config.yaml"):
        (place / "set" / name).unlink()
    assert main(["init", "set", "--yes"]) == 0
    assert "write the labels of 3 images into set/labels.csv" in capsys.readouterr().out
    rows = list(csv.reader(io.StringIO((place / "set" / "labels.csv").read_text())))
    assert rows == [["image", "label"], *([f"images/00{i}.png", ""] for i in range(3))]
    assert main(["check", "set/config.yaml"]) == 2
    assert "labels.csv:2: label is missing" in capsys.readouterr().out


def test_a_labels_file_without_rows_waits_for_them(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(place / "set" / "labels.csv", ("image", "label"), ())
    assert main(["init", "new", "--data", "set", "--yes"]) == 0
    assert f"write the labels into {place / 'set' / 'labels.csv'}\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("header", "rows", "warning"),
    [
        ("image;label", ["{i}.png;{yes}"], ""),
        ("image,label", ["{i}.png,{yes}", "{i}{i}.png,Y"], "labels that look alike are taken as one label (Y = y)"),
        ("image,label", ["{i}.png,{yes}", "{i}{i}.png,NA"], "labels NA may stand for missing labels"),
        ("image,label,split", ["{i}.png,{yes},fold1"], "column 'split' is not used, because it holds fold1"),
        (
            "image,label,Split",
            ["{i}.png,{yes},train", "{i}{i}.png,y,eval"],
            "'Split' is not used, because it names no test",
        ),
    ],
)
def test_a_messy_labels_file_is_read_with_a_warning(
    header: str, rows: Sequence[str], warning: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [row.format(i=i, yes="yn"[i % 2]) for i in range(4) for row in rows]
    (place / "messy.csv").write_text("\n".join([header, *lines]))
    assert main(["init", "new", "--data", "messy.csv", "--yes"]) == 0
    assert warning in capsys.readouterr().err
    assert {"n", "y"} <= {label.lower() for label in load_settings("new/config.yaml").task.labels}


def test_labels_in_another_common_form_are_read(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ["safe", "unsafe"]
    names = [f"images/00{i}.png" for i in range(6)]
    draw_dataset(place / "drawn", 6)
    tables = {
        "metadata.csv": ["file_name,label", *(f"{name},{kinds[i % 2]}" for i, name in enumerate(names))],
        "metadata.jsonl": [json.dumps({"file_name": n, "label": kinds[i % 2]}) for i, n in enumerate(names)],
        "labels.tsv": ["image\tlabel", *(f"{name}\t{kinds[i % 2]}" for i, name in enumerate(names))],
        "labels.json": [json.dumps({name: kinds[i % 2] for i, name in enumerate(names)})],
        "ratings.json": [json.dumps([{"image": n, "label": kinds[i % 2]} for i, n in enumerate(names)])],
        "anything.csv": ["path;verdict", *(f"{name};{kinds[i % 2]}" for i, name in enumerate(names))],
        "images/metadata.csv": ["file_name,label", *(f"{n[7:]},{kinds[i % 2]}" for i, n in enumerate(names))],
    }
    for name, lines in tables.items():
        folder = place / name.replace("/", "-")
        shutil.copytree(place / "drawn" / "images", folder / "images")
        (folder / "notes.csv").write_text("day,weather\n1,sun\n")
        (folder / name).write_text("\n".join(lines))
        assert main(["init", f"of-{folder.name}", "--data", folder.name, "--yes"]) == 0, capsys.readouterr()
        settings = load_settings(f"of-{folder.name}/config.yaml")
        assert settings.task.labels == ("safe", "unsafe")
        assert len(dataset_of(settings).by_id) == 6
        assert not (folder / "labels.csv").exists()


@pytest.mark.parametrize("below", ["", "images/", "train/|test/|val/"])
def test_a_folder_for_every_label_is_read(below: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(place / "drawn", 18)
    parts = below.split("|")
    for i, image in enumerate(sorted((place / "drawn" / "images").iterdir())):
        target = place / "set" / parts[i % len(parts)] / ("safe", "unsafe")[i // 3 % 2] / image.name
        target.parent.mkdir(parents=True, exist_ok=True)
        image.rename(target)
    assert main(["init", "new", "--data", "set", "--yes"]) == 0
    assert "set: the names of the folders are the labels" in capsys.readouterr().err
    assert not (place / "set" / "labels.csv").exists()
    assert main(["check", "new/config.yaml"]) == 0
    assert "no problem found: 18 samples" in capsys.readouterr().out
    settings = load_settings("new/config.yaml")
    assert settings.task.labels == ("safe", "unsafe")
    assert getattr(settings.data.split, "column", None) == ("split" if len(parts) > 1 else None)


def test_labels_that_can_not_be_read_are_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_dataset(place / "set", 6)
    (place / "set" / "config.yaml").unlink()
    (place / "set" / "labels.csv").rename(place / "set" / "train.csv")
    shutil.copy(place / "set" / "train.csv", place / "set" / "test.csv")
    assert main(["init", "new", "--data", "set", "--yes"]) == 2
    assert "several tables with images (test.csv, train.csv); name the labels file" in capsys.readouterr().err
    (place / "set" / "train.csv").unlink()
    (place / "set" / "test.csv").rename(place / "set" / "labels.xlsx")
    assert main(["init", "new", "--data", "set", "--yes"]) == 2
    assert "labels.xlsx: is a spreadsheet; save the sheet with the labels as labels.csv" in capsys.readouterr().err
    assert not (place / "new").exists() and not (place / "set" / "labels.csv").exists()


def test_images_of_every_format_are_found(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.avif", "b.jp2", "c.ppm", "d.jfif", "e.JPG", "f.jpe", "g.pgm", "notes.txt"):
        (place / name).touch()
    assert main(["init", ".", "--yes"]) == 0
    assert "write the labels of 7 images into" in capsys.readouterr().out


def test_bad_answers_are_asked_again_and_the_end_of_input_takes_defaults(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("nowhere\n\n5\n1-7\nopnai:x\nvllm:Qwen/Q\nhttp://host:1/v1\n"))
    assert main(["init", "new"]) == 0
    err = capsys.readouterr().err
    for message in (
        "nowhere: does not exist",
        "at least two different",
        "did you mean openai:?",
        "prompts? [vllm:Qwen/Q]",
    ):
        assert message in err
    project = load_settings("new/config.yaml")
    assert (project.task.min, project.task.max) == (1, 7)
    assert [project.models.of(role).base_url for role in ("judge", "optimizer")] == ["http://host:1/v1"] * 2
    assert project.limits.calls == 20000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere"], "nowhere: does not exist"),
        (["--data", "few.csv"], "the label column is unclear; name the column with --label: a, b"),
        (["--data", "few.csv"], "; or name several criteria with --criteria a,b"),
        (["--data", "few.csv", "--criteria", "a,b", "--label", "a"], "from its column; leave out --label"),
        (["--data", "few.csv", "--criteria", "a,c"], "has no column 'c'"),
        (["--data", "few.csv", "--label", "c"], "has no column 'c'; columns: image, a, b"),
        (["--labels", "one"], "at least two different"),
        (["--labels", "cat,dog", "--positive", "bird"], "'bird' is none of the labels cat, dog"),
        (["--scale", "1-5", "--positive", "5"], "--positive names a category"),
        (["--question", "Rate {{image}}."], "the question can't be used: it holds the placeholder {{image}}"),
        (["--question", " "], "the question can't be used: it is empty"),
        (["--scale", "high"], "'high' is no scale"),
        (["--scale", "5-1"], "min (5) must be below max (1)"),
        (["--labels", "a,b", "--scale", "1-5"], "give one of --labels, --scale and --ranking"),
        (["--judge", "nobody:x"], "unknown provider 'nobody'"),
        (["--judge", "openai:x", "--base-url", "http://me:word@host/v1"], "base_url: holds a user name"),
    ],
)
def test_an_unusable_option_is_refused_and_nothing_is_written(
    arguments: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(place / "few.csv", ("image", "a", "b"), [("x.png", 1, 2), ("y.png", 2, 1)])
    assert main(["init", "new", "--yes", *arguments]) != 0
    assert message in capsys.readouterr().err
    assert not (place / "new").exists()


def test_the_question_and_the_good_label_are_asked_for(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(place / "labels.csv", ("image", "label", "text"), [("x.png", "no", "a cat"), ("y.png", "yes", "a dog")])
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n\nmaybe\nno\nDoes the image match its text?\n"))
    assert main(["init", "."]) == 0
    out, err = capsys.readouterr()
    assert "Which label is the good one? no, yes, or none [yes]" in err
    assert "'maybe' is none of the labels no, yes" in err
    assert "column 'text' reaches the judge" in err
    assert "assumed" not in err and "say in" not in out
    project = load_settings("config.yaml")
    assert (project.task.positive, project.data.text) == ("no", "text")
    assert (place / "prompts/judge.md").read_text() == "Does the image match its text?\n"


def test_without_questions_the_assumptions_are_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_csv(place / "t.csv", ("image", "label", "prompt"), [("x.png", "Bad", "a cat"), ("y.png", "Good", "a dog")])
    assert main(["init", "new", "--data", "t.csv", "--yes"]) == 0
    err = capsys.readouterr().err
    assert "assumed: labels Bad,Good; judge embedded; good label Good; judge prompt the default prompt" in err
    assert "column 'prompt' does not reach the judge; to show it, set data.text: prompt" in err
    assert load_settings("new/config.yaml").task.positive == "Good"
    question = ["--question", "Is it sharp?", "--positive", "none", "--judge", "embedded", "--labels", "Bad,Good"]
    assert main(["init", "other", "--data", "t.csv", "--yes", *question]) == 0
    assert "assumed" not in capsys.readouterr().err
    assert load_settings("other/config.yaml").task.positive is None
    assert (place / "other/prompts/judge.md").read_text() == "Is it sharp?\n"


def test_a_question_does_not_replace_a_judge_prompt(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "prompts").mkdir()
    (place / "prompts" / "judge.md").write_text("Is it mine?\n")
    assert main(["init", "--yes", "--question", "Is it sharp?"]) == 2
    assert "leave --question out, or remove the file" in capsys.readouterr().err


def test_nothing_is_overwritten(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "new" / "prompts").mkdir(parents=True)
    (place / "new" / "prompts" / "judge.md").write_text("Is it mine?\n")
    assert main(["init", "new", "--yes"]) == 0
    assert "kept     new/prompts/judge.md" in capsys.readouterr().out
    before = {path: path.read_bytes() for path in (place / "new").rglob("*") if path.is_file()}
    assert main(["init", "new", "--yes", "--scale", "1-7"]) == 2
    assert "config.yaml is there already, and nothing was written" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (place / "new").rglob("*") if path.is_file()} == before
    assert (place / "new" / "prompts" / "judge.md").read_text() == "Is it mine?\n"


@pytest.mark.parametrize(
    ("words", "task"),
    [
        (("a", "b"), {"kind": "pairwise"}),
        (("image_a", "Image_B"), {"kind": "pairwise"}),
        (("A", "tie"), {"kind": "pairwise", "ties": True}),
    ],
)
def test_preferences_between_two_images_are_pairs(
    place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, str], task: dict[str, object]
) -> None:
    draw_pairs(place / "set", 24)
    (place / "set/config.yaml").unlink()
    edit_labels(place / "set", lambda rows: [row.update(label=words[i % 2]) for i, row in enumerate(rows)])
    assert main(["init", "set", "--yes"]) == 0
    lines = capsys.readouterr().err
    assert "holds the better of two images" in lines and "warning" not in lines
    settings = load_settings(place / "set/config.yaml")
    assert settings.task == TaskSettings.model_validate(task)
    assert settings.data.image == ("image_a", "image_b")
    assert (place / "set/prompts/judge.md").read_text().startswith("Look at the two images")
    assert main(["check", "set/config.yaml"]) == 0
    sizes = {name: len(samples) for name, samples in dataset_of(settings).splits.items()}
    calls, test_calls = 2 * (sizes["train"] + sizes["validation"]), 4 * sizes["test"]
    page = capsys.readouterr().out
    assert f"judge calls: {calls} for each prompt on train and validation, at most {test_calls}" in page
    assert "pairs: 24 in 12 groups (pairs that share an image or a text are one group)" in page


def test_numbers_of_pairs_stay_categories_and_the_way_out_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_pairs(place / "set", 24)
    (place / "set/config.yaml").unlink()
    edit_labels(place / "set", lambda rows: [row.update(label=str(i % 2)) for i, row in enumerate(rows)])
    assert main(["init", "set", "--yes"]) == 0
    assert "write a or b in its place, and give --labels a,b" in capsys.readouterr().err
    assert load_settings(place / "set/config.yaml").task.labels == ("0", "1")
    (place / "set/config.yaml").unlink()
    shutil.rmtree(place / "set/prompts")
    assert main(["init", "set", "--yes", "--labels", "a,b"]) == 0
    assert main(["check", "set/config.yaml"]) == 2
    assert "does not say which one is better; write one of a, b (a is the column image_a" in capsys.readouterr().out
    assert main(["init", "other", "--data", "set", "--yes", "--labels", "a,b", "--positive", "a"]) == 2
    assert "ratings and pairs have no good label" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["lists", "columns"])
def test_several_images_of_a_row_are_proposed_as_one_sample(
    form: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_clips(place / "set")
    (place / "set" / "config.yaml").unlink()
    if form == "columns":
        names = [f"clips/{n:02}/frame-{i}.png" for n in range(30) for i in (10, 9)]
        columns = ("frame 2", "label", "frame 1")
        write_csv(place / "set/labels.csv", columns, [(a, n % 5 + 1, b) for n, (a, b) in enumerate(batched(names))])
    assert main(["init", "set", "--yes"]) == 0
    settings = load_settings(place / "set/config.yaml")
    assert settings.data.image == ("frames" if form == "lists" else ("frame 1", "frame 2"))
    assert settings.data.image_names == ()
    assert "Look at the images and rate them" in (place / "set/prompts/judge.md").read_text()
    capsys.readouterr()
    assert main(["check", "set/config.yaml"]) == 0
    sizes = "10 of 2 images, 10 of 3 images, 10 of 4 images" if form == "lists" else "30 of 2 images"
    assert f"images in order: {sizes}" in capsys.readouterr().out


def batched(names: list[str]) -> list[tuple[str, str]]:
    return list(zip(names[::2], names[1::2], strict=True))


def test_several_columns_of_labels_become_criteria(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"{n}.png", 1 + n % 4, "yes" if n % 3 else "no", "x") for n in range(12)]
    write_csv(place / "labels.csv", ("image", "realism", "matches (the text)", "text"), rows)
    assert main(["init", "new", "--yes", "--data", "labels.csv", "--criteria", "realism, matches (the text)"]) == 0
    settings = load_settings("new/config.yaml")
    assert settings.task_names == ("realism", "matches _the text")
    ratings, match = (settings.of_task(name) for name in settings.task_names)
    assert (ratings.task.min, ratings.task.max, ratings.data.label) == (1, 4, "realism")
    assert (match.task.positive, match.data.label, match.data.text) == ("yes", "matches (the text)", "text")
    assert "## realism" in (place / "new/prompts/judge.md").read_text()
    assert "column 'realism' holds whole numbers from 1 to 4" in capsys.readouterr().err


def test_ranks_in_lists_are_a_ranking(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_lists(place / "set", 12)
    (folder / "config.yaml").unlink()
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text().replace("label", "rank", 1))
    assert main(["init", "set", "--yes"]) == 0
    assert "column 'rank' holds ranks of images in 12 lists" in capsys.readouterr().err
    settings = load_settings(folder / "config.yaml")
    assert (settings.task, settings.data.label) == (TaskSettings(kind="ranking", best="lowest"), "rank")
    assert settings.data.group == "list"
    assert "Rank the images from best to worst" in (folder / "prompts/judge.md").read_text()
    assert main(["check", "set/config.yaml"]) == 0
    assert "lists: " in capsys.readouterr().out


def test_ratings_in_lists_are_a_ranking_if_asked(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_lists(place / "set", 12)
    (folder / "config.yaml").unlink()
    labels = folder / "labels.csv"
    labels.write_text(labels.read_text().replace("list,", "scene,", 1))
    assert main(["init", "new", "--data", "set", "--ranking", "highest", "--yes"]) == 2
    assert "name the column with --group" in capsys.readouterr().err
    assert not (place / "new").exists()
    assert main(["init", "new", "--data", "set", "--ranking", "highest", "--group", "scene", "--yes"]) == 0
    assert load_settings(place / "new/config.yaml").task == TaskSettings(kind="ranking", best="highest")
    assert main(["check", "new/config.yaml"]) == 0


def test_a_ranking_without_data_gets_a_labels_file_with_lists(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\nranking lowest\n"))
    assert main(["init", "new"]) == 0
    assert (place / "new/labels.csv").read_text().splitlines()[0] == "image,label,list"
    assert main(["check", "new/config.yaml"]) == 2
    assert capsys.readouterr().out.count("does not exist in the dataset's folder") == 2
