"""axe-core from npm, run in a page: violations of accessibility that are serious or critical."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import pytest

from blpo.storage.whole_files import write_whole

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE = "axe-core@4"
_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter((each) => ["serious", "critical"].includes(each.impact))
  .map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")}`)"""


def serious_violations(view: "Page") -> list[str]:
    """Return a line for each serious or critical violation of the page."""
    # evaluated by the browser's debugger, which the page's policy does not concern
    view.evaluate(_source())
    lines: list[str] = view.evaluate(_RUN)
    return lines


@cache
def _source() -> str:
    """Return axe-core, kept in the cache of the suite. Without npm the test skips, or fails if CI=true."""
    file = Path(os.environ["XDG_CACHE_HOME"]) / "axe.min.js"
    if file.exists():
        return file.read_text(encoding="utf-8")
    folder = Path(mkdtemp(prefix="blpo-axe-"))
    try:
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        write_whole(file, (folder / "node_modules" / "axe-core" / "axe.min.js").read_bytes(), durable=False)
        return file.read_text(encoding="utf-8")
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"axe-core can't be installed by npm: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
