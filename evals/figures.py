"""Figures of a finished experiment as SVG; a browser shows the file without network.

    python -m evals.figures OUT

With varied settings, a figure has lines over each setting, and a row of panels for each dataset and judge. Without, a
figure has a panel of methods for each dataset and judge. Small dots are seeds, a large mark is the mean over seeds, a
bar is the 95 % interval (Student's t over seeds).
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blpo.storage.whole_files import write_whole
from evals.figure_data import Content, varied_settings
from evals.line_panels import draw_lines
from evals.method_panels import draw_methods
from state.errors import BlpoError, RunError

FIGURE = "figure.svg"


def write_figure(content: Content, out: Path) -> Path:
    """Write figure.svg from the content of table.json.

    Raises `RunError` if no cell has a result, and `StoreError` if the file can't be written.
    """
    path = out / FIGURE
    write_whole(path, figure_svg(content), durable=False)  # can be made again from the table
    return path


def figure_svg(content: Content) -> str:
    """Return the figure of an experiment as an SVG element without references to other files.

    Raises `RunError` if no cell has a result, and for settings that vary together.
    """
    if not any(cell["status"] == "done" for cell in content["cells"]):
        raise RunError("there is nothing to draw: no cell has a result")
    if any(content["experiment"].get("grid", {}).values()):
        raise RunError("settings that vary together have no figure; table.md has their table")
    draft = io.StringIO()
    figure = draw_lines(content) if varied_settings(content) else draw_methods(content)
    figure.save(draft, format="svg")
    return draft.getvalue()


def read_table(out: Path) -> dict[str, Any]:
    """Return the content of table.json of a finished experiment; raises `RunError` if there is none."""
    try:
        content: dict[str, Any] = json.loads((out / "table.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"{out} holds no table.json; finish the experiment first with blpo evals") from None
    return content


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure of each named experiment; return the exit code, as the command line tool does."""
    parser = argparse.ArgumentParser(prog="python -m evals.figures", description="Draw the figure of an experiment.")
    parser.add_argument("out", nargs="+", type=Path, help="an experiment's folder")
    try:
        for out in parser.parse_args(arguments).out:
            print(write_figure(read_table(out), out))
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
