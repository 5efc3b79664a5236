"""Export to Label Studio: the SDK accepts the tasks, and the answers of people come back."""

import json
import warnings
from base64 import b64decode
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from blpo.cli.main import main
from blpo.data.image_sources import FileImage
from blpo.data.label_studio_export import read_label_studio
from blpo.reports.exports.label_studio import data_url
from state.errors import DataError
from state.sample import Label, Sample
from state.settings import TaskSettings
from tests.made_run import draw_images, make_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # a warning of the SDK about its age
    LabelInterface: Any = import_module("label_studio_sdk.label_interface").LabelInterface

PLAIN, ODD = "real <b>&amp;", 'a "quoted" & \U0001f600 thing'
CATEGORIES: dict[str, object] = {"kind": "categorical", "labels": [PLAIN, ODD]}


def other(labels: list[Label]) -> Any:
    """Judge every third sample wrongly."""

    def answer(i: int, sample: Sample) -> Label | None:
        assert sample.label is not None
        return labels[(labels.index(sample.label) + 1) % len(labels)] if i % 3 == 0 else sample.label

    return answer


def make(folder: Path, task: dict[str, object], labels: list[Label]) -> Path:
    draw_images(folder, [str(labels[i % len(labels)]) for i in range(24)], 24)
    return make_run(folder, task, ["p"], other(labels), other(labels))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("odd") / "set", CATEGORIES, [PLAIN, ODD])


def exported(run: Path, folder: Path) -> tuple[list[dict[str, Any]], Any]:
    assert main(["export", str(run), "--to", "label-studio", "--out", str(folder)]) == 0
    interface = LabelInterface((folder / "config.xml").read_text(encoding="utf-8"))
    return json.loads((folder / "tasks.json").read_text(encoding="utf-8")), interface


def accepted(tasks: list[dict[str, Any]], interface: Any) -> bool:
    """Validate the interface, all tasks and all predictions by the SDK."""
    interface.validate()
    for task in tasks:
        assert interface.validate_task({"data": task["data"]})
        for prediction in task["predictions"]:
            assert interface.validate_prediction(prediction, return_errors=True) == []
    return True


def answered(tasks: list[dict[str, Any]], labels: list[str]) -> list[dict[str, Any]]:
    """The project's JSON export, had people answered so; "" is a skipped task."""
    return [
        {"id": i, "data": task["data"], "annotations": [annotation(label)]}
        for i, (task, label) in enumerate(zip(tasks, labels, strict=False))
    ]


def annotation(label: str) -> dict[str, Any]:
    chosen = {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": [label]}}
    note = {"from_name": "note", "to_name": "image", "type": "textarea", "value": {"text": ["on a", "second look"]}}
    return {"was_cancelled": not label, "result": [chosen, note] if label else []}


def test_categories_with_hostile_names(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks, interface = exported(run, tmp_path / "new" / "folder")
    assert accepted(tasks, interface) and len(tasks) == 8
    assert "8 disagreements: import " in capsys.readouterr().err
    assert list(interface.get_control("label").labels) == [PLAIN, ODD]
    for task in tasks:
        data, (prediction,) = task["data"], task["predictions"]
        assert (
            prediction["result"][0]["value"] == {"choices": [data["judge_label"]]} != {"choices": [data["human_label"]]}
        )
        assert data["told"] == f"People: {data['human_label']}. Judge: {data['judge_label']}. because of its colours"
        with Image.open(BytesIO(b64decode(data["image"].partition(",")[2]))) as image:
            assert image.size == (24, 24)


def test_ratings_are_chosen_and_long_scales_typed(tmp_path: Path) -> None:
    tasks, interface = exported(make(tmp_path / "five", {}, [1, 2, 3, 4, 5]), tmp_path / "a")
    assert accepted(tasks, interface)
    assert list(interface.get_control("label").labels) == ["1", "2", "3", "4", "5"]
    run = make(tmp_path / "percent", {"min": 0, "max": 100}, [0, 10, 100])
    tasks, interface = exported(run, tmp_path / "b")
    assert accepted(tasks, interface) and interface.get_control("label").tag == "Number"
    assert tasks[0]["predictions"][0]["result"][0]["value"] == {"number": tasks[0]["data"]["judge_label"]}


def test_large_images_are_scaled_down(tmp_path: Path) -> None:
    Image.effect_noise((1500, 900), 99).save(tmp_path / "a.png")
    url = data_url(FileImage(str(tmp_path / "a.png"), "a"))
    assert url.startswith("data:image/jpeg;base64,") and len(url) < 1_000_000
    with Image.open(BytesIO(b64decode(url.partition(",")[2]))) as image:
        assert image.size == (1024, 614)


def test_answers_come_back_as_corrected_labels(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks, interface = exported(run, tmp_path / "out")
    assert interface.validate_annotation(annotation(ODD)), "it is what people's answers look like"
    file = tmp_path / "project-1.json"
    labels = [tasks[0]["data"]["judge_label"], tasks[1]["data"]["human_label"], "", ""]
    file.write_text(json.dumps([*answered(tasks, labels), {"data": {}, "annotations": []}]))
    assert main(["disagreements", str(run), "--correct", str(file), "--by", "me"]) == 0
    out, err = capsys.readouterr()
    assert "1 labels corrected" in err and "1 confirmed" in err
    assert "on a second look" in Path(out.splitlines()[-1]).read_text(encoding="utf-8")


def test_answers_that_can_not_be_used(run: Path, tmp_path: Path) -> None:
    tasks, _ = exported(run, tmp_path / "out")
    task = TaskSettings.model_validate(CATEGORIES)
    file = tmp_path / "project-1.json"
    two = answered(tasks[:1], [PLAIN])[0]
    two["annotations"].append(annotation(ODD))
    strange = {"data": {}, "annotations": [annotation(PLAIN)]}
    wrong = [
        ([two], "settle the label in Label Studio"),
        ([strange], "has no sample_id"),
        (answered(tasks, ["unheard of"]), "answer 1"),
        (answered(tasks, [""]), "nobody has answered"),
        ([{"label": PLAIN}], "not JSON-MIN"),
    ]
    for content, message in wrong:
        file.write_text(json.dumps(content))
        with pytest.raises(DataError, match=message):
            read_label_studio(file, task)
    file.write_text("{")
    with pytest.raises(DataError, match="is no JSON"):
        read_label_studio(file, task)


def test_a_run_that_can_not_be_exported(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(tmp_path), "--to", "label-studio"]) == 2
    assert main(["export", str(run / "config.yaml"), "--to", "label-studio"]) == 2
    command = ["export", str(run), "--to", "label-studio", "--set", f"data.path={tmp_path}"]
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "Traceback" not in err and str(tmp_path) in err
    assert f"{run / 'config.yaml'} is a file; label-studio needs the run directory" in err
    assert not (run / "exports").exists()
