"""Self-contained HTML pages, with our style and script inside, and a policy that forbids everything else."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from blpo.runs.answer_words import answer_words
from blpo.runs.wording import count, counted, dollars, duration, figure, metric_name, plain, probability
from blpo.storage.whole_files import write_whole

_HERE = Path(__file__).parent


def render_page(template: str, **content: Any) -> str:
    """Fill the template of a whole page, with our style and script inside."""
    style, script = (Markup((_HERE / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    return render_part(
        template, style=style, script=script, style_hash=_hash(style), script_hash=_hash(script), **content
    )


def render_part(template: str, **content: Any) -> str:
    """Fill a template. Text from data is escaped, without characters to reorder or hide text."""
    return _environment().get_template(template).render(**content)


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all."""
    write_whole(path, html, durable=False)  # a report can be written again without a paid call


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
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
    return environment


def _shown(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return plain(value.replace("\r\n", "\n"))


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode("ascii")
