"""`blpo judge`: one JSON line a sample, whatever happens to the others."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.small_set import COMMAND, ENVIRONMENT, draw_dataset, edit_labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_dataset(tmp_path / "set")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a drawn dataset."""
    place = tmp_path_factory.mktemp("cli")
    config = draw_dataset(place / "set") / "config.yaml"
    assert main(["optimize", str(config), "--run-dir", str(place / "run"), "--quiet"]) == 0
    return place / "run"


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_judge_files_folders_and_datasets(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished.parent / "set"
    image = folder / "images" / "004.png"
    assert main(["judge", str(finished / "judge.yaml"), str(image), str(folder / "images"), str(folder)]) == 0
    out, err = capsys.readouterr()
    rows = lines_of(out)
    assert err == "blpo: judged 61 samples: 61 ok\n"
    assert [row["image"] for row in rows[1:31]] == sorted(str(path) for path in (folder / "images").iterdir())
    assert [row["id"] for row in rows[31:]] == [f"s{i}" for i in range(30)]
    assert list(rows[0]) == ["image", "id", "status", "label", "reason"]
    assert all(row["status"] == "ok" and row["label"] in range(1, 6) for row in rows)
    assert [row["label"] for row in rows[1:31]] == [row["label"] for row in rows[31:]]
    assert {**rows[5], "id": rows[0]["id"]} == rows[0]
    assert len({row["id"] for row in rows}) == 61


def test_judge_goes_on_after_a_broken_image(finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "images" / "002.png").write_bytes(b"this is no image")
    edit_labels(folder, lambda rows: rows[0].update(image="../outside.png"))
    edit_labels(folder, lambda rows: [row.pop("label") for row in rows])
    out = folder.parent / "verdicts.jsonl"
    assert main(["judge", str(finished), str(folder / "labels.csv"), "--out", str(out)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "blpo: judged 30 samples: 28 ok, 2 error\n"
    rows = lines_of(out.read_text())
    assert [row["status"] for row in rows] == ["error", "ok", "error", *["ok"] * 27]
    assert rows[0]["label"] is None
    assert "labels.csv:2: image path ../outside.png leads outside" in rows[0]["reason"]
    assert "is not a readable image" in rows[2]["reason"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{run}", "nowhere.png"], "nowhere.png: does not exist"),
        (["{run}", "{set}", "--image-column", "imge"], "did you mean 'image'?"),
        (["{run}", "{run}/rounds"], "holds no image"),
        (["{set}/config.yaml", "{set}"], "is no judge file"),
        (["{set}", "{set}"], "judge.yaml does not exist"),
    ],
)
def test_judge_refuses(arguments: list[str], told: str, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = [a.format(run=finished, set=finished.parent / "set") for a in arguments]
    assert main(["judge", *filled]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.startswith("blpo: ")
    assert len(err.splitlines()) == 1


def test_a_reader_that_has_enough_is_no_error(finished: Path) -> None:
    command = [*COMMAND, "judge", str(finished), str(finished.parent / "set")]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, env=ENVIRONMENT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""
