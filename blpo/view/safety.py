"""Door of the pages: who may ask, and what a page may do.

Pages answer on their own address alone (against DNS rebinding), to a browser that has opened the address with the
token. Afterwards a cookie stands for the token; the cookie is HttpOnly and SameSite=Strict. Another port of the same
machine counts as the same site for cookies, so every request of another origin is refused by its headers, and a change
needs the page's own Origin. The policy forbids everything that is not of this server.
"""

import ipaddress
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from secrets import compare_digest

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with no-referrer a form would send the Origin null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_READING = ("GET", "HEAD")
_OWN = ("same-origin", "none")
"""Values of Sec-Fetch-Site: from a page of this server, and from the address bar."""
_ENTERED = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">
<meta http-equiv="refresh" content="0;url=/">
<title>blpo</title><p><a href="/">Go on</a></p></html>"""
"""A page, because a redirect from a link of another site would lose the strict cookie."""


@dataclass(frozen=True)
class Door:
    """Address, token and rights of a server."""

    host: str
    port: int
    token: str
    is_read_only: bool = False

    @property
    def cookie(self) -> str:
        """Name of the cookie. Servers of one machine share their cookies, so the name has the port."""
        return f"blpo-view-{self.port}"

    def answers_to(self, host: str) -> bool:
        """Return True if a Host header names this server.

        A server on all addresses answers to any address in digits, because DNS rebinding needs a name.
        """
        name, separator, port = host.rpartition(":")
        if not separator or port != str(self.port):
            return False
        name = name.strip("[]").lower()
        if is_loopback(self.host):
            return name in ("127.0.0.1", "localhost", "::1")
        return name in (self.host.lower(), "localhost", socket.gethostname().lower()) or _is_address(name)

    def knows(self, headers: Headers) -> bool:
        """Return True if the request has the cookie."""
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return cookie is not None and self.is_token(cookie.value)

    def is_token(self, text: str) -> bool:
        """Compare in constant time."""
        return compare_digest(text.encode(), self.token.encode())


def is_loopback(host: str) -> bool:
    """Return True if only this machine reaches the address."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


class Guard:
    """ASGI middleware of the door."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer refused requests, and put the headers on all answers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._answer(scope)
        await (self._app if answer is None else answer)(scope, receive, guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """Return a refusal, or the page that sets the cookie; None for a request to pass on."""
        door, headers, method = self._door, Headers(scope=scope), scope["method"]
        if not door.answers_to(headers.get("host", "")):
            return _refused(421, "this is not the address that blpo view has printed")
        token = QueryParams(scope["query_string"]).get("token")
        if method == "GET" and token is not None and door.is_token(token):
            answer = HTMLResponse(_ENTERED)
            answer.set_cookie(door.cookie, door.token, httponly=True, samesite="strict")
            return answer
        if not door.knows(headers):
            return _refused(403, "open the address with the token that blpo view has printed")
        if headers.get("sec-fetch-site", "none") not in _OWN:
            return _refused(403, "a page of another origin asked; open the address yourself")
        if method in _READING:
            return None
        if headers.get("origin") != f"http://{headers['host']}":
            return _refused(403, "a change must come from a page of this server")
        if door.is_read_only:
            return _refused(403, "blpo view runs with --read-only")
        return None


def _refused(status: int, reason: str) -> Response:
    return PlainTextResponse(f"refused: {reason}\n", status)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
