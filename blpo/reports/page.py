"""Self-contained HTML pages, with our style and script inside, and a policy that forbids everything else.

`blpo.view` fills the same templates inside a frame of its own: a `Render` is `render_page`, or another frame.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from blpo.runs.answer_words import answer_words
from blpo.runs.wording import count, counted, dollars, duration, figure, metric_name, plain, probability
from blpo.storage.whole_files import write_whole

Render = Callable[..., str]
"""Fills the template of a whole page: the template's name, and the content by name."""
_HERE = Path(__file__).parent
STYLE, SCRIPT = _HERE / "page.css", _HERE / "page.js"
TEMPLATES = _HERE / "templates"


def render_page(template: str, **content: Any) -> str:
    """Fill the template of a whole page, with our style and script inside."""
    style, script = (Markup(file.read_text(encoding="utf-8")) for file in (STYLE, SCRIPT))
    return render_part(
        template, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script), **content
    )


def render_part(template: str, **content: Any) -> str:
    """Fill a template. Text from data is escaped, without characters to reorder or hide text."""
    return environment(TEMPLATES).get_template(template).render(**content)


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all."""
    write_whole(path, html, durable=False)  # a report can be written again without a paid call


@cache
def environment(*folders: Path) -> Environment:
    """Return the environment of the templates in `folders`; a template of an earlier folder comes first."""
    templates = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    templates.filters |= {
        "answer": answer_words,
        "count": count,
        "counted": counted,
        "dollars": dollars,
        "duration": duration,
        "metric": metric_name,
        "probability": probability,
        "number": figure,
        "signed": lambda value: f"{value:+.3f}",
        "percent": lambda share: f"{100 * share:.0f} %" if share in (0, 1) else f"{100 * share:.1f} %",
    }
    return templates


def _shown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return plain(value.replace("\r\n", "\n"))


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode("ascii")
