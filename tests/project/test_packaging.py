"""The wheel works outside the checkout, an import is cheap, and dependency ranges match the tested versions."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.small_set import ENVIRONMENT, ROOT

pytestmark = pytest.mark.slow

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
CORE = [Requirement(text) for text in PYPROJECT["project"]["dependencies"]]
MAX_IMPORT_SECONDS = 0.15
"""CPU time. Measured: 0.01 s."""

IMPORT = """
import sys, time
start, before = time.process_time(), set(sys.modules)
import blpo
print(time.process_time() - start, blpo.__file__, *sorted(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path) -> Path:
    """Folder with the content of the wheel."""
    folder = wheel.parent / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(site: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**ENVIRONMENT, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_holds_all_files_of_the_packages(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    assert names == {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert "blpo/py.typed" in names


def test_importing_the_package_imports_nothing_heavy(site: Path, tmp_path: Path) -> None:
    done = python(site, tmp_path, "-c", IMPORT)
    seconds, file, *modules = done.stdout.split()
    assert Path(file) == site / "blpo" / "__init__.py", done.stderr
    assert {name.partition(".")[0] for name in modules} <= {"blpo", *sys.stdlib_module_names}
    assert float(seconds) < MAX_IMPORT_SECONDS


def test_the_command_works_outside_the_checkout(site: Path, tmp_path: Path) -> None:
    assert "Usage: blpo" in python(site, tmp_path, "-m", "blpo", "--help").stdout
    settings = ("data.limit=20", "search.outer_rounds=1", "search.inner_steps=0", "run.dir=run")
    options = [word for setting in settings for word in ("--set", setting)]
    done = python(site, tmp_path, "-m", "blpo", "optimize", "--quiet", *options)
    assert done.returncode == 0, done.stderr
    assert {"result.json", "report.html", "judge.yaml"} <= {path.name for path in (tmp_path / "run").iterdir()}


def lower_bound(requirement: Requirement) -> str:
    return next(each.version for each in requirement.specifier if each.operator == ">=")


def constraints(name: str) -> dict[str, str]:
    """Return a file's versions by name. A line holds nothing but a name and a version."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pairs = [re.fullmatch(r"([\w.-]+)==([\w.+]+)", line) for line in lines if line and not line.startswith("#")]
    assert None not in pairs
    return {canonicalize_name(pair[1]): pair[2] for pair in pairs if pair is not None}


def test_the_lowest_versions_are_the_lower_bounds() -> None:
    assert constraints("constraints-lowest.txt") == {each.name: lower_bound(each) for each in CORE}


def test_the_tested_versions_are_allowed() -> None:
    tested = constraints("constraints.txt")
    assert [each.name for each in CORE if not each.specifier.contains(tested[each.name])] == []
