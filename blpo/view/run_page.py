"""A run as a page: at work, a waiting question, the report, or an overview while there is no report."""

from dataclasses import replace

from markupsafe import Markup
from starlette.responses import Response

from blpo.reports.label_source import label_source
from blpo.reports.outcome import headline
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import verdict
from blpo.view.approval import question_page
from blpo.view.calls import Call
from blpo.view.pages import Frame, site_page
from blpo.view.run_list import ListedRun
from blpo.view.run_live import is_at_work, live_panel
from blpo.view.site import NotHere
from state.errors import BlpoError
from state.result import Result

_TITLES = {"broken": "This run can't be read", "stopped": "Stopped before the end"}


def run_page(call: Call) -> str | Response:
    """Return the page of a run. A report that takes long is made meanwhile, and the overview stands for it."""
    site, name = call.site, call.path["run"]
    try:
        path = site.run(name)
    except NotHere:
        return _before_the_run(call, name)
    listed = site.runs.run(path)
    if is_at_work(site, path):
        return _live(call, listed)
    record = None if listed.row.status == "broken" else RunRecord.read(path)
    result = record.result_or_none if record else None
    if record is None or result is None:
        return _overview(call, listed, title=_TITLES.get(listed.row.status, "No result"), sentence=listed.row.note)
    if "question" in result:
        return question_page(call, listed, record, result["question"])

    def render(template: str, **content: object) -> str:
        return site_page(template, Frame(site, "runs", listed), **content)

    page = site.reports.page(path, render)
    return page or _overview(call, listed, title=_headline(record, result), sentence=verdict(result), is_coming=True)


def _before_the_run(call: Call, name: str) -> str:
    """Return the page of a run whose process has begun, and which has no directory yet; raises `NotHere`."""
    processes = call.site.processes
    if not call.site.is_plain(name) or not processes.is_known(name):
        raise NotHere(f"no run {name} in {call.site.home}")
    frame, output = Frame(call.site, "runs"), processes.output(name)
    if processes.is_starting(name):
        return site_page("live.html", frame, name=name, is_starting=True, is_known=False, can_stop=False, output=output)
    return site_page("failed_start.html", frame, name=name, output=output)


def _live(call: Call, listed: ListedRun) -> str:
    """Return the page of a run at work, also in the moment before the run has files."""
    path = call.site.run(listed.name)
    listed = replace(listed, row=replace(listed.row, status="running", note=""))
    return site_page(
        "live.html",
        Frame(call.site, "runs", listed),
        is_starting=False,
        is_known=True,
        can_stop=call.site.processes.is_known(listed.name) and not call.site.is_read_only,
        panel=Markup(live_panel(call.site, path)),
        output=call.site.processes.output(listed.name),
    )


def _overview(call: Call, listed: ListedRun, *, title: str, sentence: str, is_coming: bool = False) -> str:
    return site_page(
        "run_overview.html",
        Frame(call.site, "runs", listed),
        listed=listed,
        title=title,
        sentence=sentence,
        is_coming=is_coming,
    )


def _headline(record: RunRecord, result: Result) -> str:
    try:
        return headline(result, label_source(record.settings))
    except BlpoError:
        return "The run has ended"
