"""Properties of the whole project: imports load the checkout's packages, and have no other effect."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("blpo", "evals", "graph", "nodes", "state")

IMPORT_EVERYTHING = """
import importlib, pathlib, sys
contacted = []
sys.addaudithook(lambda name, args: contacted.append((name, args)) if name.startswith("socket.") and name in
    ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto") else None)
root = pathlib.Path(sys.argv[1])
names = [
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
    for package in sys.argv[2:] for path in sorted((root / package).rglob("*.py"))
]
for name in names:
    importlib.import_module(name)
assert not contacted, contacted
print(len(names))
"""


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_imported_is_ours(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).is_relative_to(ROOT)


@pytest.mark.slow
def test_importing_everything_opens_no_connection() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING, str(ROOT), *PACKAGES],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40


def test_the_drawing_in_the_readme_is_current() -> None:
    from blpo.reports.drawing import README, with_drawing

    readme = README.read_text(encoding="utf-8")
    assert with_drawing(readme) == readme, "run `make drawing`"


def test_all_seven_nodes_are_in_the_graph_with_the_inner_loop_nested() -> None:
    from graph.outer import graph

    nodes = set(graph.get_graph(xray=True).nodes)
    outer = {"judge", "collect_errors", "critique_judge", "update_judge", "evaluate_test"}
    inner = {"verbalize", "critique_judge", "update_judge", "judge", "critique_i2t", "update_i2t"}
    assert outer | {f"search_i2t:{name}" for name in inner} <= nodes
