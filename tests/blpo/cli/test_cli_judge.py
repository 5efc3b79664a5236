"""`blpo judge`: one JSON line per sample, also after failures."""

import asyncio
import csv
import io
import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import blpo
from blpo.cli.main import main
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
    assert err.startswith("blpo: judged 61 samples: 61 ok\nblpo: agreement with people, over 30 labelled: ")
    assert [row["image"] for row in rows[1:31]] == sorted(str(path) for path in (folder / "images").iterdir())
    assert [row["id"] for row in rows[31:]] == [f"s{i}" for i in range(30)]
    assert list(rows[0]) == ["id", "image", "status", "verdict", "reason", "usage", "judge"]
    assert list(rows[31]) == ["id", "image", "status", "verdict", "reason", "label", "usage", "judge"]
    assert all(row["usage"]["input_tokens"] > 100 and row["usage"]["usd"] == 0 for row in rows)
    assert all(row["status"] == "ok" and row["verdict"] in range(1, 6) for row in rows)
    assert [row["verdict"] for row in rows[1:31]] == [row["verdict"] for row in rows[31:]]
    assert {**rows[5], "id": rows[0]["id"]} == rows[0]
    assert len({row["id"] for row in rows}) == 61


def test_scores_are_shown_where_the_server_tells_them(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def at(text: str, **probabilities: float) -> dict[str, Any]:
        alternatives = [{"token": t, "logprob": math.log(p)} for t, p in probabilities.items()]
        return {"token": text, "logprob": 0.0, "top_logprobs": alternatives}

    content = [at('{"reason": "", "label": '), at("4", **{"4": 0.75, "2": 0.25}), at("}")]
    judge = yaml.safe_load((finished / "judge.yaml").read_text())

    async def exit_code() -> int:
        answered = '{"reason": "", "label": 4}'
        async with ChatServer(lambda messages: answered, choice={"logprobs": {"content": content}}) as server:
            judge["model"] |= {"name": "vllm:q", "base_url": server.base_url, "logprobs": True}
            (folder / "judge.yaml").write_text(yaml.safe_dump(judge))
            arguments = ["judge", str(folder / "judge.yaml"), str(folder / "images")]
            return await asyncio.to_thread(main, arguments)

    assert asyncio.run(exit_code()) == 0
    rows = lines_of(capsys.readouterr().out)
    assert list(rows[0]) == ["id", "image", "status", "verdict", "reason", "scores", "usage", "judge"]
    assert rows[0]["usage"]["usd"] is None
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
    assert rows[0]["verdict"] is None
    assert "labels.csv:2: image path ../outside.png leads outside" in rows[0]["reason"]
    assert "is not a readable image" in rows[2]["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{run}", "nowhere.png"], "nowhere.png: does not exist"),
        (["{run}", "{set}", "--image-column", "imge"], "did you mean 'image'?"),
        (["{run}", "{run}/rounds"], "holds no image"),
        (["{set}/config.yaml", "{set}"], "is no judge file"),
        (["{set}", "{set}"], "judge.yaml does not exist"),
        (["{run}", "{set}/*.bmp"], "matches no file"),
        (["{run}", "-", "-"], "- is given twice"),
        (["{run}", "{set}", "--json"], "give --out FILE"),
        (["{run}", "{set}", "--out", "{set}/nope/x.jsonl"], "x.jsonl: its folder does not exist; make it"),
        (["{run}", "{set}", "--out", "{set}"], "is a folder; give a file"),
        (["{run}", "{set}", "--split", "test"], "only a config has splits"),
        (["{run}", "{set}", "--gate", "macro_f1=0.8"], "must be METRIC>=NUMBER"),
        (["{run}", "{set}", "--gate", "macrof1>=0.8"], "did you mean 'macro_f1'?"),
        (["{run}", "{set}/images", "--gate", "macro_f1>=0.8"], "the inputs have no labels"),
        (["{run}", "{set}", "--calibration", "{set}/labels.csv"], "labels.csv:1: is no line with label"),
        (["{run}", "{set}", "--baseline", "{set}/labels.csv"], "labels.csv:1: the line was not written by blpo judge"),
        (["{run}", "{set}", "--baseline", "{set}/gone.jsonl"], "gone.jsonl: can't be read"),
        (["{run}", "{set}", "--gate", "drift:flips<=0.1"], "give --baseline OLD.jsonl"),
        (["{run}", "{set}", "--gate", "drift:flip<=0.1"], "unknown value; known are flips, p_value, difference"),
    ],
)
def test_judge_refuses(arguments: list[str], message: str, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = [a.format(run=finished, set=finished.parent / "set") for a in arguments]
    assert main(["judge", *filled]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.startswith("blpo: ")
    assert len(err.splitlines()) == 1


@pytest.mark.slow
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


def test_a_folder_is_judged_whatever_the_formats(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["a.avif", "b.jp2", "c.ppm", "d.jfif", "e.JPG", "f.jpe", "g.pgm"]
    for name in names:
        Image.new("L" if name == "g.pgm" else "RGB", (20, 20), 90).save(tmp_path / name)
    assert main(["judge", str(finished), str(tmp_path), "--quiet"]) == 0
    assert [row["id"] for row in lines_of(capsys.readouterr().out)] == [str(tmp_path / name) for name in names]


def test_a_folder_that_cannot_be_read_gets_an_error_line(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = folder / "images"
    for _ in range(20):  # the full path is too long: unreadable for any user
        monkeypatch.chdir(deep)
        deep = Path("d" * 250)
        deep.mkdir()
    monkeypatch.chdir(folder)
    assert main(["judge", str(finished), str(folder / "images")]) == 1
    out, err = capsys.readouterr()
    assert err == "blpo: judged 31 samples: 30 ok, 1 error\n"
    assert "can't be read (File name too long)" in lines_of(out)[-1]["reason"]


def test_patterns_configs_and_splits_are_inputs(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = finished.parent / "set"
    assert main(["judge", str(finished), str(folder / "images" / "00*.png"), "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert [row["id"] for row in lines_of(out)] == [str(folder / "images" / f"00{i}.png") for i in range(10)]
    assert err == ""
    assert main(["judge", str(finished), str(folder / "config.yaml"), "--quiet"]) == 0
    assert [row["id"] for row in lines_of(capsys.readouterr().out)] == [f"s{i}" for i in range(30)]
    assert main(["judge", str(finished), str(folder / "config.yaml"), "--split", "test", "--quiet"]) == 0
    rows = lines_of(capsys.readouterr().out)
    tested = [row for row in lines_of((finished / "verdicts" / "best.jsonl").read_text()) if row["split"] == "test"]
    assert [(row["id"], row["label"], row["verdict"]) for row in rows] == [
        (row["id"], row["label"], row["verdict"]) for row in tested
    ]


def test_rows_without_an_id_are_named_as_a_run_names_them(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = folder / "without_ids.csv"
    table.write_text("image,label\nimages/000.png,1\nimages/001.png,2\nimages/000.png,3\n,4\n")
    assert main(["judge", str(finished), str(table), "--quiet"]) == 1  # the last has no image
    names = [row["id"] for row in lines_of(capsys.readouterr().out)]
    assert names == ["images/000.png", "images/001.png", "images/000.png#2", "without_ids.csv:5"]


def test_stdin_holds_rows_and_bad_ones_fail_alone(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = str(folder / "images" / "003.png")
    rows = [{"image": image, "id": "a", "label": 2}, {"image": "gone.png"}, {"path": image}, {"image": image}]
    text = "\n".join([*map(json.dumps, rows), "no json", ""])
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["judge", str(finished), "-"]) == 1
    out, err = capsys.readouterr()
    answers = lines_of(out)
    assert [row["status"] for row in answers] == ["ok", "error", "error", "ok", "error"]
    assert [row["id"] for row in answers] == ["a", "gone.png", "stdin:3", image, "stdin:5"]
    assert answers[0]["label"] == 2
    assert "over 1 labelled" in err


@pytest.mark.parametrize("address", ["https://x.y/a.png", "data:image/png;base64," + "A" * 5_000])
def test_addresses_on_stdin_are_not_fetched(
    address: str, finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({"image": address, "id": "a"})))
    assert main(["judge", str(finished), "-", "--quiet"]) == 1
    (row,) = lines_of(capsys.readouterr().out)
    assert row["reason"].startswith(f"stdin:1: {address[:20]}")
    assert row["reason"].endswith(": is a URL; images are not fetched, so give a file")


def test_gates_are_held_against_the_labels(
    finished: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["judge", str(finished), str(folder), "--out", str(tmp_path / "verdicts.jsonl")]
    assert main([*command, "--json", "--gate", "accuracy>=0.01, coverage>=1", "--gate", "mae<=4"]) == 0
    out, err = capsys.readouterr()
    summary = json.loads(out)
    rows = lines_of((tmp_path / "verdicts.jsonl").read_text())
    assert summary["metrics"]["accuracy"] == sum(row["label"] == row["verdict"] for row in rows) / 30
    assert [gate["kept"] for gate in summary["gates"]] == [True, True, True]
    assert err.count("is kept") == 3
    assert main([*command, "--gate", "accuracy>=1.01", "--quiet"]) == 3
    assert capsys.readouterr().err.splitlines()[-1].startswith("blpo: gate accuracy>=1.01 is missed: 0.")


def test_means_of_raters_are_the_measure_as_in_the_run(
    finished: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load((finished / "judge.yaml").read_text())
    content["task"]["round"] = "none"
    judge = tmp_path / "judge.yaml"
    judge.write_text(yaml.safe_dump(content))
    edit_labels(folder, lambda rows: [row.update(label=f"{min(int(row['label']) + 0.25, 5):g}") for row in rows])
    table = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    config = {"task": content["task"], "data": {"path": str(folder / "labels.csv")}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    lines = "".join(
        json.dumps({"image": str(folder / row["image"]), "label": float(row["label"])}) + "\n" for row in table
    )
    for number, source in enumerate((str(folder), str(tmp_path / "config.yaml"), "-")):
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        out = tmp_path / f"verdicts{number}.jsonl"
        assert main(["judge", str(judge), source, "--out", str(out), "--json"]) == 0
        summary, rows = json.loads(capsys.readouterr().out), lines_of(out.read_text())
        assert [row.get("rating", row["label"]) for row in rows] == [float(row["label"]) for row in table]
        errors = [abs(float(row["label"]) - line["verdict"]) for row, line in zip(table, rows, strict=True)]
        assert summary["metrics"]["mae"] == pytest.approx(sum(errors) / 30)
        assert summary["metrics"]["accuracy"] == sum(row["label"] == row["verdict"] for row in rows) / 30


def test_labels_that_are_not_the_judges_are_ignored_unless_a_gate_needs_them(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit_labels(folder, lambda rows: rows[1].update(label="9"))
    assert main(["judge", str(finished), str(folder)]) == 0
    assert "1 labels are not the judge's and were ignored, the first: labels.csv:3: label 9" in capsys.readouterr().err
    assert main(["judge", str(finished), str(folder), "--gate", "accuracy>0"]) == 2
    assert "labels.csv:3: label 9 is not an integer from 1 to 5" in capsys.readouterr().err


def test_shares_are_corrected_by_labelled_samples(
    finished: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines_of_table(finished, folder, capsys)
    verdicts = {row["verdict"] for row in rows}
    labelled = [{**row, "label": row["verdict"], "split": "test"} for row in rows]
    (tmp_path / "known.jsonl").write_text("".join(json.dumps(row) + "\n" for row in labelled))
    out = str(tmp_path / "out.jsonl")
    command = ["judge", str(finished), str(folder / "images"), "--out", out, "--json"]
    assert main([*command, "--calibration", str(tmp_path / "known.jsonl")]) == 0
    printed, err = capsys.readouterr()
    shares = json.loads(printed)["shares"]
    assert shares["undefined"] is None
    for share in shares["shares"]:  # a judge that was always right
        assert share["corrected"] == pytest.approx(share["judged"], abs=1e-9)
        assert (share["label"] in verdicts) == (share["interval"] is not None)
    assert "corrected for the judge's errors by 30 labelled samples" in err
    assert main([*command, "--calibration", str(finished)]) == 0  # five test samples can't tell five labels apart
    assert "shares of labels can't be corrected: " in capsys.readouterr().err


def lines_of_table(finished: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["judge", str(finished), str(folder), "--quiet"]) == 0
    return lines_of(capsys.readouterr().out)
