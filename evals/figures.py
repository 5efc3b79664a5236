"""Figures of a finished experiment as SVG, which needs no network and no program but a browser.

    python -m evals.figures OUT

Where settings were varied: lines over each of them, a row of panels for each dataset and judge. Else a panel of methods
for each dataset and judge. Small dots are seeds, the mark is their mean, the bar or band its 95 % interval (Student's t
over seeds).
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blpo.storage.whole_files import write_whole
from evals.figure_data import Content, swept
from state.errors import BlpoError, ModelError, RunError

FIGURE = "figure.svg"
STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the reader's own font
    "svg.hashsalt": "blpo",  # the same numbers, the same file
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
"""It would name addresses, and the time, so that no two files were the same."""


def write_figure(content: Content, out: Path) -> Path:
    """Write figure.svg from the content of table.json.

    Raises `ModelError` without the extra `report`, `RunError` where no cell has a result, and
    `StoreError` where the file can't be written.
    """
    path = out / FIGURE
    text = svg(content)
    write_whole(path, text, durable=False)  # can be made again from the table
    return path


def svg(content: Content) -> str:
    """The figure of an experiment as an SVG element that refers to nothing outside it; raises like `write_figure`."""
    if not any(cell["status"] == "done" for cell in content["cells"]):
        raise RunError("there is nothing to draw: no cell has a result")
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise ModelError("figures need the extra report; install it with: pip install 'blpo[report]'") from None
    from evals.line_panels import draw_lines
    from evals.method_panels import draw_methods

    draft = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure = draw_lines(content) if swept(content) else draw_methods(content)
        figure.savefig(draft, format="svg", metadata=_NO_METADATA)
    text = draft.getvalue()
    return text[text.index("<svg") :]  # what stands before it names a document type by an address


def read_table(out: Path) -> dict[str, Any]:
    """The content of table.json of a finished experiment; raises `RunError` where there is none."""
    try:
        content: dict[str, Any] = json.loads((out / "table.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"{out} holds no table.json; finish the experiment first with blpo evals") from None
    return content


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the figure of each experiment named; the exit code is that of the command line tool."""
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
