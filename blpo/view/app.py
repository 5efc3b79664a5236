"""Routes of the pages."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from blpo.view.approval import answer_question
from blpo.view.calls import Page, answer, failure
from blpo.view.comparison import compare_page
from blpo.view.experiments import experiment_figure, experiment_page, experiments_page
from blpo.view.judge_picture import judge_page, judging
from blpo.view.labelling.folder_labels import (
    folder_image,
    folder_label,
    folder_label_page,
    folder_labels_page,
    folders_page,
    save_folder_labels,
)
from blpo.view.labelling.run_labels import (
    run_image,
    run_label,
    run_label_page,
    run_labels_page,
    save_run_corrections,
    save_run_ratings,
)
from blpo.view.pages import STATIC
from blpo.view.prompts import fork_run, prompts_page
from blpo.view.run_control import resume_run, start_page, start_run, stop_run
from blpo.view.run_live import live_events
from blpo.view.run_page import run_page
from blpo.view.runs_page import runs_page
from blpo.view.safety import Door, Guard
from blpo.view.site import NotHere, Site

PAGES: dict[str, Page] = {
    "/": runs_page,
    "/runs/{run}": run_page,
    "/runs/{run}/prompts": prompts_page,
    "/runs/{run}/judge": judge_page,
    "/runs/{run}/label": run_label_page,
    "/runs/{run}/image": run_image,
    "/runs/{run}/labels": run_labels_page,
    "/label": folders_page,
    "/label/{folder}/label": folder_label_page,
    "/label/{folder}/image": folder_image,
    "/label/{folder}/labels": folder_labels_page,
    "/start": start_page,
    "/compare": compare_page,
    "/experiments": experiments_page,
    "/experiments/{name}": experiment_page,
    "/experiments/{name}/figure.svg": experiment_figure,
}
"""Pages to read, by address."""
CHANGES: dict[str, Page] = {
    "/start": start_run,
    "/runs/{run}/stop": stop_run,
    "/runs/{run}/resume": resume_run,
    "/runs/{run}/fork": fork_run,
    "/runs/{run}/answer": answer_question,
    "/runs/{run}/label": run_label,
    "/runs/{run}/labels/corrections": save_run_corrections,
    "/runs/{run}/labels/ratings": save_run_ratings,
    "/label/{folder}/label": folder_label,
    "/label/{folder}/labels/file": save_folder_labels,
}
"""Functions that change something, by address; they answer to POST."""
_A_YEAR = "private, max-age=31536000, immutable"


def view_app(site: Site, door: Door) -> Starlette:
    """Return the application of a site behind its door."""

    async def not_found(request: Request, error: Exception) -> Response:
        return failure(site, NotHere("there is no such page"))

    routes = [Route(path, answer(site, page), methods=["GET"]) for path, page in PAGES.items()]
    routes += [Route(path, answer(site, page), methods=["POST"]) for path, page in CHANGES.items()]
    return Starlette(
        routes=[
            Route("/static/{name}", _static),
            Route("/runs/{run}/live", live_events(site)),
            Route("/runs/{run}/judge", judging(site), methods=["POST"]),
            *routes,
        ],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={404: not_found},
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("no such file\n", 404, media_type="text/plain")
    file, kind = STATIC[name]
    return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": _A_YEAR})
