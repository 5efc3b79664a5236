"""Pages of the site: the templates of the reports, inside a frame of our own (templates/base.html).

Style and scripts are files of the server. A file's address has its digest, so that a browser keeps the file until it
changes.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from blpo.reports.page import SCRIPT, STYLE, TEMPLATES, environment

if TYPE_CHECKING:
    from blpo.view.run_list import ListedRun
    from blpo.view.site import Site

_HERE = Path(__file__).parent
STATIC = {
    "page.css": (STYLE, "text/css"),
    "page.js": (SCRIPT, "text/javascript"),
    "view.css": (_HERE / "static" / "view.css", "text/css"),
    "view.js": (_HERE / "static" / "view.js", "text/javascript"),
}
"""Files of the pages, and their types."""
TABS = (("", "Report"), ("prompts", "Prompts"), ("label", "Label"), ("judge", "Judge"))
"""Pages of a run by the end of their address, and their titles."""


@dataclass(frozen=True)
class Frame:
    """Surroundings of a page."""

    site: "Site"
    section: str = ""
    """Section of the site: runs, experiments, label or judge."""
    run: "ListedRun | None" = None
    """Run that the page is about."""
    tab: str = ""
    """Page of the run: a name of `TABS`."""

    @property
    def address(self) -> str:
        """Address of the run."""
        return self.address_of("runs", self.run.name) if self.run else ""

    @staticmethod
    def address_of(section: str, name: str) -> str:
        """Return the address of a run, an experiment or a folder."""
        return f"/{section}/{quote(name, safe='')}"

    @property
    def tabs(self) -> tuple[tuple[str, str], ...]:
        """Pages of a run, and their titles."""
        return TABS


def site_page(template: str, frame: Frame, **content: Any) -> str:
    """Fill a template of the site or of the reports."""
    pages = environment(_HERE / "templates", TEMPLATES)
    content.setdefault("version", version("blpo"))
    return pages.get_template(template).render(frame=frame, digest=digest, **content)


@cache
def digest(name: str) -> str:
    """Return the first characters of a file's digest."""
    return sha256(STATIC[name][0].read_bytes()).hexdigest()[:12]
