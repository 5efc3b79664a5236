"""The command: output on stdout and stderr, exit codes, and one line per failure."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from blpo.cli.error_lines import explain, folded_problems
from blpo.cli.main import main
from blpo.runs.run_directory import RunDirectory
from state.errors import DataError
from tests.small_set import COMMAND, ENVIRONMENT, ROOT, blpo, draw_dataset, edit_labels


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return draw_dataset(tmp_path / "set")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a drawn dataset."""
    place = tmp_path_factory.mktemp("cli")
    config = draw_dataset(place / "set") / "config.yaml"
    assert main(["optimize", str(config), "--run-dir", str(place / "run"), "--quiet"]) == 0
    return place / "run"


def test_help_imports_nothing_heavy() -> None:
    script = "import sys; from blpo.cli.main import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "optimize" in done.stdout
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    heavy = {"langgraph", "langchain_core", "datasets", "sklearn", "pandas", "numpy", "PIL", "pydantic", "yaml", "rich"}
    assert not loaded & heavy


@pytest.mark.parametrize(
    ("arguments", "helping"),
    [
        ([], ""),
        (["nonsense"], "blpo"),
        (["optimize", "--nonsense"], "blpo optimize"),
        (["resume"], "blpo resume"),
        (["judge", "x.yaml"], "blpo judge"),
        (["evals", "--preset", "tabel1"], "blpo evals"),
        (["export", "runs/first"], "blpo export"),
        (["data"], ""),
        (["data", "prepare"], "blpo data prepare"),
    ],
)
def test_usage_errors(arguments: list[str], helping: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    if helping:
        assert err.startswith("blpo: ") and err.endswith(f" (see {helping} --help)\n") and len(err.splitlines()) == 1
    else:
        assert err.startswith("Usage: ")
    assert "Value error" not in err


@pytest.mark.parametrize(
    "command",
    ["optimize", "optimize config.yaml", "check", "estimate --json", "fork runs/first", "resume runs/first", "evals"],
)
def test_a_setting_without_set_is_named(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "search.trials=scored"]) == 2
    name = command.split()[0]
    assert capsys.readouterr().err == (
        "blpo: search.trials=scored is a setting; put it behind --set: --set search.trials=scored"
        f" (see blpo {name} --help)\n"
    )


def test_a_config_with_an_equals_sign_in_its_name_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("seed=3.yaml").write_text("search: {seeed: 3}")
    assert main(["check", "seed=3.yaml"]) == 2
    assert "did you mean search.seed?" in capsys.readouterr().err


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
    ("spoil", "message"),
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
        (duplicate_ids, "labels.csv:3: id s0 is also the id of labels.csv:2"),
    ],
)
def test_bad_input(
    command: str, spoil: Callable[[Path], None], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(folder)
    assert main([command, str(folder / "config.yaml")]) == 2
    out, err = capsys.readouterr()
    assert message in (out + err if command == "check" else err)
    assert all(line.startswith("blpo: ") for line in err.splitlines())
    assert len(err.splitlines()) == 1
    assert out == "" or command == "check"
    assert not list(folder.parent.glob("runs/*"))


@pytest.mark.parametrize("command", ["optimize", "check", "estimate"])
def test_a_folder_is_told_of_its_config(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, str(folder)]) == 2
    message = f"blpo: {folder} is a folder; give the config in it, {folder / 'config.yaml'}\n"
    assert capsys.readouterr() == ("", message)
    (folder / "config.yaml").unlink()
    assert main([command, str(folder)]) == 2
    assert f"{folder} can't be read: Is a directory" in capsys.readouterr().err


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
    assert "warning: so few test samples (9) can hardly show a difference; label more" in out
    assert err == ""


def test_check_names_addresses_that_can_not_be_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(folder / "config.yaml")
    names = ["--set", "models.judge.name=vllm:m", "--set", "models.optimizer.name=vllm:m"]
    for address, words in (
        ("http://127.0.0.1:99999/v1", "vllm:m: base_url has no valid host or port (0 to 65535)"),
        ("http://127.0.0.1:8000/v1/chat/completions", "vllm:m: base_url ends in /chat/completions"),
        ("http://127.0.0.1:8000", "models.judge.base_url has no path; most servers listen at http://127.0.0.1:8000/v1"),
    ):
        addresses = [f"models.{role}.base_url={address}" for role in ("judge", "optimizer")]
        code = main(["check", config, *names, "--set", addresses[0], "--set", addresses[1]])
        out = capsys.readouterr().out
        assert words in out
        assert code == (0 if "most servers" in words else 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ({}, "it has no run.json"),
        ({"run.json": '{"format": 99}'}, "has run format 99"),
        ({"run.json": "{"}, "can't be read"),
    ],
)
def test_no_run(
    content: dict[str, str] | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "run"
    if content is not None:
        directory.mkdir()
        for name, text in content.items():
            (directory / name).write_text(text)
    assert main(["resume", str(directory)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("blpo: ")
    assert message in err
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
    for part in (
        "quadratic kappa",
        "accuracy",
        "guessing (quadratic kappa)",
        "9 untouched samples",
        "report.html",
        "Stopped after ",
        "judge.yaml",
    ):
        assert part in out


def test_optimize_keeps_stdout_for_the_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = blpo("optimize", folder / "config.yaml", "--json", "--set", "search.trials=scored", cwd=folder.parent)
    assert done.returncode == 0
    run = next((folder.parent / "runs").glob("*-labels"))
    assert done.stdout == (run / "result.json").read_text()
    assert json.loads(done.stdout)["status"] == "complete"
    assert "round 0: quadratic kappa " in done.stderr
    assert "round 0, trial 1 of 2: " in done.stderr
    assert main(["optimize", str(folder / "config.yaml"), "--quiet", "--run-dir", "elsewhere"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "elsewhere/judge.yaml" in out
    assert (folder.parent / "elsewhere" / "result.json").exists()


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open("/dev/full", "w") as full:
        command = [*COMMAND, "resume", str(finished), "--json"]
        done = subprocess.run(command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "blpo: writing the output: No space left on device\n"
    assert main(["judge", str(finished), str(finished.parent / "set"), "--out", "/dev/full"]) == 1
    assert capsys.readouterr().err == "blpo: /dev/full: No space left on device\n"


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


def test_check_folds_a_long_list_of_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set", 30)
    edit_labels(folder, lambda rows: [row.update(label="9") for row in rows])
    assert main(["check", str(folder / "config.yaml")]) == 2
    output = capsys.readouterr()
    assert len(output.out.splitlines()) == 11 and output.out.splitlines()[-1] == "and 20 more"
    assert "30 problems found" in output.err


def test_check_names_images_in_no_row_and_repeated_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set", 30)
    edit_labels(folder, lambda rows: rows[29].update(image=rows[28]["image"]))
    (folder / "images" / "sketch.svg").touch()
    assert main(["check", str(folder / "config.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "warning: 1 image of the folder is in no row that is used (images/029.png)" in lines
    assert any(line.startswith("warning: 1 file is left out (images/sketch.svg)") for line in lines)
    assert any(line.startswith("warning: 1 image is in several rows (labels.csv:30 = labels.csv:31)") for line in lines)
    assert any("name data.group" in line for line in lines)


def test_problems_are_listed_up_to_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    problems = tuple(f"labels.csv:{i}: bad" for i in range(2, 32))
    assert explain(DataError("30 problems, the first: labels.csv:2: bad", problems)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["blpo: 30 problems, the first: labels.csv:2: bad", "  labels.csv:3: bad"]
    assert lines[-1] == "  and 19 more"
    assert folded_problems([*problems, "and 50 more"])[9:] == ["labels.csv:11: bad", "and 70 more"]
    assert folded_problems(problems[:10]) == list(problems[:10])
    assert len(lines) == 12
