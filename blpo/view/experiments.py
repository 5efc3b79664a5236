"""Experiments of `blpo evals`: their tables, as the experiment wrote them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.responses import Response

from blpo.runs.wording import counted, plain
from blpo.view.calls import Call
from blpo.view.pages import Frame, site_page
from blpo.view.site import TABLE, NotHere
from state.errors import RunError

FIGURE = "figure.svg"
_MOST_BYTES = 5_000_000
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_ALIGNMENT = re.compile(' style="text-align:(left|right|center)"')
_SCROLL = '<div class="scroll" tabindex="0" role="group" aria-label="Table">'


@dataclass(frozen=True, slots=True)
class ListedExperiment:
    """An experiment of the list."""

    name: str
    words: str
    """Preset, methods and cells in a few words; the problem of an unreadable experiment."""


def experiments_page(call: Call) -> str:
    """Return the list of experiments."""
    experiments = [ListedExperiment(name, _words(call.site.experiment(name))) for name in call.site.experiments]
    return site_page("experiments.html", Frame(call.site, "experiments"), experiments=experiments)


def experiment_page(call: Call) -> str:
    """Return an experiment's table.md as HTML. The text of the file stays text."""
    folder = call.site.experiment(call.path["name"])
    text = plain(_read(folder / "table.md").decode("utf-8", errors="replace").replace("\r\n", "\n"))
    return site_page(
        "experiment.html",
        Frame(call.site, "experiments"),
        name=folder.name,
        table=Markup(_table_html(text)),
        has_figure=_has_figure(folder),
    )


def _table_html(markdown: str) -> str:
    """Return Markdown as HTML without styles in tags, which the policy forbids; a wide table scrolls."""
    html = _ALIGNMENT.sub(r' class="\1"', _MARKDOWN.render(markdown))
    return html.replace("<table>", _SCROLL + "<table>").replace("</table>", "</table></div>")


def experiment_figure(call: Call) -> Response:
    """Return an experiment's figure. A page shows it as an image, in which no script runs."""
    folder = call.site.experiment(call.path["name"])
    if not _has_figure(folder):
        raise NotHere(f"{folder} has no figure")
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    return Response(_read(folder / FIGURE), media_type="image/svg+xml", headers=policy)


def _has_figure(folder: Path) -> bool:
    figure = folder / FIGURE
    return figure.is_file() and not figure.is_symlink()


def _words(folder: Path) -> str:
    try:
        content = json.loads(_read(folder / TABLE))
        methods = len({row["method"] for row in content["rows"]})
        return f"{counted(methods, 'method')}, {counted(len(content['cells']), 'cell')}"
    except RunError as error:
        return str(error)
    except (ValueError, KeyError, TypeError, RecursionError):
        return "table.json is damaged; blpo evals writes it again"


def _read(file: Path) -> bytes:
    """Return the content of a file; raises `RunError` for a missing and for a too large file, and for a link."""
    if not file.is_file() or file.is_symlink():
        raise RunError(f"{file} is missing; blpo evals writes it again")
    if file.stat().st_size > _MOST_BYTES:
        raise RunError(f"{file} is larger than {_MOST_BYTES // 1_000_000} MB, and is not shown")
    return file.read_bytes()
