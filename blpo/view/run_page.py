"""A run as a page: the report, or an overview while there is none."""

from functools import partial

from starlette.responses import HTMLResponse, Response

from blpo.reports.label_source import label_source
from blpo.reports.outcome import headline
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import verdict
from blpo.view.calls import Call
from blpo.view.pages import Frame, site_page
from blpo.view.run_list import ListedRun
from state.errors import BlpoError


def run_page(call: Call) -> str | Response:
    """Return the report of a run. A report that takes long is made meanwhile, and the overview stands for it."""
    path = call.site.run(call.path["run"])
    listed = call.site.runs.run(path)
    record = None if listed.row.status == "broken" else RunRecord.read(path)
    result = record.result_or_none if record else None
    if record is None or result is None:
        return _overview(call, listed, title=_title(listed), sentence=listed.row.note)
    page = call.site.reports.page(path, partial(_framed, call, listed))
    if page is not None:
        return HTMLResponse(page)
    try:
        title = headline(result, label_source(record.settings))
    except BlpoError:
        title = _title(listed)
    return _overview(call, listed, title=title, sentence=verdict(result), is_coming=True)


def _framed(call: Call, listed: ListedRun, template: str, **content: object) -> str:
    return site_page(template, Frame(call.site, "runs", listed), **content)


def _overview(call: Call, listed: ListedRun, *, title: str, sentence: str, is_coming: bool = False) -> str:
    return site_page(
        "run_overview.html",
        Frame(call.site, "runs", listed),
        listed=listed,
        title=title,
        sentence=sentence,
        is_coming=is_coming,
    )


def _title(listed: ListedRun) -> str:
    words = {
        "broken": "This run can't be read",
        "running": "At work",
        "stopped": "Stopped before the end",
    }
    return words.get(listed.row.status, f"No result: {listed.row.status}")
