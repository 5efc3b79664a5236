"""Routes of the pages."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from blpo.view.calls import Page, answer, failure
from blpo.view.comparison import compare_page
from blpo.view.experiments import experiment_figure, experiment_page, experiments_page
from blpo.view.pages import STATIC
from blpo.view.run_page import run_page
from blpo.view.runs_page import runs_page
from blpo.view.safety import Door, Guard
from blpo.view.site import NotHere, Site

PAGES: dict[str, Page] = {
    "/": runs_page,
    "/runs/{run}": run_page,
    "/compare": compare_page,
    "/experiments": experiments_page,
    "/experiments/{name}": experiment_page,
    "/experiments/{name}/figure.svg": experiment_figure,
}
"""Pages to read, by address."""
CHANGES: dict[str, Page] = {}
"""Functions that change something, by address; they answer to POST."""
_A_YEAR = "private, max-age=31536000, immutable"


def view_app(site: Site, door: Door) -> Starlette:
    """Return the application of a site behind its door."""

    async def not_found(request: Request, error: Exception) -> Response:
        return failure(site, NotHere("there is no such page"))

    routes = [Route(path, answer(site, page), methods=["GET"]) for path, page in PAGES.items()]
    routes += [Route(path, answer(site, page), methods=["POST"]) for path, page in CHANGES.items()]
    return Starlette(
        routes=[Route("/static/{name}", _static), *routes],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={404: not_found},
    )


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("no such file\n", 404, media_type="text/plain")
    file, kind = STATIC[name]
    return Response(file.read_bytes(), media_type=kind, headers={"Cache-Control": _A_YEAR})
