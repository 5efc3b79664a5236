"""The door of the pages: who may read and who may change."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from blpo.view.calls import Call, Coming, Page, answer
from blpo.view.safety import Door, is_loopback
from blpo.view.server import ViewServer
from blpo.view.shelf import Shelf
from blpo.view.site import Site
from state.errors import ConfigError
from tests.viewed import client, origin, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewServer]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "runs" / "secret").mkdir(parents=True)
    (folder / "runs" / "secret" / "run.json").write_text("{}")
    (folder / "outside").mkdir()
    (folder / "outside" / "run.json").write_text("{}")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "run.json").write_text("{}")
    (folder / "runs" / "link").symlink_to(elsewhere)
    with served(folder) as running:
        yield running


def test_without_the_cookie_nothing_can_be_read(server: ViewServer) -> None:
    for path in ("/", "/runs/secret", "/static/page.css", "/?token=wrong"):
        reply = httpx.get(origin(server) + path)
        assert reply.status_code == 403 and "secret" not in reply.text


def test_the_token_gives_a_strict_cookie(server: ViewServer) -> None:
    cookie = httpx.get(server.address).headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower() and f"blpo-view-{server.door.port}=" in cookie


def test_another_host_is_refused(server: ViewServer) -> None:
    with client(server) as asking:
        for host in ("evil.example", f"evil.example:{server.door.port}", "127.0.0.1", "127.0.0.1:1", ""):
            assert asking.get("/", headers={"Host": host}).status_code == 421, host
        for host in ("localhost", "[::1]", "LOCALHOST"):
            assert asking.get("/", headers={"Host": f"{host}:{server.door.port}"}).status_code == 200


def test_a_page_of_another_origin_is_refused(server: ViewServer) -> None:
    with client(server) as asking:
        for site in ("cross-site", "same-site"):
            assert asking.get("/", headers={"Sec-Fetch-Site": site}).status_code == 403
        for foreign in ("http://127.0.0.1:1", "null", "", f"https://127.0.0.1:{server.door.port}"):
            assert asking.post("/", headers={"Origin": foreign}).status_code == 403
        del asking.headers["Origin"]
        assert asking.post("/").status_code == 403


@pytest.mark.parametrize(
    "name", ["%2e%2e", "..%2foutside", "%2e%2e%5coutside", "link", "secret%00", "outside", "%2ftmp", "a" * 5000]
)
def test_a_path_stays_in_the_folder(server: ViewServer, name: str) -> None:
    with client(server) as asking:
        assert asking.get(f"/runs/{name}").status_code == 404
        assert asking.get(f"/experiments/{name}").status_code == 404


def test_every_answer_has_the_policy(server: ViewServer) -> None:
    with client(server) as asking:
        for path in ("/", "/runs/none", "/static/view.js", "/nowhere", "/compare"):
            headers = asking.get(path).headers
            assert headers["content-security-policy"].startswith("default-src 'none'")
            assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "same-origin"


def test_a_read_only_site_changes_nothing(tmp_path: Path) -> None:
    with served(tmp_path, is_read_only=True) as running, client(running) as asking:
        assert asking.get("/").status_code == 200
        assert asking.post("/").status_code == 403


def test_a_server_on_all_addresses_answers_to_addresses_in_digits() -> None:
    door = Door("0.0.0.0", 80, "t")
    assert door.answers_to("192.168.0.7:80") and not door.answers_to("evil.example:80")
    assert is_loopback("127.0.0.2") and is_loopback("::1") and not is_loopback("0.0.0.0")


def test_a_port_in_use_is_named(server: ViewServer) -> None:
    with pytest.raises(ConfigError, match=f"127.0.0.1:{server.door.port} can't be used: .*; give another --port"):
        ViewServer.bind(server.site, "127.0.0.1", server.door.port)


async def response_of(page: Page, folder: Path) -> Response:
    scope = {"type": "http", "method": "GET", "path_params": {"run": "<secret>"}, "query_string": b"", "headers": []}
    return await answer(Site.of(folder), page)(Request(scope))


async def test_a_page_that_fails_is_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def page(call: Call) -> str:
        raise ZeroDivisionError(call.path["run"])

    response = await response_of(page, tmp_path)
    assert response.status_code == 500 and b"internal error (ZeroDivisionError)" in bytes(response.body)
    assert b"secret" not in bytes(response.body) and "ZeroDivisionError" in caplog.text


async def test_a_page_whose_content_is_being_made_asks_again(tmp_path: Path) -> None:
    may_read, shelf = Event(), Shelf[str](1)

    def content() -> str:
        may_read.wait()
        return "samples"

    def page(call: Call) -> str:
        if shelf.get("a", content, 0) is None:
            raise Coming("being read")
        return "read"

    response = await response_of(page, tmp_path)
    assert response.status_code == 200 and b"data-reload" in bytes(response.body)
    may_read.set()
    assert shelf.get("a", content, None) == "samples"
    assert bytes((await response_of(page, tmp_path)).body) == b"read"
