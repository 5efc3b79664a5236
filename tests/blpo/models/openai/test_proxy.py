"""Proxies of the environment: used, excepted, refused, and never named with a password."""

from base64 import b64encode

import pytest

from blpo.models.openai.proxy import proxy_of
from blpo.models.registry import chat_model
from state.errors import ModelError
from state.response import Failure, Response
from state.settings import ModelSettings
from tests.blpo.models.openai.exchange import (
    answer,
    outcome,
    raw_server,
    result,
)
from tests.servers.chat_server import ChatServer


async def test_proxies_of_the_environment_are_used_but_for_those_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ChatServer(answer) as proxy:
        address = proxy.base_url.removesuffix("/v1").removeprefix("http://")
        monkeypatch.setenv("NO_PROXY", "")
        elsewhere = ModelSettings(name="vllm:m", base_url="http://models.invalid/v1", max_retries=0)
        for form in ("http://user:s3cret@{}", "{}"):
            monkeypatch.setenv("HTTP_PROXY", form.format(address))
            assert isinstance(await outcome(elsewhere), Response)
            assert proxy.target == "http://models.invalid/v1/chat/completions"
            expected = f"Basic {b64encode(b'user:s3cret').decode()}" if "@" in form else None
            assert proxy.headers.get("proxy-authorization") == expected
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        failure = await outcome(elsewhere)
    assert isinstance(failure, Failure)
    assert failure.kind == "connection"


async def test_a_proxy_that_passes_encrypted_requests_on_sees_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server("HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n") as (address, heads):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:s3cret@{address}")
        monkeypatch.setenv("NO_PROXY", "")
        failure = await outcome(ModelSettings(name="vllm:m", base_url="https://models.invalid/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert (failure.kind, "s3cret" in failure.detail) == ("server", False)
    assert "Error code: 502 - the proxy does not connect (Bad Gateway)" in failure.detail
    assert heads[0].startswith("CONNECT models.invalid:443 ")
    assert f"Basic {b64encode(b'user:s3cret').decode()}" in heads[0]
    assert "Bearer" not in heads[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_refuses_its_password_is_named(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_server("HTTP/1.1 407 Proxy Authentication Required\nContent-Length: 0\n\n") as (address, _):
        monkeypatch.setenv(f"{scheme.upper()}_PROXY", f"http://user:s3cret@{address}")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(ModelError, match="The proxy wants other credentials"):
            await result(ModelSettings(name="vllm:m", base_url=f"{scheme}://models.invalid/v1"))


async def test_a_proxy_that_does_not_answer_is_a_failure_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:s3cret@127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    failure = await outcome(ModelSettings(name="vllm:m", base_url="http://models.invalid/v1", max_retries=0))
    assert isinstance(failure, Failure)
    assert failure.kind == "connection"
    assert "s3cret" not in failure.detail


@pytest.mark.parametrize(
    "proxy",
    ["socks5://user:s3cret@h:1080", "http://user:s3/cret@h:1", "http://[bad", "http://p:x", "//p:1", "http://", "p:0"],
)
def test_what_is_no_proxy_is_named_without_its_password(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "elsewhere")
    with pytest.raises(
        ModelError, match=r"^HTTP_PROXY: is not the address of an HTTP proxy.* name h in NO_PROXY$"
    ) as caught:
        chat_model(ModelSettings(name="vllm:m", base_url="http://h:8000/v1"))
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("excepted", "server"),
    [
        ("h", "h:8000"),
        ("h:8000", "h:8000"),
        ("x,::1", "[::1]:8000"),
        (".lan", "gpu.lan"),
        ("lan", "gpu.lan"),
        ("*.lan", "gpu.lan:8000"),
        ("h, *.LAN", "a.gpu.lan"),
        ("localhost,10.0.0.0/8", "10.1.2.3:8000"),
        ("fd00::/8", "[fd00::1]:8000"),
        ("*", "h"),
    ],
)
def test_servers_excepted_from_the_proxy(excepted: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", " ")
    assert proxy_of(f"http://{server}/v1") is None
    monkeypatch.setenv("HTTP_PROXY", "p:3128")
    monkeypatch.setenv("NO_PROXY", "")
    assert proxy_of(f"http://{server}/v1") == "http://p:3128"
    assert proxy_of(f"https://{server}/v1") is None
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxy_of(f"http://{server}/v1") is None


@pytest.mark.parametrize("excepted", ["10.0.0.0/8", "*.wlan", "lan.org", "::/0", "0.0.0.0/99"])
@pytest.mark.parametrize("server", ["11.1.2.3:8000", "gpu.lan"])
def test_servers_behind_the_proxy(excepted: str, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://p:3128")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert proxy_of(f"http://{server}/v1") == "http://p:3128"
