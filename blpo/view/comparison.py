"""Comparison of chosen runs, as `blpo compare` makes it."""

from functools import partial

from blpo.reports.compare_page import comparison_page
from blpo.reports.comparison import compare_runs
from blpo.runs.run_record import RunRecord
from blpo.view.calls import Call
from blpo.view.pages import Frame, site_page
from state.errors import RunError

MOST_RUNS = 12


def compare_page(call: Call) -> str:
    """Return the comparison of the runs in the query; the others are tested against the first."""
    names = list(dict.fromkeys(call.query.get("run", ())))
    if not 2 <= len(names) <= MOST_RUNS:
        raise RunError(f"mark 2 to {MOST_RUNS} runs to compare; {len(names)} are marked")
    runs = [RunRecord.read(call.site.run(name)) for name in names]
    task = call.asked("task") or None

    def render(template: str, **content: object) -> str:
        return site_page(template, Frame(call.site, "runs"), **content)

    return comparison_page(compare_runs(runs, task), partial(render))
