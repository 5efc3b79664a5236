"""`blpo judge`: one JSON line a sample, whatever happens to the others."""

import asyncio
import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import blpo
from cli.main import main
from state.errors import ConfigError
from tests.servers.chat_server import ChatServer
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


def test_scores_are_shown_where_the_server_tells_them(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def at(text: str, **shown: float) -> dict[str, Any]:
        alternatives = [{"token": t, "logprob": math.log(p)} for t, p in shown.items()]
        return {"token": text, "logprob": 0.0, "top_logprobs": alternatives}

    content = [at('{"reason": "", "label": '), at("4", **{"4": 0.75, "2": 0.25}), at("}")]
    judge = yaml.safe_load((finished / "judge.yaml").read_text())

    async def judged() -> int:
        answered = '{"reason": "", "label": 4}'
        async with ChatServer(lambda messages: answered, choice={"logprobs": {"content": content}}) as server:
            judge["model"] |= {"name": "vllm:q", "base_url": server.base_url, "logprobs": True}
            (folder / "judge.yaml").write_text(yaml.safe_dump(judge))
            arguments = ["judge", str(folder / "judge.yaml"), str(folder / "images")]
            return await asyncio.to_thread(main, arguments)

    assert asyncio.run(judged()) == 0
    rows = lines_of(capsys.readouterr().out)
    assert list(rows[0]) == ["image", "id", "status", "label", "reason", "scores"]
    assert rows[0]["scores"] == pytest.approx({"1": 0, "2": 0.25, "3": 0, "4": 0.75, "5": 0})


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


def test_what_is_no_file_gets_an_error_line_and_the_others_go_on(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = folder / "images"
    (images / "000a.png").symlink_to(images / "gone.png")
    os.mkfifo(images / "000b.png")
    (images / "inner.png").mkdir()
    assert main(["judge", str(finished), str(images), str(images / "000a.png"), "/dev/null"]) == 1
    out, err = capsys.readouterr()
    rows = lines_of(out)
    assert err == "blpo: judged 34 samples: 30 ok, 4 error\n"
    assert [row["status"] for row in rows] == ["ok", "error", "error", *["ok"] * 29, "error", "error"]
    assert rows[1]["reason"] == f"{images}/000a.png: can't be read (No such file or directory)"
    assert rows[2]["reason"] == f"{images}/000b.png: is not a regular file"
    assert rows[-1]["reason"] == "/dev/null: is not a regular file"


async def test_python_takes_a_run_directory_and_gets_failures_as_verdicts(finished: Path, folder: Path) -> None:
    judge = blpo.load_judge(finished)
    assert judge.file == blpo.load_judge(str(finished / "judge.yaml")).file
    image = folder / "images" / "000.png"
    verdicts = await judge([folder / "gone.png", image, folder / "images", "a\0b.png"])
    assert [verdict.status for verdict in verdicts] == ["error", "ok", "error", "error"]
    assert verdicts[0].reason == f"{folder}/gone.png: can't be read (No such file or directory)"
    with pytest.raises(ConfigError, match=r"judge\.yaml does not exist"):
        blpo.load_judge(folder)


def test_a_folder_that_cannot_be_read_gets_an_error_line(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = folder / "images"
    for _ in range(20):  # deeper than a path may be long: unreadable by its full name, whoever runs the test
        monkeypatch.chdir(deep)
        deep = Path("d" * 250)
        deep.mkdir()
    monkeypatch.chdir(folder)
    assert main(["judge", str(finished), str(folder / "images")]) == 1
    out, err = capsys.readouterr()
    assert err == "blpo: judged 31 samples: 30 ok, 1 error\n"
    assert "can't be read (File name too long)" in lines_of(out)[-1]["reason"]
