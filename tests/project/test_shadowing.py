"""A user's own files beside a script do no harm, or a line names the file to rename."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_set import ENVIRONMENT, draw_dataset

pytestmark = pytest.mark.slow

OPTIMIZE = """
import asyncio

import blpo
import data
import metrics
import models
import prompts

settings = {"data": {"path": "photos"}, "search": {"outer_rounds": 1, "inner_steps": 0}, "run": {"dir": "run"}}
asyncio.run(blpo.optimize(settings))
print("own files:", [each.OWN for each in (data, metrics, models, prompts)])
"""


def python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def write_module(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("OWN = True\n")
    return path


def test_own_models_data_metrics_and_prompts_do_no_harm(tmp_path: Path) -> None:
    for name in ("models.py", "metrics.py", "data/__init__.py", "prompts/__init__.py"):
        write_module(tmp_path / name)
    draw_dataset(tmp_path / "photos")
    (tmp_path / "script.py").write_text(OPTIMIZE)
    done = python(tmp_path, "script.py")
    assert done.returncode == 0, done.stderr
    assert "own files: [True, True, True, True]" in done.stdout
    assert (tmp_path / "run" / "result.json").exists()


@pytest.mark.parametrize("name", ["state.py", "graph/__init__.py", "nodes.py", "evals/__init__.py"])
def test_a_file_that_hides_a_package_is_named(tmp_path: Path, name: str) -> None:
    file = write_module(tmp_path / name)
    package = Path(name).parts[0].removesuffix(".py")
    line = f"{file} hides the package '{package}' of blpo; rename it, or run from another folder or with python -P"

    (tmp_path / "script.py").write_text("import blpo\n\nblpo.load_judge\n")
    done = python(tmp_path, "script.py")
    assert done.stderr.splitlines()[-1] == f"blpo.shadowing.ShadowedPackageError: {line}"
    done = python(tmp_path, "-c", "from blpo import optimize")
    assert done.stderr.splitlines()[-1] == f"blpo.shadowing.ShadowedPackageError: {line}"
    done = python(tmp_path, "-m", "blpo", "--version")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"blpo: {line}\n")

    assert python(tmp_path, "-P", "-m", "blpo", "--version").returncode == 0


def test_a_module_that_is_imported_already_is_named(tmp_path: Path) -> None:
    file = write_module(tmp_path / "state.py")
    done = python(tmp_path, "-c", "import state, sys; sys.path.pop(0); import blpo; blpo.optimize")
    assert f"{file} hides the package 'state' of blpo" in done.stderr.splitlines()[-1]


def test_a_folder_that_is_no_package_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "notes.txt").write_text("")
    done = python(tmp_path, "-c", "import blpo; blpo.load_judge; import graph; print(graph.__file__)")
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith(str(tmp_path))
