"""List of all runs: filters, order, pages, and the choice of runs to compare."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from blpo.view.calls import Call
from blpo.view.pages import Frame, site_page
from blpo.view.run_list import ListedRun

PAGE = 100
"""Runs of a page."""
SORTS = {
    "newest": "newest first",
    "name": "name",
    "value": "metric after",
    "gain": "gain",
    "calls": "calls",
    "usd": "dollars",
}
_KEYS: dict[str, Callable[[ListedRun], tuple[bool, float]]] = {
    "value": lambda run: _falling(run.row.after),
    "gain": lambda run: _falling(run.difference),
    "calls": lambda run: _falling(run.row.calls),
    "usd": lambda run: _falling(run.row.usd),
}


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Runs that a person wants to see."""

    q: str
    """Part of the name or the task."""
    status: str
    sort: str

    def __bool__(self) -> bool:
        """Return True if a run may be left out."""
        return bool(self.q or self.status)

    def matches(self, run: ListedRun) -> bool:
        """Return True if the run is wanted."""
        text = f"{run.name}\n{run.task}\n{run.parent}".lower()
        return self.q.lower() in text and self.status in ("", run.row.status)


def runs_page(call: Call) -> str:
    """Return the list of runs, newest first unless another order is wanted."""
    listing = call.site.runs.listing()
    sort = call.asked("sort", "newest")
    run_filter = RunFilter(call.asked("q")[:100].strip(), call.asked("status"), sort if sort in SORTS else "newest")
    matching = _sorted([run for run in listing.runs if run_filter.matches(run)], run_filter.sort)
    page = min(call.number("page"), max(len(matching) - 1, 0) // PAGE)

    def here(number: int) -> str:
        values = {"q": run_filter.q, "status": run_filter.status, "sort": run_filter.sort, "page": number}
        return f"/?{urlencode(values)}"

    return site_page(
        "runs.html",
        Frame(call.site, "runs"),
        runs=matching[page * PAGE : (page + 1) * PAGE],
        total=len(listing.runs),
        matching=len(matching),
        unread=listing.unread,
        run_filter=run_filter,
        statuses=sorted({run.row.status for run in listing.runs}),
        sorts=SORTS,
        page=page,
        pages=-(-len(matching) // PAGE),
        here=here,
    )


def _sorted(runs: list[ListedRun], sort: str) -> list[ListedRun]:
    if sort == "name":
        return sorted(runs, key=lambda run: run.name.lower())
    return sorted(runs, key=_KEYS[sort]) if sort in _KEYS else runs


def _falling(value: float | None) -> tuple[bool, float]:
    """Return the key of an order from the largest value down; a missing value comes last."""
    return value is None, -(value or 0.0)
