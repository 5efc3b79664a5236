"""A request as plain values, and the answer of a page's function as a response.

A page's function is synchronous and runs in a thread: it takes a `Call` and returns HTML or a response. A `BlpoError`
becomes a page with its sentence.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from blpo.view.pages import Frame, site_page
from blpo.view.site import NotHere, Site
from state.errors import BlpoError, DataError

MOST_FORM = 1_000_000
"""Bytes of the largest form."""
_MOST_FIELDS = 2000
_LOG = logging.getLogger("uvicorn.error")


class TooLarge(BlpoError):
    """The body of a request is larger than allowed."""


class Coming(BlpoError):
    """The content of a page is being made; the page asks again by itself."""


class _Fault(BlpoError):
    """A page failed by a fault of its own."""


_STATUS: Mapping[type[Exception], int] = {NotHere: 404, TooLarge: 413, _Fault: 500}


@dataclass(frozen=True)
class Call:
    """A request for a page."""

    site: Site
    path: Mapping[str, str]
    """Values in the path."""
    query: Mapping[str, Sequence[str]]
    form: Mapping[str, Sequence[str]]
    """Fields of the body; empty for GET."""

    def asked(self, name: str, default: str = "") -> str:
        """Return the last value of the query."""
        return (self.query.get(name) or [default])[-1]

    def field(self, name: str, default: str = "") -> str:
        """Return the last value of a form's field, with plain line ends."""
        return (self.form.get(name) or [default])[-1].replace("\r\n", "\n")

    def number(self, name: str, default: int = 0) -> int:
        """Return a number of the query, from 0; the default for anything else."""
        text = self.asked(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


Page = Callable[[Call], str | Response]


def answer(site: Site, page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint of a page's function."""

    async def endpoint(request: Request) -> Response:
        try:
            form = {} if request.method == "GET" else _fields(await read_body(request, MOST_FORM))
            query: dict[str, list[str]] = {}
            for name, value in request.query_params.multi_items():
                query.setdefault(name, []).append(value)
            call = Call(site, request.path_params, query, form)
            content = await run_in_threadpool(page, call)
        except Coming as coming:
            return HTMLResponse(site_page("coming.html", Frame(site), sentence=str(coming)))
        except (BlpoError, OSError) as error:
            return failure(site, error)
        except Exception as error:
            _LOG.exception("a page failed")
            return failure(site, _Fault(f"internal error ({type(error).__name__}); the terminal shows more"))
        return content if isinstance(content, Response) else HTMLResponse(content)

    return endpoint


def failure(site: Site, error: Exception) -> Response:
    """Return the page of an error: a sentence, and the problems of a dataset."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 400)
    problems = list(error.problems) if isinstance(error, DataError) else []
    text = f"{error.filename or 'a file'}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
    further = [line for line in problems if line not in text]
    return HTMLResponse(site_page("message.html", Frame(site), sentence=text, problems=further), status)


def go(path: str, **query: str | int) -> Response:
    """Return a redirect to a page after a change."""
    return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, status_code=303)


async def read_body(request: Request, most: int) -> bytes:
    """Return the body; raises `TooLarge` above `most` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise TooLarge(f"more than {most // 1_000_000} MB were sent; send less")
        parts.append(part)
    return b"".join(parts)


def _fields(body: bytes) -> Mapping[str, Sequence[str]]:
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, strict_parsing=False, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadForm("the form can't be read; send it from the page") from None


class BadForm(BlpoError):
    """A form has fields that no page sends."""
