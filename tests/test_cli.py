"""The command: what it prints where, its exit codes, and that every failure is one line."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from cli.failures import explain
from cli.main import main
from cli.signals import stop_signals
from cli.view import View
from reports.run_directory import RunDirectory
from state.errors import DataError

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-c", "import sys; from cli.main import main; sys.exit(main())"]


def draw_dataset(folder: Path, size: int = 30) -> Path:
    """Images of little or much noise, rated 1 to 5, and the config beside them."""
    (folder / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for i in range(size):
        pixels = 128 + generator.normal(0, 5 + 12 * (i % 5), (32, 32, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{i:03}.png")
        rows.append({"id": f"s{i}", "image": f"images/{i:03}.png", "label": str(5 - i % 5)})
    write_labels(folder, rows)
    config = {"data": {"path": "labels.csv"}, "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def write_labels(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edit_labels(folder: Path, change: Callable[[list[dict[str, str]]], object]) -> None:
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    write_labels(folder, rows)


def blpo(*arguments: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return draw_dataset(tmp_path / "set")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run of a drawn dataset."""
    place = tmp_path_factory.mktemp("cli")
    config = draw_dataset(place / "set") / "config.yaml"
    assert main(["optimize", str(config), "--run-dir", str(place / "run"), "--quiet"]) == 0
    yield place / "run"


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "optimize" in done.stdout
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    heavy = {"langgraph", "langchain_core", "datasets", "sklearn", "pandas", "numpy", "PIL", "pydantic", "yaml", "rich"}
    assert not loaded & heavy


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["optimize", "--nonsense"], ["resume"], ["judge", "x.yaml"]])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Usage:" in err if not arguments else err.startswith("blpo: ") and len(err.splitlines()) == 1


def test_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("optimize", "resume", "judge", "check"):
        assert main([command, "--help"]) == 0
    assert "--set" in capsys.readouterr().out


def out_of_scale(folder: Path) -> None:
    edit_labels(folder, lambda rows: rows[1].update(label="7"))


def no_label_column(folder: Path) -> None:
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(text.replace("label", "lable", 1))


def unreadable_image(folder: Path) -> None:
    (folder / "images" / "002.png").write_bytes(b"this is no image")


def truncated_image(folder: Path) -> None:
    image = folder / "images" / "002.png"
    image.write_bytes(image.read_bytes()[:-200])


def outside(folder: Path) -> None:
    edit_labels(folder, lambda rows: rows[1].update(image="../set/images/001.png"))


def one_class(folder: Path) -> None:
    edit_labels(folder, lambda rows: [row.update(label="3") for row in rows])


def duplicate_ids(folder: Path) -> None:
    edit_labels(folder, lambda rows: rows[1].update(id="s0"))


def no_test_rows(folder: Path) -> None:
    edit_labels(folder, lambda rows: [row.update(split="train" if i % 2 else "val") for i, row in enumerate(rows)])
    config = {"data": {"path": "labels.csv", "split": {"column": "split"}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def unknown_key(folder: Path) -> None:
    (folder / "config.yaml").write_text("data: {path: labels.csv}\nsearch: {outer_round: 3}\n")


def no_such_data(folder: Path) -> None:
    (folder / "config.yaml").write_text("data: {path: nowhere/labels.csv}\n")


def no_config(folder: Path) -> None:
    (folder / "config.yaml").unlink()


@pytest.mark.parametrize("command", ["optimize", "check"])
@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (no_config, "config.yaml does not exist"),
        (no_such_data, "nowhere/labels.csv: does not exist"),
        (unknown_key, "did you mean search.outer_rounds?"),
        (out_of_scale, "labels.csv:3: label"),
        (no_label_column, "has no column 'label' (data.label); did you mean 'lable'?"),
        (unreadable_image, "labels.csv:4: images/002.png: is not a readable image"),
        (truncated_image, "labels.csv:4: images/002.png: "),
        (outside, "labels.csv:3: image path ../set/images/001.png leads outside"),
        (no_test_rows, "the test split is empty"),
        (one_class, "at least two classes are needed"),
        (duplicate_ids, "labels.csv:3: id s0 is also that of labels.csv:2"),
    ],
)
def test_bad_input(
    command: str, spoil: Callable[[Path], None], told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(folder)
    assert main([command, str(folder / "config.yaml")]) == 2
    out, err = capsys.readouterr()
    assert told in (out + err if command == "check" else err)
    assert all(line.startswith("blpo: ") for line in err.splitlines())
    assert len(err.splitlines()) == 1
    assert out == "" or command == "check"
    assert not list(folder.parent.glob("runs/*"))


def test_check_lists_every_problem(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for spoil in (out_of_scale, unreadable_image, duplicate_ids):
        spoil(folder)
    edit_labels(folder, lambda rows: rows[5].update(label=""))
    options = ["--set", "models.judge.name=nobody:x", "--set", "models.optimizer.name=embedded:optimizer"]
    assert main(["check", str(folder / "config.yaml"), *options]) == 2
    out, err = capsys.readouterr()
    assert [part for part in ("nobody:x", "labels.csv:3", "labels.csv:4", "labels.csv:7") if part not in out] == []
    assert err == f"blpo: {len(out.splitlines())} problems found\n"


def test_check_says_what_a_run_would_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "config.yaml"), "--set", "limits.calls=10"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("no problem found: 30 samples, train 12, validation 9, test 9\n")
    assert "judge: embedded:judge" in out
    assert "warning: limits.calls (10) can't pay for the test; it may need 18 calls" in out
    assert err == ""


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "does not exist"),
        ({}, "it has no run.json"),
        ({"run.json": '{"format": 99}'}, "has run format 99"),
        ({"run.json": "{"}, "can't be read"),
    ],
)
def test_no_run(content: dict[str, str] | None, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "run"
    if content is not None:
        directory.mkdir()
        for name, text in content.items():
            (directory / name).write_text(text)
    assert main(["resume", str(directory)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("blpo: ")
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_second_process_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = RunDirectory.open(finished)
    try:
        assert main(["resume", str(finished)]) == 2
    finally:
        run.close()
    assert capsys.readouterr().err.startswith("blpo: another process is working on")


def test_a_run_directory_in_use_is_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = finished.parent / "set" / "config.yaml"
    assert main(["optimize", str(config), "--run-dir", str(finished)]) == 2
    assert "holds a run already" in capsys.readouterr().err
    assert main(["optimize", str(config), "--run-dir", str(config / "run")]) == 2
    assert "can't write the run directory" in capsys.readouterr().err


def test_resuming_a_finished_run_prints_its_result_again(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", str(finished), "--json"]) == 0
    out, err = capsys.readouterr()
    assert out == (finished / "result.json").read_text()
    assert err == ""
    assert main(["resume", str(finished)]) == 0
    out = capsys.readouterr().out
    for part in ("macro-F1", "mean absolute error", "coverage", "9 untouched samples", "Stopped: ", "judge.yaml"):
        assert part in out


def test_optimize_keeps_stdout_for_the_result(folder: Path) -> None:
    done = blpo("optimize", folder / "config.yaml", "--json", cwd=folder.parent)
    assert done.returncode == 0
    run = next((folder.parent / "runs").glob("*-labels"))
    assert done.stdout == (run / "result.json").read_text()
    assert json.loads(done.stdout)["status"] == "complete"
    assert "round 0: macro-F1 " in done.stderr
    assert "round 0, trial 1 of 1: " in done.stderr
    quiet = blpo("optimize", folder / "config.yaml", "--quiet", "--run-dir", "elsewhere", cwd=folder.parent)
    assert quiet.returncode == 0
    assert quiet.stderr == ""
    assert "elsewhere/judge.yaml" in quiet.stdout
    assert (folder.parent / "elsewhere" / "result.json").exists()


def test_a_spent_budget_exits_4_and_higher_limits_go_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(folder / "config.yaml"), "--run-dir", "run", "--quiet"]
    assert main(["optimize", *arguments, "--set", "limits.calls=12"]) == 4
    out, err = capsys.readouterr()
    assert "Stopped: the budget was spent" in out
    assert "--set limits.calls=" in err
    assert main(["resume", "run", "--quiet"]) == 4
    capsys.readouterr()
    assert main(["resume", "run", "--quiet", "--set", "limits.calls=10000"]) == 0
    assert "Stopped: all rounds were done" in capsys.readouterr().out


def start(folder: Path, *, until: str) -> "subprocess.Popen[str]":
    """A run long enough to be stopped, when it has printed `until`."""
    rounds = ["--set", "search.outer_rounds=8", "--set", "search.patience=null"]
    command = [*COMMAND, "optimize", str(folder / "config.yaml"), *rounds, "--run-dir", "run"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, cwd=folder.parent, env=environment, **pipes)
    assert process.stderr is not None
    for line in process.stderr:
        if until in line:
            return process
    raise AssertionError(f"never printed {until}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_and_resume_goes_on(number: signal.Signals, folder: Path) -> None:
    process = start(folder, until="round 1: macro-F1")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping after this step; press Ctrl-C again to stop at once\n" in err
    assert err.endswith("resume with: blpo resume run\n")
    assert f"Stopped: stopped by {number.name}." in out
    assert "Not tested: " in out
    assert json.loads((folder.parent / "run" / "result.json").read_text())["status"] == "interrupted"
    done = blpo("resume", "run", cwd=folder.parent)
    assert done.returncode == 0
    assert "round 0: macro-F1" not in done.stderr  # what was done is not done again
    assert "Stopped: all rounds were done" in done.stdout


def test_a_second_signal_stops_at_once(folder: Path) -> None:
    process = start(folder, until="round 0: macro-F1")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    _out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("resume with: blpo resume run\n")
    assert "Traceback" not in err
    assert blpo("resume", "run", "--quiet", cwd=folder.parent).returncode == 0


def test_a_killed_run_resumes(folder: Path) -> None:
    process = start(folder, until="round 0, trial 0")
    process.kill()
    process.communicate(timeout=60)
    done = blpo("resume", "run", "--json", cwd=folder.parent)
    assert done.returncode == 0
    assert json.loads(done.stdout)["status"] == "complete"


def test_before_the_run_begins_a_signal_stops_at_once() -> None:
    view = View()
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_signals(view) as control:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
    assert not control.drain_requested
    assert signal.getsignal(signal.SIGINT) is handler


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
    unreadable_image(folder)
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
        (["{set}", "{set}"], "does not exist; give the judge.yaml of a run directory"),
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
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(finished: Path) -> None:
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "resume", str(finished), "--json"]
        done = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "blpo: writing failed: No space left on device\n"
    full_file = blpo("judge", finished, finished.parent / "set", "--out", "/dev/full")
    assert full_file.returncode == 1
    assert full_file.stderr == "blpo: /dev/full: No space left on device\n"


def test_a_bug_is_one_line_and_its_traceback_is_for_the_asking(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise KeyError("x")
    except KeyError as error:
        bug = error
    assert explain(bug) == 1
    line = capsys.readouterr().err
    assert "internal error: KeyError: 'x'" in line
    assert "BLPO_DEBUG=1" in line
    assert len(line.splitlines()) == 1
    monkeypatch.setenv("BLPO_DEBUG", "1")
    explain(bug)
    assert "Traceback" in capsys.readouterr().err


def test_problems_are_listed_up_to_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    problems = tuple(f"labels.csv:{i}: bad" for i in range(2, 32))
    assert explain(DataError("30 problems, the first: labels.csv:2: bad", problems)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["blpo: 30 problems, the first: labels.csv:2: bad", "  labels.csv:3: bad"]
    assert lines[-1] == "  and 9 more"
    assert len(lines) == 22
